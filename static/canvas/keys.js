// @ts-check
/** The keyboard: everything but drawing by hand. The list of keys in the welcome dialogue tells the same. */

/**
 * @typedef {object} Does
 * @property {() => void} undo
 * @property {(factor: number) => void} zoom
 * @property {() => void} fit
 * @property {(dx: number, dy: number) => void} pan
 * @property {(held: boolean) => void} space
 * @property {() => void} brush takes it, and again: what it is set to
 * @property {(tool: "pick" | "hand") => void} use
 * @property {(factor: number) => void} size
 * @property {(step: number) => void} opacity
 * @property {(place: number) => void} swatch
 * @property {() => void} shuffle
 * @property {() => void} help
 * @property {() => void} hide
 * @property {() => void} escape
 */

const STEP = 80; // CSS px a press of an arrow key moves the view

/** @param {Does} does */
export function listen(does) {
    /** @type {Record<string, () => void>} */
    const keys = {
        "+": () => does.zoom(1.25),
        "=": () => does.zoom(1.25),
        "-": () => does.zoom(0.8),
        "_": () => does.zoom(0.8),
        "0": does.fit,
        "ArrowLeft": () => does.pan(STEP, 0),
        "ArrowRight": () => does.pan(-STEP, 0),
        "ArrowUp": () => does.pan(0, STEP),
        "ArrowDown": () => does.pan(0, -STEP),
        "b": does.brush,
        "i": () => does.use("pick"),
        "h": () => does.use("hand"),
        "[": () => does.size(0.8),
        "]": () => does.size(1.25),
        ",": () => does.opacity(-0.1),
        ".": () => does.opacity(0.1),
        "p": does.shuffle,
        "u": does.undo,
        "f": does.hide,
        "?": does.help,
        "Escape": does.escape,
    };
    for (let place = 1; place <= 8; place++) keys[String(place)] = () => does.swatch(place);

    addEventListener("keydown", (event) => {
        if (document.querySelector("dialog[open]")) return;
        const { target } = event;
        const field = target instanceof Element && target.matches("input, select, textarea");
        // A slider or a switch takes arrows and digits, but no letters: B closes what B has opened.
        const typing = field && !(target.matches("[type=range], [type=checkbox]") && /^[a-z]$/i.test(event.key));
        if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "z") {
            event.preventDefault();
            if (!event.shiftKey) does.undo();
            return;
        }
        // Many keyboards have the brackets behind AltGr, which says Control and Alt, or behind Option.
        const bracket = event.key === "[" || event.key === "]";
        if (!bracket && (event.ctrlKey || event.metaKey || event.altKey)) return;
        if (typing && event.key !== "Escape") return;
        if (event.key === " ") {
            // On a button the space bar presses it.
            if (target instanceof Element && target.closest("button, a, summary, input")) return;
            event.preventDefault();
            does.space(true);
            return;
        }
        const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
        if (!action) return;
        event.preventDefault();
        action();
    });
    addEventListener("keyup", (event) => {
        if (event.key === " ") does.space(false);
    });
    addEventListener("blur", () => does.space(false));
}
