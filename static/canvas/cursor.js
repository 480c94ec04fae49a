// @ts-check
/** The brush where the pointer is, and the loupe of the eyedropper. */

import { colourAt, hexOf } from "./palette.js";

export class Cursor {
    /**
     * @param {HTMLElement} stage @param {HTMLElement} ring @param {HTMLElement} loupe
     * @param {import("./view.js").View} view @param {import("./layers.js").Layers} layers
     * @param {() => {tool: import("./tools/types.js").Tool, size: number, mayDraw: boolean}} state size in canvas px
     */
    constructor(stage, ring, loupe, view, layers, state) {
        this.stage = stage;
        this.ring = ring;
        this.loupe = loupe;
        this.view = view;
        this.layers = layers;
        this.state = state;
        /** @type {PointerEvent | null} */
        this.at = null;
        this.hoverLoupe = false; // the loupe is there for the eyedropper that hovers, not for a press
    }

    /** @param {PointerEvent | null} event */
    hover(event) {
        this.at = event;
        this.show();
    }

    show() {
        const { at, ring } = this;
        const { tool, size, mayDraw } = this.state();
        const cursor = tool.inks && !mayDraw ? "grab" : tool.cursor;
        const brush = cursor === "brush", loupe = cursor === "loupe";
        this.stage.dataset.cursor = cursor;
        ring.hidden = !(brush && at);
        if (at && loupe) this.magnify(at.clientX, at.clientY);
        else if (this.hoverLoupe) this.putAway();
        this.hoverLoupe = at !== null && loupe;
        if (!at || !brush) return;
        const side = Math.max(4, size * this.view.scale);
        ring.style.width = ring.style.height = `${side}px`;
        ring.style.transform = `translate(${at.clientX - side / 2}px, ${at.clientY - side / 2}px)`;
    }

    /** @param {number} x @param {number} y of the window @returns {string} the colour there, #rrggbb */
    magnify(x, y) {
        const hex = hexOf(colourAt(this.layers.shown, this.view.canvasX(x), this.view.canvasY(y)));
        this.loupe.hidden = false;
        this.loupe.style.setProperty("--swatch", hex);
        this.loupe.style.transform = `translate(${x}px, ${y}px)`;
        return hex;
    }

    putAway() {
        this.loupe.hidden = true;
    }
}
