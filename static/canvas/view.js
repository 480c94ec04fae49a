// @ts-check
/** Which part of the canvas the window shows: arithmetic only, in CSS pixels of the window. */

const MOST = 24; // times the canvas' own size
const LEAST = 0.5; // of the size at which it fits

/**
 * A point of the canvas in the window's middle; `zoom` counts from the size at which the whole canvas is seen, so that a
 * phone shows about what a large screen does.
 * @typedef {{x: number, y: number, zoom: number}} Place
 */

export class View {
    /** @param {number} width @param {number} height of the canvas, px */
    constructor(width, height) {
        this.width = width;
        this.height = height;
        this.windowWidth = width;
        this.windowHeight = height;
        this.scale = 1;
        this.x = 0; // where the canvas' corner lies in the window
        this.y = 0;
        /** Called after every change. @type {() => void} */
        this.changed = () => {};
    }

    /** The scale at which the whole canvas is seen. */
    get whole() {
        return Math.min(this.windowWidth / this.width, this.windowHeight / this.height);
    }

    /** The scale at which the canvas fills the window. */
    get full() {
        return Math.max(this.windowWidth / this.width, this.windowHeight / this.height);
    }

    /** The window has another size: what was in its middle stays there. @param {number} width @param {number} height */
    resize(width, height) {
        const dx = (width - this.windowWidth) / 2, dy = (height - this.windowHeight) / 2;
        this.windowWidth = width;
        this.windowHeight = height;
        this.pan(dx, dy);
    }

    /** @param {number} scale */
    centre(scale) {
        this.scale = scale;
        this.x = (this.windowWidth - scale * this.width) / 2;
        this.y = (this.windowHeight - scale * this.height) / 2;
        this.changed();
    }

    /** Shows everything; if that is so already, fills the window. */
    fit() {
        const fits = Math.abs(this.scale / this.whole - 1) < 0.01;
        this.centre(fits ? this.full : this.whole);
    }

    /** Brings a place of the canvas into the window's middle. @param {Place} place */
    show({ x, y, zoom }) {
        this.scale = Math.min(MOST, Math.max(LEAST * this.whole, zoom * this.whole));
        this.x = this.windowWidth / 2 - x * this.scale;
        this.y = this.windowHeight / 2 - y * this.scale;
        this.#keep();
        this.changed();
    }

    /** @param {number} dx @param {number} dy */
    pan(dx, dy) {
        this.x += dx;
        this.y += dy;
        this.#keep();
        this.changed();
    }

    /** Zooms about a point of the window, its middle by default. @param {number} factor @param {number} [px] @param {number} [py] */
    zoom(factor, px = this.windowWidth / 2, py = this.windowHeight / 2) {
        const scale = Math.min(MOST, Math.max(LEAST * this.whole, this.scale * factor));
        this.x = px - ((px - this.x) * scale) / this.scale;
        this.y = py - ((py - this.y) * scale) / this.scale;
        this.scale = scale;
        this.#keep();
        this.changed();
    }

    /** A point of the window on the canvas. @param {number} px */
    canvasX(px) {
        return (px - this.x) / this.scale;
    }

    /** @param {number} py */
    canvasY(py) {
        return (py - this.y) / this.scale;
    }

    /** The window's middle always lies on the canvas: nobody gets lost. */
    #keep() {
        const cx = this.windowWidth / 2, cy = this.windowHeight / 2;
        this.x = Math.min(cx, Math.max(cx - this.scale * this.width, this.x));
        this.y = Math.min(cy, Math.max(cy - this.scale * this.height, this.y));
    }
}
