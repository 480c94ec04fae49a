// @ts-check
/** Marks that people leave at a place: shown for a few seconds and gone. Everybody may choose not to see any. */

import { gettext } from "../i18n.js";
import { drawn, MARKS } from "./marks.js";
import { steady } from "./steady.js";
import { setWants, wants } from "./preferences.js";

/** @typedef {{by: number, name: string, x: number, y: number, mark: number}} Reaction x and y on the canvas, px */

const MOST = 24; // at once
const LASTS = 4000; // ms
const APART = 6000; // ms between two that are read out
const PAUSE = 2000, BURST = 5; // as canvas/limits.py has it: more than these would go nowhere
const STORE = "dreamsite:marks";

export class Reactions {
    /**
     * @param {HTMLElement} layer in the window's coordinates @param {import("./view.js").View} view
     * @param {HTMLElement} sheet where the mark is chosen
     * @param {object} page
     * @param {(x: number, y: number, mark: number) => void} page.send
     * @param {(text: string) => void} page.announce to those who listen @param {(text: string) => void} page.notify
     * @param {() => void} page.chosen another mark is in hand
     */
    constructor(layer, view, sheet, page) {
        this.layer = layer;
        this.view = view;
        this.page = page;
        this.mark = 0;
        this.left = BURST;
        this.refilled = 0;
        this.readAt = -Infinity;
        /** @type {Set<{element: HTMLElement, x: number, y: number}>} */
        this.shown = new Set();
        this.choices = /** @type {HTMLElement} */ (sheet.querySelector("[data-marks]"));
        this.choices.replaceChildren(...MARKS.map(({ name }, mark) => this.#choice(name, mark)));
        sheet.querySelector("[data-mark-here]")?.addEventListener("click", () => {
            this.drop(view.canvasX(view.windowWidth / 2), view.canvasY(view.windowHeight / 2));
        });
    }

    /** Whether this browser shows marks. */
    get wanted() {
        return wants(STORE);
    }

    /** @param {boolean} wanted */
    set wanted(wanted) {
        setWants(STORE, wanted);
        if (!wanted) for (const one of this.shown) this.#remove(one);
    }

    /** Leaves the mark in hand at a place, and tells the server. @param {number} x @param {number} y on the canvas, px */
    drop(x, y) {
        const { view, page, mark } = this;
        const px = Math.floor(x), py = Math.floor(y), now = steady();
        if (px < 0 || py < 0 || px >= view.width || py >= view.height) return;
        this.left = Math.min(BURST, this.left + (now - this.refilled) / PAUSE);
        this.refilled = now;
        if (this.left < 1) return page.notify(gettext("One mark after the other: wait a moment."));
        this.left -= 1;
        page.send(px, py, mark);
    }

    /** @param {Reaction} reaction @param {boolean} mine */
    show({ name, x, y, mark }, mine) {
        if (!MARKS[mark] || (!this.wanted && !mine)) return;
        if (this.shown.size >= MOST) this.#remove([...this.shown][0]);
        const element = document.createElement("span");
        element.className = "mark";
        element.append(drawn(mark));
        this.layer.append(element);
        const one = { element, x, y };
        this.shown.add(one);
        this.#position(one);
        setTimeout(() => this.#remove(one), LASTS);
        const now = steady();
        if (!mine && now - this.readAt < APART) return;
        this.readAt = now;
        const what = MARKS[mark].name;
        this.page.announce(mine ? gettext("You left a mark: %(mark)s.", { mark: what }) : gettext("%(name)s left a mark: %(mark)s.", { name, mark: what }));
    }

    /** The view has changed. */
    layOut() {
        for (const one of this.shown) this.#position(one);
    }

    /** @param {{element: HTMLElement, x: number, y: number}} one */
    #position({ element, x, y }) {
        const { view } = this;
        element.style.translate = `${Math.round(view.x + x * view.scale)}px ${Math.round(view.y + y * view.scale)}px`;
    }

    /** @param {{element: HTMLElement, x: number, y: number}} one */
    #remove(one) {
        one.element.remove();
        this.shown.delete(one);
    }

    /** @param {string} name @param {number} mark */
    #choice(name, mark) {
        const label = document.createElement("label"), input = document.createElement("input"), text = document.createElement("span");
        Object.assign(input, { type: "radio", name: "mark", value: String(mark), checked: mark === this.mark });
        text.className = "visually-hidden";
        text.textContent = name;
        label.title = name;
        label.append(input, drawn(mark), text);
        input.addEventListener("change", () => {
            this.mark = mark;
            this.page.chosen();
        });
        return label;
    }
}
