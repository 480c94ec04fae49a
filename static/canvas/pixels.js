// @ts-check
/** Pictures as bytes, and rectangles on them. */

/**
 * In pixels; x1 and y1 lie outside.
 * @typedef {{x0: number, y0: number, x1: number, y1: number}} Rect
 */

/** One RGBA picture, always opaque: alpha is 255 everywhere and stays so. */
export class Pixels {
    /**
     * @param {number} width @param {number} height
     * @param {ArrayBuffer} [buffer] RGBA with alpha 255; white where it is not given
     */
    constructor(width, height, buffer = new Uint8Array(4 * width * height).fill(255).buffer) {
        this.width = width;
        this.height = height;
        this.bytes = new Uint8Array(buffer); // for arithmetic
        this.words = new Uint32Array(buffer); // for copying, a pixel at a time
        this.clamped = new Uint8ClampedArray(buffer); // for ImageData
        /** @type {Rect} */
        this.bounds = { x0: 0, y0: 0, x1: width, y1: height };
    }

    /** @param {Rect} rect @param {number} r @param {number} g @param {number} b */
    fill(rect, r, g, b) {
        const { bytes, words, width } = this;
        const first = rect.y0 * width + rect.x0;
        if (!overlap(rect, this.bounds) || rect.x0 >= rect.x1) return;
        bytes[4 * first] = r;
        bytes[4 * first + 1] = g;
        bytes[4 * first + 2] = b;
        bytes[4 * first + 3] = 255;
        const word = words[first];
        for (let y = rect.y0; y < rect.y1; y++) words.fill(word, y * width + rect.x0, y * width + rect.x1);
    }

    /** Takes a rectangle over from a picture of the same size. @param {Pixels} from @param {Rect} rect */
    copy(from, rect) {
        const { words, width } = this;
        if (rect.x0 === 0 && rect.x1 === width && rect.y0 === 0 && rect.y1 === this.height) {
            words.set(from.words);
            return;
        }
        const source = from.words;
        for (let y = rect.y0; y < rect.y1; y++) {
            const end = y * width + rect.x1;
            for (let at = y * width + rect.x0; at < end; at++) words[at] = source[at];
        }
    }
}

/** @param {Rect} a @param {Rect} b */
export function overlap(a, b) {
    return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}

/**
 * The part of `rect` that lies inside `limits`; null where there is none.
 * @param {Rect} rect @param {Rect} limits @returns {Rect | null}
 */
export function clip(rect, limits) {
    if (!overlap(rect, limits)) return null;
    return {
        x0: Math.max(rect.x0, limits.x0),
        y0: Math.max(rect.y0, limits.y0),
        x1: Math.min(rect.x1, limits.x1),
        y1: Math.min(rect.y1, limits.y1),
    };
}

/** @param {Rect} a @param {Rect} b @returns {Rect} */
export function union(a, b) {
    return {
        x0: Math.min(a.x0, b.x0),
        y0: Math.min(a.y0, b.y0),
        x1: Math.max(a.x1, b.x1),
        y1: Math.max(a.y1, b.y1),
    };
}

/** @param {Rect} rect */
export function areaOf(rect) {
    return (rect.x1 - rect.x0) * (rect.y1 - rect.y0);
}

const MANY = 128;

/**
 * Fewer rectangles that cover the same: neighbours become one where that adds little.
 * @param {Rect[]} rects @param {Rect} whole what holds them all, taken where there are too many
 */
export function merged(rects, whole) {
    /** @type {Rect[]} */
    const found = [];
    for (let rect of rects) {
        for (let i = found.length - 1; i >= 0; i--) {
            const both = union(found[i], rect);
            if (areaOf(both) > 1.25 * (areaOf(found[i]) + areaOf(rect))) continue;
            rect = both;
            found.splice(i, 1);
            i = found.length; // the larger one may meet others
        }
        found.push(rect);
        if (found.length > MANY) return [whole];
    }
    return found;
}
