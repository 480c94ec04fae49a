// @ts-check
/**
 * The canvas at N: a base picture and the operations after it, in order (docs/protocol.md, "The canvas at N"; the twin
 * of canvas/picture.py). An operation that arrives in order paints only itself; what comes late (an undo, a hide, a
 * patch's picture) renders just the rectangles it touches again.
 */

import * as brush from "./brush.js";
import { clip, merged, overlap, Pixels } from "./pixels.js";
import { CLEAR, HIDE, PATCH, STROKE, UNDO } from "./wire.js";

/**
 * @typedef {import("./wire.js").Operation} Operation
 * @typedef {import("./wire.js").Patch} Patch
 * @typedef {import("./pixels.js").Rect} Rect
 *
 * One operation of the journal. `bounds` is what it may touch within the canvas, null where that is nothing;
 * `source` the rectangle a PATCH brings, once its frame's picture is here.
 * @typedef {{seq: number, op: Operation, bounds: Rect | null, source: Pixels | null}} Entry
 */

/** @param {number} author @param {number} stroke */
const keyOf = (author, stroke) => `${author} ${stroke}`;

export class Picture {
    /** @param {number} width @param {number} height @param {[number, number, number]} background */
    constructor(width, height, background) {
        this.pixels = new Pixels(width, height);
        this.base = new Pixels(width, height);
        this.base.fill(this.base.bounds, ...background);
        this.pixels.copy(this.base, this.base.bounds);
        /** @type {Entry[]} */
        this.entries = [];
        /** @type {Set<string>} strokes taken back by the journal, or by ourselves with the journal's word to come */
        this.undone = new Set();
        /** @type {Set<string>} of those, the ones whose word is to come */
        this.expected = new Set();
        /** @type {Set<number>} */
        this.hidden = new Set();
    }

    get bounds() {
        return this.pixels.bounds;
    }

