// @ts-check
/**
 * What we did on this page, to be undone and done again: strokes that were drawn, and strokes that were erased. To take
 * a stroke off is an UNDO in the journal; to put it back is the same ink in a stroke of a new name.
 */

/**
 * @typedef {import("./wire.js").Stroke} Stroke
 * @typedef {import("./ink.js").Ink} Ink
 *
 * Strokes that came together, as mirrors do. `pieces` is null while they are on the canvas, else what they were.
 * @typedef {{strokes: number[], pieces: Stroke[][] | null}} Step
 */

const DEPTH = 100; // steps

export class UndoStack {
    /** @param {Ink} ink */
    constructor(ink) {
        this.ink = ink;
        /** @type {Step[]} */
        this.done = [];
        /** @type {Step[]} */
        this.undone = [];
    }

    /** Strokes of ours are finished. @param {number[]} strokes */
    drawn(strokes) {
        this.#add({ strokes, pieces: null });
    }

    /** Takes a stroke of ours off the canvas. @param {number[]} strokes */
    erase(strokes) {
        const step = { strokes, pieces: null };
        if (this.#flip(step)) this.#add(step);
    }

    get canUndo() {
        return this.ink.undoable() !== null || this.done.some((step) => this.#canFlip(step));
    }

    get canRedo() {
        return this.undone.length > 0;
    }

    /** @returns {boolean} whether there was something to undo */
    undo() {
        for (let step = this.done.pop(); step; step = this.done.pop()) {
            if (!this.#flip(step)) continue; // it is part of a dream by now
            this.undone.push(step);
            return true;
        }
        // What was drawn before this page was loaded.
        const stroke = this.ink.undoable();
        if (stroke === null) return false;
        const step = { strokes: [stroke], pieces: null };
        this.#flip(step);
        this.undone.push(step);
        return true;
    }

    /** @returns {boolean} whether there was something to do again */
    redo() {
        for (let step = this.undone.pop(); step; step = this.undone.pop()) {
            if (!this.#flip(step)) continue;
            this.done.push(step);
            return true;
        }
        return false;
    }

    /** @param {Step} step */
    #add(step) {
        this.done.push(step);
        if (this.done.length > DEPTH) this.done.shift();
        this.undone = [];
    }

    /** @param {Step} step */
    #canFlip({ strokes, pieces }) {
        return pieces !== null || strokes.some((stroke) => this.ink.canUndo(stroke));
    }

    /** Takes its strokes off, or puts them back. @param {Step} step @returns {boolean} whether that could be done */
    #flip(step) {
        const { ink } = this;
        if (!this.#canFlip(step)) return false;
        if (step.pieces) {
            step.strokes = step.pieces.map((pieces) => ink.drawAnew(pieces));
            step.pieces = null;
        } else {
            const there = step.strokes.filter((stroke) => ink.canUndo(stroke));
            step.pieces = there.map((stroke) => ink.piecesOf(stroke));
            for (const stroke of there) ink.undo(stroke);
        }
        return true;
    }
}
