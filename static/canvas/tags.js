// @ts-check
/** The names of those who draw, at the tip of their fresh strokes; they fade by themselves. */

import { steady } from "./steady.js";

const MOST = 16;
const LASTS = 1800; // ms after the last point

export class Tags {
    /** @param {HTMLElement} layer in the window's coordinates @param {import("./view.js").View} view */
    constructor(layer, view) {
        this.layer = layer;
        this.view = view;
        /** @type {Map<number, {element: HTMLElement, x: number, y: number, until: number}>} by author */
        this.tags = new Map();
        /** @type {ReturnType<typeof setInterval> | undefined} */
        this.sweeping = undefined;
    }

    /** @param {number} author @param {string} name @param {number} x @param {number} y on the canvas, px */
    show(author, name, x, y) {
        let tag = this.tags.get(author);
        if (!tag) {
            if (this.tags.size >= MOST) return;
            const element = document.createElement("span");
            element.className = "tag";
            element.textContent = name;
            this.layer.append(element);
            tag = { element, x, y, until: 0 };
            this.tags.set(author, tag);
        }
        tag.x = x;
        tag.y = y;
        tag.until = steady() + LASTS;
        tag.element.classList.remove("leaving");
        this.#position(tag);
        this.sweeping ??= setInterval(() => this.#sweep(), 300);
    }

    /** The view has changed. */
    layOut() {
        for (const tag of this.tags.values()) this.#position(tag);
    }

    /** @param {{element: HTMLElement, x: number, y: number}} tag */
    #position({ element, x, y }) {
        const { view } = this;
        element.style.transform = `translate(${Math.round(view.x + x * view.scale)}px, ${Math.round(view.y + y * view.scale)}px)`;
    }

    #sweep() {
        const now = steady();
        for (const [author, { element, until }] of this.tags) {
            if (now > until) element.classList.add("leaving");
            if (now <= until + 600) continue;
            element.remove();
            this.tags.delete(author);
        }
        if (this.tags.size) return;
        clearInterval(this.sweeping);
        this.sweeping = undefined;
    }
}
