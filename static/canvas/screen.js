// @ts-check
/** Puts the layers on the page: what changed, once for each frame of the display; a new base as a quiet cross-fade. */

import { Pixels } from "./pixels.js";

/** @typedef {import("./layers.js").Layers} Layers */

export class Screen {
    /**
     * @param {HTMLCanvasElement} canvas @param {HTMLCanvasElement} leaving lies above, and shows the picture that goes
     * @param {Layers} layers
     */
    constructor(canvas, leaving, layers) {
        const { width, height } = layers.shown;
        this.layers = layers;
        this.canvas = canvas;
        this.leaving = leaving;
        canvas.width = leaving.width = width;
        canvas.height = leaving.height = height;
        this.context = contextOf(canvas);
        this.leavingContext = contextOf(leaving);
        this.image = imageOf(layers.shown);
        /** Kept between two fades. @type {Pixels | null} */
        this.spare = null;
        /** @type {ImageData | null} */
        this.leavingImage = null;
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        this.ending = undefined;
        layers.tiles.dirtied = () => requestAnimationFrame(() => this.flush());
        requestAnimationFrame(() => this.flush());
    }

    flush() {
        const { context, image, leavingContext } = this;
        const leavingImage = this.layers.leaving && this.leavingImage;
        this.layers.tiles.flush((x, y, width, height) => {
            context.putImageData(image, 0, 0, x, y, width, height);
            if (leavingImage) leavingContext.putImageData(leavingImage, 0, 0, x, y, width, height);
        });
    }

    /** Changes the whole picture. @param {() => void} install @param {boolean} fade */
    change(install, fade) {
        if (!fade || document.hidden || matchMedia("(prefers-reduced-motion: reduce)").matches) {
            install();
            return;
        }
        this.flush();
        const { shown } = this.layers;
        this.spare ??= new Pixels(shown.width, shown.height);
        this.leavingImage ??= imageOf(this.spare);
        this.spare.copy(shown, shown.bounds);
        this.leavingContext.putImageData(this.leavingImage, 0, 0);
        this.layers.leaving = this.spare;
        this.leaving.classList.remove("fading");
        this.leaving.hidden = false;
        install();
        this.flush();
        // Two frames, so that the fade begins on a picture that is on the screen.
        requestAnimationFrame(() => requestAnimationFrame(() => this.leaving.classList.add("fading")));
        clearTimeout(this.ending);
        this.ending = setTimeout(() => {
            this.leaving.hidden = true;
            this.layers.leaving = null;
        }, 2000);
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