    /**
     * Takes the next operation of the journal.
     * @param {number} seq @param {Operation} op
     * @returns {Rect[]} what changed
     */
    append(seq, op) {
        /** @type {Entry} */
        const entry = { seq, op, bounds: this.#touches(op), source: null };
        this.entries.push(entry);
        if (op.kind === UNDO) {
            const key = keyOf(op.author, op.stroke);
            this.expected.delete(key);
            return this.#undo(key);
        }
        if (op.kind === HIDE) return this.#hide(op.numbers, !op.show);
        if (!entry.bounds || !this.visible(entry)) return [];
        this.#paint(entry, entry.bounds);
        return [entry.bounds];
    }

    /** Our own undo, before the journal has it. @param {number} author @param {number} stroke */
    expectUndo(author, stroke) {
        const key = keyOf(author, stroke);
        this.expected.add(key);
        return this.#undo(key);
    }

    /** The journal refused it: the stroke shows again. @param {number} author @param {number} stroke */
    refuseUndo(author, stroke) {
        const key = keyOf(author, stroke);
        if (!this.expected.delete(key)) return [];
        this.undone.delete(key);
        return this.#renderAll((entry) => isPieceOf(entry, key));
    }

    /** @param {number} author @param {number} stroke */
    isUndone(author, stroke) {
        return this.undone.has(keyOf(author, stroke));
    }

    /**
     * A new base that has taken in everything up to `seq`; everything is rendered anew.
     * @param {Pixels} base @param {number} seq
     */
    rebase(base, seq) {
        this.base = base;
        this.entries = this.entries.filter((entry) => entry.seq > seq);
        this.undone = new Set(this.expected);
        this.hidden.clear();
        for (const { op } of this.entries) {
            if (op.kind === UNDO) this.undone.add(keyOf(op.author, op.stroke));
            if (op.kind === HIDE) this.#mark(op.numbers, !op.show);
        }
        this.render(this.bounds);
    }

    /** Forgets the operations; what they painted stays until the base that is to come. */
    restart() {
        this.entries = [];
        this.undone = new Set(this.expected);
        this.hidden.clear();
    }

    /** The frames whose pictures patches still wait for. */
    missing() {
        const frames = new Set();
        for (const { op, bounds, source } of this.entries) {
            if (op.kind === PATCH && bounds && !source) frames.add(op.frame);
        }
        return /** @type {Set<number>} */ (frames);
    }

    /** Such a picture. @param {number} frame @param {Pixels} picture @returns {Rect[]} what changed */
    provide(frame, picture) {
        return this.#renderAll((entry) => {
            if (entry.op.kind !== PATCH || entry.op.frame !== frame || entry.source) return false;
            entry.bounds = entry.bounds && clip(entry.bounds, picture.bounds);
            if (!entry.bounds) return false;
            entry.source = cut(picture, entry.bounds);
            return true;
        });
    }

    /** Paints a rectangle anew, from the base up. @param {Rect} rect */
    render(rect) {
        const { entries } = this;
        let first = 0;
        for (let i = entries.length - 1; i >= 0; i--) {
            if (entries[i].op.kind === CLEAR && this.visible(entries[i])) {
                first = i; // nothing below a clear shows
                break;
            }
        }
        this.pixels.copy(this.base, rect);
        for (let i = first; i < entries.length; i++) {
            const entry = entries[i];
            if (!entry.bounds || !overlap(entry.bounds, rect) || !this.visible(entry)) continue;
            this.#paint(entry, rect);
        }
    }

    /** @param {Entry} entry */
    visible(entry) {
        const { op } = entry;
        if (this.hidden.has(entry.seq)) return false;
        return !(op.kind === STROKE && this.undone.size && this.undone.has(keyOf(op.author, op.stroke)));
    }

    /** @param {Operation} op @returns {Rect | null} */
    #touches(op) {
        switch (op.kind) {
            case STROKE:
                return clip(brush.boundsOf(op), this.bounds);
            case PATCH:
                return clip({ x0: op.x, y0: op.y, x1: op.x + op.width, y1: op.y + op.height }, this.bounds);
            case CLEAR:
                return this.bounds;
            default:
                return null;
        }
    }

    /** @param {Entry} entry @param {Rect} rect */
    #paint(entry, rect) {
        const { op } = entry;
        if (op.kind === STROKE) brush.draw(this.pixels, rect, op);
        else if (op.kind === CLEAR) this.pixels.fill(rect, op.r, op.g, op.b);
        else if (op.kind === PATCH && entry.source && entry.bounds) {
            patch(this.pixels, rect, op, entry.source, entry.bounds);
        }
    }

    /** @param {string} key */
    #undo(key) {
        if (this.undone.has(key)) return [];
        this.undone.add(key);
        return this.#renderAll((entry) => isPieceOf(entry, key));
    }

    /** @param {number[]} numbers @param {boolean} hide */
    #mark(numbers, hide) {
        for (const number of numbers) {
            if (hide) this.hidden.add(number);
            else this.hidden.delete(number);
        }
    }

    /** @param {number[]} numbers @param {boolean} hide */
    #hide(numbers, hide) {
        const concerned = new Set(numbers);
        this.#mark(numbers, hide);
        return this.#renderAll((entry) => concerned.has(entry.seq));
    }

    /** Renders anew what the chosen entries touch. @param {(entry: Entry) => boolean} chosen */
    #renderAll(chosen) {
        const touched = [];
        for (const entry of this.entries) {
            if (chosen(entry) && entry.bounds) touched.push(entry.bounds);
        }
        const rects = merged(touched, this.bounds);
        for (const rect of rects) this.render(rect);
        return rects;
    }
}

/** @param {Entry} entry @param {string} key */
function isPieceOf({ op }, key) {
    return op.kind === STROKE && keyOf(op.author, op.stroke) === key;
}

/** A copy of one rectangle. @param {Pixels} picture @param {Rect} rect */
function cut(picture, rect) {
    const piece = new Pixels(rect.x1 - rect.x0, rect.y1 - rect.y0);
    for (let y = rect.y0; y < rect.y1; y++) {
        const from = y * picture.width;
        piece.words.set(picture.words.subarray(from + rect.x0, from + rect.x1), (y - rect.y0) * piece.width);
    }
    return piece;
}

/**
 * Blends a patch's picture in, softly towards its edges.
 * @param {Pixels} pixels @param {Rect} rect where to paint
 * @param {Patch} op @param {Pixels} source @param {Rect} at where `source` lies
 */
function patch(pixels, rect, op, source, at) {
    const part = clip(rect, at);
    if (!part) return;
    const { bytes, width } = pixels;
    const soft = op.feather + 1;
    for (let y = part.y0; y < part.y1; y++) {
        const edgeY = Math.min(y - op.y, op.y + op.height - 1 - y);
        for (let x = part.x0; x < part.x1; x++) {
            const edge = Math.min(edgeY, x - op.x, op.x + op.width - 1 - x);
            const a = Math.floor((255 * Math.min(soft, edge + 1)) / soft);
            const to = 4 * (y * width + x);
            const from = 4 * ((y - at.y0) * source.width + x - at.x0);
            for (let channel = 0; channel < 3; channel++) {
                const value = bytes[to + channel] * (255 - a) + source.bytes[from + channel] * a + 127;
                bytes[to + channel] = Math.floor(value / 255);
            }
        }
    }
}
