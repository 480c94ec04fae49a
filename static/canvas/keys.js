// @ts-check
/** The keyboard: everything but drawing by hand. The list of keys in the welcome dialogue has the same. */

import { TOOLS } from "./tools/manifest.js";

/**
 * @typedef {object} Shortcuts
 * @property {() => void} undo
 * @property {() => void} redo
 * @property {(factor: number) => void} zoom
 * @property {() => void} fit
 * @property {(dx: number, dy: number) => void} pan
 * @property {(held: boolean) => void} space
 * @property {(tool: import("./tools/types.js").Tool) => void} take
 * @property {(factor: number) => void} size
 * @property {(step: number) => void} opacity
 * @property {(number: number) => void} swatch
 * @property {() => void} shuffle
 * @property {() => void} help
 * @property {() => void} hide
 * @property {(held: boolean) => void} peek shows the drawing under the dream
 * @property {() => void} answer goes to the newest guess
 * @property {() => void} escape
 */

const STEP = 80; // CSS px a press of an arrow key moves the view

/** @param {Shortcuts} shortcuts */
export function listen(shortcuts) {
    /** @type {Record<string, () => void>} */
    const keys = {
        "+": () => shortcuts.zoom(1.25),
        "=": () => shortcuts.zoom(1.25),
        "-": () => shortcuts.zoom(0.8),
        "_": () => shortcuts.zoom(0.8),
        "0": shortcuts.fit,
        "ArrowLeft": () => shortcuts.pan(STEP, 0),
        "ArrowRight": () => shortcuts.pan(-STEP, 0),
        "ArrowUp": () => shortcuts.pan(0, STEP),
        "ArrowDown": () => shortcuts.pan(0, -STEP),
        "[": () => shortcuts.size(0.8),
        "]": () => shortcuts.size(1.25),
        ",": () => shortcuts.opacity(-0.1),
        ".": () => shortcuts.opacity(0.1),
        "p": shortcuts.shuffle,
        "d": () => shortcuts.peek(true),
        "u": shortcuts.undo,
        "f": shortcuts.hide,
        "g": shortcuts.answer,
        "?": shortcuts.help,
        "Escape": shortcuts.escape,
    };
    for (const tool of TOOLS) keys[tool.key] = () => shortcuts.take(tool);
    for (let number = 1; number <= 8; number++) keys[String(number)] = () => shortcuts.swatch(number);

    addEventListener("keydown", (event) => {
        if (document.querySelector("dialog[open]")) return;
        const { target } = event;
        const field = target instanceof Element && target.matches("input, select, textarea");
        // A slider or a switch takes arrows and digits, but no letters: B closes what B has opened.
        const typing = field && !(target.matches("[type=range], [type=checkbox]") && /^[a-z]$/i.test(event.key));
        if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "z") {
            event.preventDefault();
            if (event.shiftKey) shortcuts.redo();
            else shortcuts.undo();
            return;
        }
        if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "y") {
            event.preventDefault();
            return shortcuts.redo();
        }
        // Many keyboards have the brackets behind AltGr, which says Control and Alt, or behind Option.
        const bracket = event.key === "[" || event.key === "]";
        if (!bracket && (event.ctrlKey || event.metaKey || event.altKey)) return;
        if (typing && event.key !== "Escape") return;
        if (event.key === " ") {
            // On a button the space bar presses it.
            if (target instanceof Element && target.closest("button, a, summary, input")) return;
            event.preventDefault();
            shortcuts.space(true);
            return;
        }
        const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
        if (!action) return;
        event.preventDefault();
        action();
    });
    addEventListener("keyup", (event) => {
        if (event.key === " ") shortcuts.space(false);
        if (event.key.toLowerCase() === "d") shortcuts.peek(false);
    });
    addEventListener("blur", () => {
        shortcuts.space(false);
        shortcuts.peek(false);
    });
}
