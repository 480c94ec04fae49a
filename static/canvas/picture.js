// @ts-check
/**
 * The canvas at N: a base picture and the operations after it, in order (docs/protocol.md, "The canvas at N"; the counterpart
 * of canvas/picture.py). An operation that arrives in order paints only itself; what comes late (an undo, a hide)
 * renders just the rectangles it touches again.
 */

import * as brush from "./brush.js";
import { clip, merged, overlap, Pixels } from "./pixels.js";
import { HIDE, STROKE, UNDO } from "./wire.js";

/**
 * @typedef {import("./wire.js").Operation} Operation
 * @typedef {import("./pixels.js").Rect} Rect
 *
 * One operation of the journal. `bounds` is what it may touch within the canvas, null where that is nothing.
 * @typedef {{seq: number, op: Operation, bounds: Rect | null}} Entry
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
        /** What an UNDREAM brings back; null while that is not to be seen. @type {(frame: number) => Pixels | null} */
        this.earlier = () => null;
        /** @type {Entry[]} */
        this.entries = [];
        /** @type {Set<string>} strokes taken back by the journal, or by ourselves and not confirmed by the journal yet */
        this.undone = new Set();
        /** @type {Set<string>} of those, the ones that are not confirmed yet */
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
        const entry = { seq, op, bounds: this.#touches(op) };
        this.entries.push(entry);
        if (op.kind === UNDO) {
            const key = keyOf(op.author, op.strokeId);
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
     * A new base that has taken in everything up to `seq`; everything is rendered again.
     * @param {Pixels} base @param {number} seq
     */
    rebase(base, seq) {
        this.base = base;
        this.entries = this.entries.filter((entry) => entry.seq > seq);
        this.undone = new Set(this.expected);
        this.hidden.clear();
        for (const { op } of this.entries) {
            if (op.kind === UNDO) this.undone.add(keyOf(op.author, op.strokeId));
            if (op.kind === HIDE) this.#mark(op.numbers, !op.show);
        }
        this.render(this.bounds);
    }

    /** A frame's picture has come: paints what brings it back. @param {number} frame */
    brought(frame) {
        return this.#renderAll(({ op }) => op.kind === STROKE && op.frame === frame);
    }

    /** Forgets the operations; what they painted stays until the base that is to come. */
    restart() {
        this.entries = [];
        this.undone = new Set(this.expected);
        this.hidden.clear();
    }

    /** Paints a rectangle again, from the base up. @param {Rect} rect */
    render(rect) {
        this.pixels.copy(this.base, rect);
        for (const entry of this.entries) {
            if (!entry.bounds || !overlap(entry.bounds, rect) || !this.visible(entry)) continue;
            this.#paint(entry, rect);
        }
    }

    /** @param {Entry} entry */
    visible(entry) {
        const { op } = entry;
        if (this.hidden.has(entry.seq)) return false;
        return !(op.kind === STROKE && this.undone.size && this.undone.has(keyOf(op.author, op.strokeId)));
    }

    /** @param {Operation} op @returns {Rect | null} */
    #touches(op) {
        return op.kind === STROKE ? clip(brush.boundsOf(op), this.bounds) : null;
    }

    /** @param {Entry} entry @param {Rect} rect */
    #paint(entry, rect) {
        if (entry.op.kind === STROKE) brush.draw(this.pixels, rect, entry.op, this.earlier);
    }

    /** Whether an operation that was kept from us is shown by now: a HIDE of nothing has its number. */
    get lacks() {
        return this.entries.some(({ seq, op }) => op.kind === HIDE && !op.numbers.length && !this.hidden.has(seq));
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

    /** Renders again what the chosen entries touch. @param {(entry: Entry) => boolean} chosen */
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
    return op.kind === STROKE && keyOf(op.author, op.strokeId) === key;
}
