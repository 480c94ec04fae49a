// @ts-check
/**
 * The colour wheel: a ring of hues around a square of shades, large enough for a finger. Both are sliders for keys and
 * for those who listen: the ring by the arrow keys, the square by arrows for saturation (left, right) and brightness.
 */

import { gettext } from "../i18n.js";
import { colourOfHsv, hsvOf, nameOf } from "./colour_names.js";
import { colourOf, hexOf } from "./palette.js";

const HEX = /^#?([0-9a-f]{6})$/i;

export class Wheel {
    /**
     * @param {HTMLElement} sheet holds [data-wheel=ring], square and hex
     * @param {{choose: (hex: string) => void, chosen: (hex: string) => void}} actions while one looks for a colour, and once it is found
     */
    constructor(sheet, { choose, chosen }) {
        const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (sheet.querySelector(`[data-wheel="${name}"]`));
        this.ring = find("ring");
        this.square = find("square");
        this.hex = /** @type {HTMLInputElement} */ (find("hex"));
        this.name = find("name");
        this.choose = choose;
        this.chosen = chosen;
        this.hsv = { h: 0, s: 0, v: 0 };
        // The square has round corners: what slips past them is not meant for the ring below.
        this.#follow(this.ring, 0.65, (x, y) => this.#set({ h: ((Math.atan2(y, x) * 180) / Math.PI + 450) % 360 }));
        this.#follow(this.square, 0, (x, y) => this.#set({ s: within((x + 1) / 2), v: within((1 - y) / 2) }));
        this.ring.addEventListener("keydown", (event) => {
            const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 15, PageDown: -15 }[event.key];
            if (step) this.#press(event, { h: (this.hsv.h + step * (event.shiftKey ? 10 : 2) + 360) % 360 });
        });
        this.square.addEventListener("keydown", (event) => {
            const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
            const far = event.shiftKey ? 0.1 : 0.02;
            if (step) this.#press(event, { s: within(this.hsv.s + step[0] * far), v: within(this.hsv.v + step[1] * far) });
        });
        this.hex.addEventListener("change", () => {
            const typed = HEX.exec(this.hex.value.trim());
            if (typed) {
                this.show(`#${typed[1].toLowerCase()}`);
                this.#emit();
                this.chosen(this.value);
            } else this.hex.value = this.value;
        });
    }

    /** #rrggbb */
    get value() {
        return hexOf(colourOfHsv(this.hsv));
    }

    /** @param {string} hex #rrggbb */
    show(hex) {
        // A grey has no hue, and black no saturation: the wheel stays where it is.
        if (hex !== this.value) {
            const { h, s, v } = hsvOf(colourOf(hex));
            this.hsv = { h: s && v ? h : this.hsv.h, s: v ? s : this.hsv.s, v };
        }
        const { h, s, v } = this.hsv, name = nameOf(hex);
        this.ring.style.setProperty("--hue", String(h));
        this.square.style.setProperty("--hue", String(h));
        this.square.style.setProperty("--s", String(s));
        this.square.style.setProperty("--v", String(v));
        this.ring.setAttribute("aria-valuenow", String(Math.round(h)));
        this.ring.setAttribute("aria-valuetext", name);
        this.square.setAttribute("aria-valuenow", String(Math.round(100 * v)));
        this.square.setAttribute("aria-valuetext", gettext("%(name)s, saturation %(s)s per cent, brightness %(v)s per cent", { name, s: Math.round(100 * s), v: Math.round(100 * v) }));
        this.name.textContent = name;
        this.hex.value = hex;
    }

    #emit() {
        this.choose(this.value);
    }

    /** @param {Partial<{h: number, s: number, v: number}>} change */
    #set(change) {
        this.hsv = { ...this.hsv, ...change };
        this.show(this.value);
        this.#emit();
    }

    /** @param {KeyboardEvent} event @param {Partial<{h: number, s: number, v: number}>} change */
    #press(event, change) {
        event.preventDefault();
        event.stopPropagation();
        this.#set(change);
        this.chosen(this.value);
    }

    /**
     * A pointer held on a part moves its handle, also where it slips off.
     * @param {HTMLElement} part @param {number} inner how far from its middle it begins, 1 is its edge
     * @param {(x: number, y: number) => void} to from the part's middle
     */
    #follow(part, inner, to) {
        const at = (/** @type {PointerEvent} */ { clientX, clientY }) => {
            const { left, top, width, height } = part.getBoundingClientRect();
            return /** @type {const} */ ([(2 * (clientX - left)) / width - 1, (2 * (clientY - top)) / height - 1]);
        };
        part.addEventListener("pointerdown", (event) => {
            if (Math.hypot(...at(event)) < inner) return;
            part.setPointerCapture(event.pointerId);
            part.focus({ preventScroll: true });
            to(...at(event));
        });
        part.addEventListener("pointermove", (event) => part.hasPointerCapture(event.pointerId) && to(...at(event)));
        part.addEventListener("pointerup", () => this.chosen(this.value));
    }
}

/** @param {number} value */
function within(value) {
    return Math.min(1, Math.max(0, value));
}
