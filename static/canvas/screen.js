// @ts-check
/** Puts the layers on the page: what changed, once for each frame of the display; a new base as a dream that arrives. */

import { Arrival } from "./arrival.js";
import { Pixels } from "./pixels.js";
import { STROKE } from "./wire.js";

/** @typedef {import("./layers.js").Layers} Layers */

export class Screen {
    /**
     * @param {HTMLCanvasElement} canvas @param {HTMLCanvasElement} leaving lies above, and shows the picture that goes
     * @param {Layers} layers
     */
    constructor(canvas, leaving, layers) {
        const { width, height } = layers.shown;
        this.layers = layers;
        canvas.width = leaving.width = width;
        canvas.height = leaving.height = height;
        this.context = contextOf(canvas);
        this.image = imageOf(layers.shown);
        this.arrival = new Arrival(leaving);
        this.arrival.arrived = () => {
            this.layers.leaving = null;
        };
        /** Kept between two arrivals. @type {Pixels | null} */
        this.spare = null;
        /** @type {ImageData | null} */
        this.leavingImage = null;
        layers.tiles.dirtied = () => requestAnimationFrame(() => this.flush());
        requestAnimationFrame(() => this.flush());
    }

    flush() {
        const { context, image, arrival, layers } = this;
        const leavingImage = layers.leaving && this.leavingImage;
        layers.tiles.flush((x, y, width, height) => {
            context.putImageData(image, 0, 0, x, y, width, height);
            if (leavingImage) arrival.put(leavingImage, [x, y, width, height]);
        });
    }

    /**
     * Changes the whole picture.
     * @param {() => void} install
     * @param {number | null} upTo the number up to which a dream has taken the ink in; null: no dream, or nobody saw
     *   the picture before it
     */
    change(install, upTo) {
        if (upTo === null || document.hidden) return install();
        this.flush();
        const { shown, picture } = this.layers;
        this.spare ??= new Pixels(shown.width, shown.height);
        this.leavingImage ??= imageOf(this.spare);
        this.spare.copy(shown, shown.bounds);
        this.arrival.put(this.leavingImage, [0, 0, shown.width, shown.height]);
        const strokes = picture.entries.flatMap((entry) => (entry.seq <= upTo && entry.op.kind === STROKE && picture.visible(entry) ? [entry.op] : []));
        this.layers.leaving = null; // the old picture is put, all of it: only what is drawn from now on is put there, too
        install();
        this.flush();
        this.layers.leaving = this.spare;
        this.arrival.begin(strokes, { grows: !matchMedia("(prefers-reduced-motion: reduce)").matches });
    }
}

/** @param {HTMLCanvasElement} canvas */
function contextOf(canvas) {
    const context = canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("This browser gives no 2D canvas.");
    return context;
}

/** An image that shares the bytes. @param {Pixels} pixels */
function imageOf(pixels) {
    return new ImageData(pixels.clamped, pixels.width, pixels.height);
}
