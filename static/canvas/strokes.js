// @ts-check
/** Our own strokes while they are drawn: painted at once, cut into pieces on the way to the journal. */

import { MARGIN, MAX_POINTS, MAX_WIDTH, MIN_WIDTH } from "./limits.js";
import { steady } from "./steady.js";
import { STROKE } from "./wire.js";

/**
 * @typedef {import("./layers.js").Layers} Layers
 * @typedef {import("./layers.js").LocalPiece} LocalPiece
 * @typedef {{r: number, g: number, b: number, frame?: number}} Colour `frame`: ink that brings this frame's picture back
 *
 * Where finished pieces go.
 * @typedef {object} Journal
 * @property {() => number} author our id
 * @property {() => number} newStroke a fresh stroke id
 * @property {(piece: LocalPiece) => void} put takes a finished piece
 * @property {(stroke: number) => void} undo takes back a stroke of which pieces were put
 */

const LONGEST = 4 * 60 * 1000; // ms; a pen that never lifts begins another stroke, or the server would forget this one

export class OwnStroke {
    /**
     * Begins at a point in canvas pixels.
     * @param {Layers} layers @param {Journal} journal @param {Colour} colour @param {number} opacity 1..255
     * @param {number} x @param {number} y @param {number} w
     */
    constructor(layers, journal, colour, opacity, x, y, w) {
        this.layers = layers;
        this.journal = journal;
        this.colour = colour; // of the next piece
        this.opacity = opacity;
        this.id = journal.newStroke();
        /** Every id it has had: one that lasts too long goes on under another. */
        this.ids = [this.id];
        this.begun = steady();
        /** While it may turn out to be a gesture nothing is put. */
        this.undecided = false;
        this.done = false;
        /** @type {LocalPiece[]} pieces held back */
        this.waiting = [];
        this.lastX = x;
        this.lastY = y;
        this.current = this.#open(0, 0, this.#eighths(x, layers.shown.width), this.#eighths(y, layers.shown.height), widthOf(w));
        this.painter = this.#startPainter();
    }

    /** Goes on to a point in canvas pixels; `w` is the diameter there. @param {number} x @param {number} y @param {number} w */
    to(x, y, w) {
        // Closer together than the stamps need, points only cost.
        const step = Math.max(0.75, w / 16);
        const dx = x - this.lastX, dy = y - this.lastY;
        if (this.done || dx * dx + dy * dy < step * step) return;
        this.lastX = x;
        this.lastY = y;
        const { points } = this.current.op;
        const ex = this.#eighths(x, this.layers.shown.width), ey = this.#eighths(y, this.layers.shown.height);
        const ew = widthOf(w);
        points.push(ex, ey, ew);
        this.painter.to(ex, ey, ew);
        this.layers.grown(this.current);
        if (points.length >= 3 * MAX_POINTS) this.cut();
    }

    /** Hands over what was drawn since the last cut, and goes on in a new piece. */
    cut() {
        const { points, piece } = this.current.op;
        if (this.done || (points.length === 3 && piece > 0) || (this.undecided && points.length < 3 * MAX_POINTS)) return;
        if (steady() - this.begun > LONGEST) return this.#restart();
        const n = points.length;
        this.#put(this.current);
        this.current = this.#open(piece + 1, this.painter.carry, points[n - 3], points[n - 2], points[n - 1]);
        this.painter = this.#startPainter();
    }

    /** It was no gesture: what was held back goes out. */
    confirm() {
        if (!this.undecided) return;
        this.undecided = false;
        for (const piece of this.waiting) this.journal.put(piece);
        this.waiting = [];
    }

    /** The pen is lifted. */
    end() {
        if (this.done) return;
        this.confirm();
        this.current.op.last = true;
        this.#put(this.current);
        this.done = true;
    }

    /** It was a gesture, or a palm: no ink. */
    cancel() {
        if (this.done) return;
        this.done = true;
        const put = this.current.op.piece > 0 && !this.undecided;
        this.layers.lift(new Set([this.current, ...this.waiting]));
        if (put) this.journal.undo(this.id);
    }

    /** The server refuses this stroke: its ink goes, and what follows is not painted. */
    refuse() {
        this.done = true;
        this.layers.lift(new Set([this.current]));
    }

    #restart() {
        const { points } = this.current.op;
        const n = points.length;
        this.current.op.last = true;
        this.#put(this.current);
        this.id = this.journal.newStroke();
        this.ids.push(this.id);
        this.begun = steady();
        this.current = this.#open(0, 0, points[n - 3], points[n - 2], points[n - 1]);
        this.painter = this.#startPainter();
    }

    /** @param {LocalPiece} piece */
    #put(piece) {
        if (this.undecided) this.waiting.push(piece);
        else this.journal.put(piece);
    }

    /** @param {number} piece @param {number} carry @param {number} x @param {number} y @param {number} w in 1/8 px */
    #open(piece, carry, x, y, w) {
        const { r, g, b, frame } = this.colour;
        return this.layers.open({
            kind: STROKE, author: this.journal.author(), strokeId: this.id, piece, last: false,
            r, g, b, ...(frame === undefined ? {} : { frame }), opacity: this.opacity, carry, points: [x, y, w],
        });
    }

    #startPainter() {
        const [x, y, w] = this.current.op.points;
        const painter = this.layers.painter(this.current);
        painter.begin(x, y, w);
        this.layers.grown(this.current);
        return painter;
    }

    /** A coordinate in 1/8 px, within the margin. @param {number} value @param {number} side of the canvas, px */
    #eighths(value, side) {
        return Math.round(8 * Math.min(Math.max(value, -MARGIN), side + MARGIN));
    }
}

/** @param {number} px */
function widthOf(px) {
    return Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, Math.round(8 * px)));
}
