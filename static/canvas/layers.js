// @ts-check
/**
 * What the screen shows: the picture everybody has, and on top of it the local ink, our own pieces that the journal has
 * not numbered yet. When a piece's number arrives it moves from above into order, and just its rectangle is made again.
 */

import { StrokePainter, boundsOf, draw } from "./brush.js";
import { clip, merged, overlap, Pixels } from "./pixels.js";
import { Tiles } from "./tiles.js";
import { STROKE } from "./wire.js";

/**
 * @typedef {import("./picture.js").Picture} Picture
 * @typedef {import("./wire.js").Operation} Operation
 * @typedef {import("./wire.js").Stroke} Stroke
 * @typedef {import("./pixels.js").Rect} Rect
 *
 * A piece above the picture; `settled` when the journal has it, but the base that shows it is still being loaded.
 * @typedef {{op: Stroke & {points: number[]}, bounds: Rect, settled: boolean}} LocalPiece
 */

/** Scratch, so that a moving pointer allocates nothing. @type {Rect} */
const segment = { x0: 0, y0: 0, x1: 0, y1: 0 };

export class Layers {
    /** @param {Picture} picture */
    constructor(picture) {
        this.picture = picture;
        this.shown = new Pixels(picture.pixels.width, picture.pixels.height);
        this.shown.copy(picture.pixels, picture.bounds);
        this.tiles = new Tiles(this.shown.width, this.shown.height);
        this.tiles.add(picture.bounds);
        /** @type {LocalPiece[]} in the order they will be sent */
        this.local = [];
        /**
         * What was shown before the last dream, while it fades away. It gets new ink too: ink must not fade in.
         * @type {Pixels | null}
         */
        this.leaving = null;
        /** What the last operations changed and `freshen` will show. @type {Rect[]} */
        this.stale = [];
    }

    /**
     * The journal's next operation; `freshen` shows what a batch of them has changed.
     * @param {number} seq @param {Operation} op @param {LocalPiece | null} own the local piece that it is, if it is ours
     */
    append(seq, op, own) {
        if (own && this.local.includes(own)) this.local.splice(this.local.indexOf(own), 1);
        for (const rect of this.picture.append(seq, op)) {
            if (this.leaving && op.kind === STROKE && !own) draw(this.leaving, rect, op, this.picture.earlier);
            this.stale.push(rect);
        }
    }

    freshen() {
        this.refreshAll(merged(this.stale, this.shown.bounds));
        this.stale = [];
    }

    /** @param {Pixels} base @param {number} seq */
    rebase(base, seq) {
        this.picture.rebase(base, seq);
        this.local = this.local.filter((piece) => !piece.settled);
        this.refresh(this.picture.bounds);
    }

    /** Shows a rectangle of the canvas as it now is. @param {Rect} rect */
    refresh(rect) {
        this.shown.copy(this.picture.pixels, rect);
        for (let i = 0; i < this.local.length; i++) {
            const { op, bounds } = this.local[i];
            if (!overlap(bounds, rect) || this.picture.isUndone(op.author, op.strokeId)) continue;
            draw(this.shown, rect, op, this.picture.earlier);
        }
        this.tiles.add(rect);
    }

    /** @param {Rect[]} rects */
    refreshAll(rects) {
        for (const rect of rects) this.refresh(rect);
    }

    /** Puts a piece on top, whole. @param {Stroke & {points: number[]}} op @returns {LocalPiece} */
    add(op) {
        const piece = this.open(op);
        const bounds = clip(piece.bounds, this.shown.bounds);
        if (bounds) this.refresh(bounds);
        return piece;
    }

    /** Puts a piece on top that its maker paints (`painter`) as it grows. @param {Stroke & {points: number[]}} op */
    open(op) {
        const piece = { op, bounds: boundsOf(op), settled: false };
        this.local.push(piece);
        return piece;
    }

    /** @param {LocalPiece} piece */
    painter(piece) {
        const surfaces = this.leaving ? [this.shown, this.leaving] : [this.shown];
        return new StrokePainter(piece.op, surfaces, this.shown.bounds, this.picture.earlier);
    }

    /** Says that a piece was painted up to a new last point. @param {LocalPiece} piece */
    grown(piece) {
        const { points } = piece.op;
        const to = points.length - 3, from = Math.max(0, to - 3);
        const reach = (Math.max(points[from + 2], points[to + 2]) >> 4) + 3;
        segment.x0 = (Math.min(points[from], points[to]) >> 3) - reach;
        segment.x1 = (Math.max(points[from], points[to]) >> 3) + reach + 1;
        segment.y0 = (Math.min(points[from + 1], points[to + 1]) >> 3) - reach;
        segment.y1 = (Math.max(points[from + 1], points[to + 1]) >> 3) + reach + 1;
        const { bounds } = piece;
        bounds.x0 = Math.min(bounds.x0, segment.x0);
        bounds.x1 = Math.max(bounds.x1, segment.x1);
        bounds.y0 = Math.min(bounds.y0, segment.y0);
        bounds.y1 = Math.max(bounds.y1, segment.y1);
        this.tiles.add(segment);
    }

    /** A frame's picture has come: shows what brings it back. @param {number} frame */
    brought(frame) {
        const rects = this.picture.brought(frame);
        for (const { op, bounds } of this.local) {
            const inside = op.frame === frame ? clip(bounds, this.shown.bounds) : null;
            if (inside) rects.push(inside);
        }
        this.refreshAll(merged(rects, this.shown.bounds));
    }

    /** Takes pieces off the top. @param {Set<LocalPiece>} pieces */
    lift(pieces) {
        if (!pieces.size) return;
        this.local = this.local.filter((piece) => !pieces.has(piece));
        const rects = [];
        for (const piece of pieces) {
            const bounds = clip(piece.bounds, this.shown.bounds);
            if (bounds) rects.push(bounds);
        }
        this.refreshAll(merged(rects, this.shown.bounds));
    }
}
