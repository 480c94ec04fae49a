// @ts-check
/** The dock: what one draws with. Holds the brush as it is set; preferences.js remembers it. */

import { recall, remember } from "./preferences.js";
import { another, colourOf, hexOf, PALETTES, RAINBOW } from "./palette.js";

/** @typedef {import("./strokes.js").Colour} Colour */
/** @typedef {"draw" | "pick" | "hand"} Tool */

const OPACITIES = [0.05, 1];
const SIZES = [1, 124];

/** @param {number} value @param {number[]} range */
const within = (value, [least, most]) => Math.min(most, Math.max(least, value));

export class Tools {
    /** @param {ParentNode} page @param {(text: string) => void} say to those who listen instead of looking */
    constructor(page, say) {
        const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (page.querySelector(`[data-tool="${name}"]`));
        this.say = say;
        /** Called when something is set otherwise. @type {() => void} */
        this.changed = () => {};
        /** @type {Tool} */
        this.tool = "draw";
        const { size = 11, opacity = 0.4, dynamic = true, palette, chosen } = recall();
        this.size = within(size, SIZES);
        this.opacity = within(opacity, OPACITIES);
        this.dynamic = dynamic;
        this.palette = palette;
        /** #rrggbb, or the well. */
        this.chosen = chosen;

        this.swatches = find("swatches");
        this.paletteName = find("palette-name");
        this.any = /** @type {HTMLInputElement} */ (find("any"));
        this.preview = find("preview");
        this.sizeInput = /** @type {HTMLInputElement} */ (find("size"));
        this.sizeText = find("size-text");
        this.opacityInput = /** @type {HTMLInputElement} */ (find("opacity"));
        this.opacityText = find("opacity-text");
        this.dynamicInput = /** @type {HTMLInputElement} */ (find("dynamic"));
        this.sheet = find("brush-sheet");
        this.brush = find("brush");
        /** @type {Record<Tool, HTMLElement>} */
        this.buttons = { draw: this.brush, pick: find("pick"), hand: find("hand") };

        find("shuffle").addEventListener("click", () => this.shuffle());
        this.any.addEventListener("input", () => this.choose(this.any.value));
        this.sizeInput.addEventListener("input", () => this.setSize(Number(this.sizeInput.value)));
        this.opacityInput.addEventListener("input", () => this.setOpacity(Number(this.opacityInput.value) / 100));
        this.dynamicInput.addEventListener("change", () => {
            this.dynamic = this.dynamicInput.checked;
            this.#show();
        });
        this.brush.addEventListener("click", () => this.takeBrush());
        this.buttons.pick.addEventListener("click", () => this.use(this.tool === "pick" ? "draw" : "pick"));
        this.buttons.hand.addEventListener("click", () => this.use(this.tool === "hand" ? "draw" : "hand"));
        document.addEventListener("pointerdown", (event) => {
            if (!(event.target instanceof Node) || this.sheet.contains(event.target) || this.brush.contains(event.target)) return;
            this.toggleSheet(false);
        });
        this.swatches.addEventListener("keydown", (event) => this.#walk(event));
        this.#fill();
        this.#show();
    }

    get rainbow() {
        return this.chosen === RAINBOW;
    }

    /** The colour as it is set; the well has none. @returns {Colour} */
    get colour() {
        return colourOf(this.rainbow ? "#808080" : this.chosen);
    }

    /** @param {Tool} tool */
    use(tool) {
        this.tool = tool;
        if (tool !== "draw") this.toggleSheet(false);
        this.#show();
    }

    /** Takes the brush; where it is in the hand already, shows or hides what it is set to. */
    takeBrush() {
        if (this.tool !== "draw") this.use("draw");
        else this.toggleSheet();
    }

    /** @param {string} colour #rrggbb or the well */
    choose(colour) {
        this.chosen = colour;
        if (this.tool === "pick") this.tool = "draw";
        this.#show();
    }

    /** The swatch at a place of the palette, from 1. @param {number} place */
    chooseAt(place) {
        const swatch = PALETTES[this.palette].swatches[place - 1];
        if (swatch) this.choose(swatch);
    }

    shuffle() {
        this.palette = another(this.palette);
        this.#fill();
        this.choose(PALETTES[this.palette].swatches[3]);
        this.say(`Palette ${PALETTES[this.palette].name}.`);
    }

    /** @param {number} size px */
    setSize(size) {
        this.size = Math.round(within(size, SIZES));
        this.#show();
    }

    /** @param {number} opacity 0..1 */
    setOpacity(opacity) {
        this.opacity = Math.round(within(opacity, OPACITIES) * 100) / 100;
        this.#show();
    }

    /** @param {boolean} [open] */
    toggleSheet(open = this.sheet.hidden === true) {
        this.sheet.hidden = !open;
        this.brush.setAttribute("aria-expanded", String(open));
        if (open) this.sizeInput.focus({ preventScroll: true });
    }

    /** @returns {boolean} whether there was something to close */
    close() {
        if (this.sheet.hidden) return false;
        this.toggleSheet(false);
        this.brush.focus();
        return true;
    }

    #fill() {
        const { name, swatches } = PALETTES[this.palette];
        this.paletteName.textContent = name;
        this.swatches.setAttribute("aria-label", `Palette ${name}`);
        this.swatches.replaceChildren(
            ...swatches.map((swatch, index) => {
                const button = document.createElement("button");
                button.type = "button";
                button.className = "swatch";
                button.dataset.colour = swatch;
                button.setAttribute("role", "radio");
                const what = swatch === RAINBOW ? "the colour under the brush" : swatch;
                button.setAttribute("aria-label", `Colour ${index + 1}: ${what}`);
                button.title = swatch === RAINBOW ? "Picks up the colour under the brush" : swatch;
                if (swatch !== RAINBOW) button.style.setProperty("--swatch", swatch);
                button.addEventListener("click", () => this.choose(swatch));
                return button;
            }),
        );
    }

