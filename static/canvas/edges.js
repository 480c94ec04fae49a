// @ts-check
/** Arrows at the window's edge towards people who draw outside of it; pressing one goes there. */

import { gettext } from "../i18n.js";

const MOST = 5;
const LASTS = 8000; // ms after the last point
const MARGIN = 34; // CSS px from the window's edge to an arrow's middle

/**
 * Where an arrow stands, and which way it points; null where the place is in the window.
 * @param {import("./view.js").View} view @param {number} x @param {number} y on the canvas, px
 * @param {{top: number, bottom: number}} covered CSS px that other controls cover
 * @returns {{left: number, top: number, angle: number} | null}
 */
export function edgeOf(view, x, y, covered) {
    const px = view.x + x * view.scale, py = view.y + y * view.scale;
    const { windowWidth: width, windowHeight: height } = view;
    if (px >= 0 && px <= width && py >= 0 && py <= height) return null;
    const cx = width / 2, cy = height / 2, dx = px - cx, dy = py - cy;
    const least = covered.top + MARGIN, most = height - covered.bottom - MARGIN;
    // The longest part of the way from the middle that stays within the margins.
    const parts = [1];
    if (dx) parts.push((dx > 0 ? width - MARGIN - cx : MARGIN - cx) / dx);
    if (dy) parts.push((dy > 0 ? Math.max(most - cy, 1) : Math.min(least - cy, -1)) / dy);
    const part = Math.min(...parts);
    return { left: cx + part * dx, top: cy + part * dy, angle: Math.atan2(dy, dx) };
}

export class Edges {
    /**
     * @param {HTMLElement} layer in the window's coordinates @param {import("./view.js").View} view
     * @param {() => {top: number, bottom: number}} covered CSS px that other controls cover
     * @param {(x: number, y: number) => void} go to a place on the canvas, px
     */
    constructor(layer, view, covered, go) {
        this.layer = layer;
        this.view = view;
        this.covered = covered;
        this.go = go;
        /** @type {Map<number, {button: HTMLButtonElement, x: number, y: number, until: number}>} by author */
        this.arrows = new Map();
        /** @type {ReturnType<typeof setInterval> | undefined} */
        this.sweeping = undefined;
    }

    /** Somebody else draws. @param {number} author @param {string} name @param {number} x @param {number} y on the canvas, px */
    show(author, name, x, y) {
        let arrow = this.arrows.get(author);
        if (!arrow) {
            if (this.arrows.size >= MOST || !edgeOf(this.view, x, y, this.covered())) return;
            const button = document.createElement("button");
            button.type = "button";
            button.className = "edge";
            button.title = gettext("%(name)s is drawing here", { name });
            button.setAttribute("aria-label", gettext("Go to where %(name)s is drawing", { name }));
            const made = { button, x, y, until: 0 };
            button.addEventListener("click", () => this.go(made.x, made.y));
            this.layer.append(button);
            this.arrows.set(author, (arrow = made));
        }
        arrow.x = x;
        arrow.y = y;
        arrow.until = Date.now() + LASTS;
        this.#position(arrow);
        this.sweeping ??= setInterval(() => this.#sweep(), 500);
    }

    /** The view has changed. */
    layOut() {
        for (const arrow of this.arrows.values()) this.#position(arrow);
    }

    /** @param {{button: HTMLButtonElement, x: number, y: number}} arrow */
    #position({ button, x, y }) {
        const at = edgeOf(this.view, x, y, this.covered());
        button.hidden = at === null;
        if (at) button.style.transform = `translate(${Math.round(at.left)}px, ${Math.round(at.top)}px) translate(-50%, -50%) rotate(${at.angle}rad)`;
    }

    #sweep() {
        for (const [author, { button, until }] of this.arrows) {
            // One that somebody is about to press stays under their finger.
            if (Date.now() < until || button.matches(":focus-visible, :hover")) continue;
            button.remove();
            this.arrows.delete(author);
        }
        if (this.arrows.size) return;
        clearInterval(this.sweeping);
        this.sweeping = undefined;
    }
}
