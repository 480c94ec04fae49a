// @ts-check
/** The dock: the tool in use, and the brush as it is set; preferences.js remembers it. */

import { gettext, ngettext } from "../i18n.js";
import { recall, remember } from "./preferences.js";
import { nameOf } from "./colour_names.js";
import { another, colourOf, hexOf, PALETTES, RAINBOW } from "./palette.js";
import { TOOLS } from "./tools/manifest.js";
import { Wheel } from "./wheel.js";

/** @typedef {import("./strokes.js").Colour} Colour */
/** @typedef {import("./tools/types.js").Tool} Tool */

const RECENT = 6; // colours
const OPACITIES = [0.05, 1];
const SIZES = [1, 124];
const SVG = "http://www.w3.org/2000/svg";

/** @param {number} value @param {number[]} range */
const within = (value, [least, most]) => Math.min(most, Math.max(least, value));

export class Dock {
    /** @param {ParentNode} page @param {(text: string) => void} announce to those who listen instead of looking */
    constructor(page, announce) {
        const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (page.querySelector(`[data-tool="${name}"]`));
        this.announce = announce;
        /** Called when something is set otherwise. @type {() => void} */
        this.changed = () => {};
        this.tool = TOOLS[0];
        const { size = 20, opacity = 0.7, dynamic = true, symmetry = 1, steady = 0, recent = [], palette, chosen } = recall();
        this.size = within(size, SIZES);
        this.opacity = within(opacity, OPACITIES);
        this.dynamic = dynamic;
        /** How many times each stroke is drawn, in mirrors. */
        this.symmetry = within(symmetry, [1, 8]);
        /** How long the string is on which the pen follows, 0 to 50. */
        this.steady = within(steady, [0, 50]);
        /** Colours of one's own that were drawn with, the newest first. @type {string[]} */
        this.recent = recent.slice(0, RECENT);
        this.palette = palette;
        /** #rrggbb, or the well. */
        this.chosen = chosen;

        this.swatches = find("swatches");
        this.paletteName = find("palette-name");
        this.any = /** @type {HTMLButtonElement} */ (find("any"));
        this.colourSheet = find("colour-sheet");
        this.wheel = new Wheel(this.colourSheet, {
            choose: (hex) => this.choose(hex),
            chosen: (hex) => this.#remember(hex),
        });
        this.preview = document.createElement("i");
        this.preview.className = "preview";
        this.sizeInput = /** @type {HTMLInputElement} */ (find("size"));
        this.sizeText = find("size-text");
        this.opacityInput = /** @type {HTMLInputElement} */ (find("opacity"));
        this.opacityText = find("opacity-text");
        this.dynamicInput = /** @type {HTMLInputElement} */ (find("dynamic"));
        this.symmetryInput = /** @type {HTMLInputElement} */ (find("symmetry"));
        this.symmetryText = find("symmetry-text");
        this.steadyInput = /** @type {HTMLInputElement} */ (find("steady"));
        this.recentList = find("recent");
        /** @type {Map<Tool, HTMLElement>} */
        this.buttons = new Map(TOOLS.map((tool) => [tool, this.#button(tool)]));
        find("buttons").append(...this.buttons.values());
        find("keys").append(...TOOLS.flatMap(({ key }) => [keyOf(key), " "]));
        find("help").textContent = TOOLS.map(({ help }) => gettext(help)).join(", ");

        find("shuffle").addEventListener("click", () => this.shuffle());
        this.any.addEventListener("click", () => this.toggleColours());
        this.sizeInput.addEventListener("input", () => this.setSize(Number(this.sizeInput.value)));
        this.opacityInput.addEventListener("input", () => this.setOpacity(Number(this.opacityInput.value) / 100));
        this.symmetryInput.addEventListener("input", () => {
            this.symmetry = Number(this.symmetryInput.value);
            this.#show();
        });
        this.steadyInput.addEventListener("input", () => {
            this.steady = Number(this.steadyInput.value);
            this.#show();
        });
        this.dynamicInput.addEventListener("change", () => {
            this.dynamic = this.dynamicInput.checked;
            this.#show();
        });
        document.addEventListener("pointerdown", ({ target }) => {
            if (!(target instanceof Node)) return;
            if (!this.colourSheet.contains(target) && !this.any.contains(target)) this.toggleColours(false);
            if (!this.sheet?.contains(target) && !this.buttons.get(this.tool)?.contains(target)) this.toggleSheet(false);
        });
        this.swatches.addEventListener("keydown", (event) => this.#walk(event));
        this.#fill();
        this.#fillRecent();
        this.#show();
    }

    get rainbow() {
        return this.chosen === RAINBOW;
    }

    /** The colour as it is set; the well has none. @returns {Colour} */
    get colour() {
        return colourOf(this.rainbow ? "#808080" : this.chosen);
    }

    /** The tool in hand, as one sets it. @returns {HTMLElement | null} */
    get sheet() {
        return this.tool.options ? document.getElementById(this.tool.options) : null;
    }

    /** @param {Tool} tool */
    use(tool) {
        if (tool !== this.tool) this.toggleSheet(false);
        this.tool = tool;
        this.#show();
    }

    /** Takes a tool; where it is in hand already, shows or hides what it is set to, or puts it away. @param {Tool} tool */
    take(tool) {
        if (this.buttons.get(tool)?.hidden) return;
        if (this.tool !== tool) this.use(tool);
        else if (tool.options) this.toggleSheet();
        else this.use(TOOLS[0]);
    }

    /** Shows a tool, or takes it away. @param {Tool} tool @param {boolean} offered */
    offer(tool, offered) {
        const button = this.buttons.get(tool);
        if (button) button.hidden = !offered;
        if (!offered && this.tool === tool) this.use(TOOLS[0]);
    }

    /** Draws a tool's button anew. @param {Tool} tool @param {SVGElement} icon */
    picture(tool, icon) {
        this.buttons.get(tool)?.querySelector("svg")?.replaceWith(icon);
    }

    /** @param {string} colour #rrggbb or the well */
    choose(colour) {
        this.chosen = colour;
        if (this.tool.once) this.tool = TOOLS[0];
        this.#show();
    }

    /** The swatch with this number in the palette, from 1. @param {number} number */
    chooseNumber(number) {
        const swatch = PALETTES[this.palette].swatches[number - 1];
        if (swatch) this.choose(swatch);
    }

    shuffle() {
        this.palette = another(this.palette);
        this.#fill();
        this.choose(PALETTES[this.palette].swatches[3]);
        this.announce(gettext("Palette %(name)s.", { name: gettext(PALETTES[this.palette].name) }));
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
    toggleSheet(open = this.sheet?.hidden === true) {
        if (!this.sheet) return;
        this.sheet.hidden = !open;
        this.buttons.get(this.tool)?.setAttribute("aria-expanded", String(open));
        if (open) this.sheet.querySelector("input")?.focus({ preventScroll: true });
    }

    /** The colour wheel. @param {boolean} [open] */
    toggleColours(open = this.colourSheet.hidden === true) {
        if (open === !this.colourSheet.hidden) return;
        this.colourSheet.hidden = !open;
        this.any.setAttribute("aria-expanded", String(open));
        if (!open) return;
        this.toggleSheet(false);
        this.wheel.show(hexOf(this.colour));
        this.wheel.ring.focus({ preventScroll: true });
    }

    /** @returns {boolean} whether there was something to close */
    close() {
        if (!this.colourSheet.hidden) {
            this.toggleColours(false);
            this.any.focus();
            return true;
        }
        if (!this.sheet || this.sheet.hidden) return false;
        this.toggleSheet(false);
        this.buttons.get(this.tool)?.focus();
        return true;
    }

    /** @param {Tool} tool */
    #button(tool) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "tool";
        button.dataset.tool = tool.name;
        button.title = tool.title;
        button.toggleAttribute("data-inks", tool.inks);
        if (tool.options) {
            button.setAttribute("aria-expanded", "false");
            button.setAttribute("aria-controls", tool.options);
        }
        const label = document.createElement("span");
        label.className = "visually-hidden";
        label.textContent = tool.label;
        button.append(tool.icon ? iconOf(tool.icon) : this.preview, label);
        button.addEventListener("click", () => this.take(tool));
        return button;
    }

    /** A colour of one's own comes first among the recent ones. @param {string} hex */
    #remember(hex) {
        this.recent = [hex, ...this.recent.filter((other) => other !== hex)].slice(0, RECENT);
        this.#fillRecent();
        this.#show();
    }

    #fillRecent() {
        this.recentList.hidden = this.recent.length === 0;
        this.recentList.replaceChildren(
            ...this.recent.map((hex) => {
                const button = document.createElement("button");
                button.type = "button";
                button.className = "swatch";
                button.title = nameOf(hex);
                button.setAttribute("aria-label", gettext("Recent colour: %(colour)s", { colour: nameOf(hex) }));
                button.style.setProperty("--swatch", hex);
                button.addEventListener("click", () => this.choose(hex));
                return button;
            }),
        );
    }

    #fill() {
        const { name, swatches } = PALETTES[this.palette];
        this.paletteName.textContent = name;
        this.swatches.setAttribute("aria-label", gettext("Palette %(name)s", { name: gettext(name) }));
        this.swatches.replaceChildren(
            ...swatches.map((swatch, index) => {
                const button = document.createElement("button");
                button.type = "button";
                button.className = "swatch";
                button.dataset.colour = swatch;
                button.setAttribute("role", "radio");
                const what = swatch === RAINBOW ? gettext("the colour under the brush") : nameOf(swatch);
                button.setAttribute("aria-label", gettext("Colour %(n)s: %(colour)s", { n: index + 1, colour: what }));
                button.title = swatch === RAINBOW ? gettext("Picks up the colour under the brush") : what;
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
        for (const [tool, button] of this.buttons) {
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
        this.any.classList.toggle("chosen", !found);
        this.any.style.setProperty("--swatch", found ? "transparent" : this.chosen);
        this.any.dataset.colour = this.rainbow ? "" : this.chosen;
        if (!this.colourSheet.hidden) this.wheel.show(hexOf(this.colour));
        this.preview.classList.toggle("rainbow", this.rainbow);
        this.preview.style.setProperty("--swatch", hexOf(this.colour));
        this.preview.style.setProperty("--size", `${6 + 20 * Math.sqrt(size / SIZES[1])}px`);
        this.preview.style.setProperty("--opacity", String(0.25 + 0.75 * opacity));
        this.sizeInput.value = String(size);
        this.sizeInput.setAttribute("aria-valuetext", ngettext("%(n)s pixel", "%(n)s pixels", size));
        this.sizeText.textContent = `${size} px`;
        this.opacityInput.value = String(Math.round(100 * opacity));
        this.opacityInput.setAttribute("aria-valuetext", gettext("%(n)s per cent", { n: Math.round(100 * opacity) }));
        this.opacityText.textContent = `${Math.round(100 * opacity)} %`;
        this.dynamicInput.checked = this.dynamic;
        this.symmetryInput.value = String(this.symmetry);
        this.symmetryText.textContent = this.symmetry === 1 ? gettext("off") : this.symmetry === 2 ? gettext("left and right") : gettext("%(n)s-fold", { n: this.symmetry });
        this.symmetryInput.setAttribute("aria-valuetext", this.symmetryText.textContent);
        this.steadyInput.value = String(this.steady);
        remember(this);
        this.changed();
    }
}

/** @param {string} path */
function iconOf(path) {
    const svg = document.createElementNS(SVG, "svg"), drawn = document.createElementNS(SVG, "path");
    svg.classList.add("icon");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    drawn.setAttribute("d", path);
    svg.append(drawn);
    return svg;
}

/** @param {string} key */
function keyOf(key) {
    const element = document.createElement("kbd");
    element.textContent = key.toUpperCase();
    return element;
}