    /** Arrow keys walk through the swatches, as in any group of radio buttons. @param {KeyboardEvent} event */
    #walk(event) {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        event.stopPropagation();
        const all = /** @type {HTMLElement[]} */ ([...this.swatches.children]);
        const at = all.findIndex((button) => button === document.activeElement);
        const next = all[(at + step + all.length) % all.length];
        next.focus();
        next.click();
    }

    #show() {
        const { size, opacity } = this;
        for (const [tool, button] of Object.entries(this.buttons)) {
            button.setAttribute("aria-pressed", String(tool === this.tool));
        }
        let found = false;
        for (const button of /** @type {HTMLElement[]} */ ([...this.swatches.children])) {
            const chosen = button.dataset.colour === this.chosen;
            found ||= chosen;
            button.setAttribute("aria-checked", String(chosen));
            button.tabIndex = chosen ? 0 : -1;
        }
        if (!found) /** @type {HTMLElement} */ (this.swatches.firstElementChild).tabIndex = 0;
        this.any.parentElement?.classList.toggle("chosen", !found);
        if (!this.rainbow) this.any.value = this.chosen;
        this.any.parentElement?.style.setProperty("--swatch", found ? "transparent" : this.chosen);
        this.preview.classList.toggle("rainbow", this.rainbow);
        this.preview.style.setProperty("--swatch", hexOf(this.colour));
        this.preview.style.setProperty("--size", `${6 + 20 * Math.sqrt(size / SIZES[1])}px`);
        this.preview.style.setProperty("--opacity", String(0.25 + 0.75 * opacity));
        this.sizeInput.value = String(size);
        this.sizeInput.setAttribute("aria-valuetext", `${size} pixels`);
        this.sizeText.textContent = `${size} px`;
        this.opacityInput.value = String(Math.round(100 * opacity));
        this.opacityInput.setAttribute("aria-valuetext", `${Math.round(100 * opacity)} per cent`);
        this.opacityText.textContent = `${Math.round(100 * opacity)} %`;
        this.dynamicInput.checked = this.dynamic;
        remember(this);
        this.changed();
    }
}
