// @ts-check
/**
 * Our own ink that the journal has not acknowledged: kept in order, sent, sent again after a lost connection, stored
 * over a reload, and given up only when the server refuses it.
 */

import { decodeOperations, encodeOperation, MAX_MESSAGE, MAX_OPS, sizeOf, STROKE, UNDO } from "./wire.js";
import { spacing } from "./brush.js";

/**
 * @typedef {import("./wire.js").Stroke} Stroke
 * @typedef {import("./wire.js").Undo} Undo
 * @typedef {import("./wire.js").Operation} Operation
 * @typedef {import("./layers.js").Wet} Wet
 *
 * @typedef {{op: Stroke & {points: number[]}, wet: Wet, sent: boolean, late: boolean}} Parcel a closed piece; `late`
 *   when it was drawn without a connection
 * @typedef {{op: Undo, sent: boolean}} Wish
 */

// A little under what canvas/limits.py lets one socket send: after hours offline the ink goes out at this pace.
const POINTS_RATE = 2500, POINTS_BURST = 30_000; // points a second
const AREA_RATE = 6_000_000, AREA_BURST = 90_000_000; // stamped pixels a second
const STAMP_AREA = 1000; // what a stamp costs besides its pixels
const MESSAGE = MAX_MESSAGE - 1024;

export class Outbox {
    constructor() {
        /** @type {Parcel[]} in the order they were drawn */
        this.parcels = [];
        /** @type {Map<number, Wish>} by stroke */
        this.undos = new Map();
        this.points = POINTS_BURST;
        this.area = AREA_BURST;
        this.refilled = 0;
    }

    get empty() {
        return this.parcels.length === 0 && this.undos.size === 0;
    }

    /** How many strokes wait here. */
    get strokes() {
        return new Set(this.parcels.map(({ op }) => op.stroke)).size;
    }

    /** @param {Wet} wet @param {boolean} late */
    add(wet, late) {
        this.parcels.push({ op: wet.op, wet, sent: false, late });
    }

    /**
     * Asks for a stroke of ours to be taken back. What was never sent of it is not sent any more.
     * @param {number} stroke @returns {Set<Wet>} what to lift off the canvas
     */
    undo(stroke) {
        const own = this.parcels.filter(({ op }) => op.stroke === stroke);
        const known = !own.some(({ op, sent }) => op.piece === 0 && !sent);
        if (known) this.undos.set(stroke, { op: { kind: UNDO, author: 0, stroke }, sent: false });
        this.parcels = this.parcels.filter(({ op, sent }) => op.stroke !== stroke || (sent && known));
        return new Set(own.map(({ wet }) => wet));
    }

    /** An operation of ours has its number. @param {Operation} op @returns {Wet | null} */
    settle(op) {
        if (op.kind === UNDO) this.undos.delete(op.stroke);
        if (op.kind !== STROKE) return null;
        const index = this.parcels.findIndex((parcel) => parcel.op.stroke === op.stroke && parcel.op.piece === op.piece);
        return index < 0 ? null : this.parcels.splice(index, 1)[0].wet;
    }

    /** The journal has a stroke's pieces before `next` already. @param {number} stroke @param {number} next */
    acknowledge(stroke, next) {
        return this.#take(({ op }) => op.stroke === stroke && op.piece < next);
    }

    /** Gives up a stroke from a piece on. @param {number} stroke @param {number} piece */
    withdraw(stroke, piece) {
        return this.#take(({ op }) => op.stroke === stroke && op.piece >= piece);
    }

    /** Gives up everything. */
    clear() {
        this.undos.clear();
        return this.#take(() => true);
    }

    /** Is a piece of this stroke before `piece` still on its way? @param {number} stroke @param {number} piece */
    holdsBefore(stroke, piece) {
        return this.parcels.some(({ op }) => op.stroke === stroke && op.piece < piece);
    }

    /** @param {number} stroke */
    holds(stroke) {
        return this.parcels.some(({ op }) => op.stroke === stroke);
    }

    /** Was this stroke's ink drawn without a connection? @param {number} stroke */
    isLate(stroke) {
        return this.parcels.some(({ op, late }) => late && op.stroke === stroke);
    }

    /** What was sent is to be sent again; of one stroke, or all. @param {number} [stroke] */
    again(stroke) {
        for (const parcel of this.parcels) {
            if (stroke === undefined || parcel.op.stroke === stroke) parcel.sent = false;
        }
        for (const [of, wish] of this.undos) {
            if (stroke === undefined || of === stroke) wish.sent = false;
        }
    }

    /** A new connection has full allowances. @param {number} now ms */
    refill(now) {
        this.points = POINTS_BURST;
        this.area = AREA_BURST;
        this.refilled = now;
    }

    /**
     * What goes into the next INK, in order and within the allowances; marked as sent.
     * @param {number} now ms @returns {Operation[]}
     */
    next(now) {
        const seconds = Math.max(0, now - this.refilled) / 1000;
        this.points = Math.min(POINTS_BURST, this.points + seconds * POINTS_RATE);
        this.area = Math.min(AREA_BURST, this.area + seconds * AREA_RATE);
        this.refilled = now;
        /** @type {Operation[]} */
        const operations = [];
        let size = 6;
        for (const parcel of this.parcels) {
            if (parcel.sent) continue;
            size += sizeOf(parcel.op);
            if (operations.length === MAX_OPS || size > MESSAGE || this.points < 0 || this.area < 0) return operations;
            this.points -= parcel.op.points.length / 3;
            this.area -= areaOf(parcel.op);
            parcel.sent = true;
            operations.push({ ...parcel.op, author: 0 });
        }
        for (const wish of this.undos.values()) {
            if (wish.sent) continue;
            size += sizeOf(wish.op);
            if (operations.length === MAX_OPS || size > MESSAGE) break;
            wish.sent = true;
            operations.push(wish.op);
        }
        return operations;
    }

    /** Everything here as text, for the browser's storage. */
    dump() {
        const operations = [...this.parcels.map(({ op }) => op), ...[...this.undos.values()].map(({ op }) => op)];
        let text = "";
        for (const op of operations) {
            for (const byte of encodeOperation(op)) text += String.fromCharCode(byte);
        }
        return btoa(text);
    }

    /** @param {(parcel: Parcel) => boolean} chosen @returns {Set<Wet>} */
    #take(chosen) {
        const taken = new Set();
        this.parcels = this.parcels.filter((parcel) => {
            if (!chosen(parcel)) return true;
            taken.add(parcel.wet);
            return false;
        });
        return taken;
    }
}

/**
 * What `dump` wrote; nothing where it cannot be read.
 * @param {string} text @returns {Operation[]}
 */
export function loadDump(text) {
    try {
        return decodeOperations(Uint8Array.from(atob(text), (char) => char.charCodeAt(0)));
    } catch {
        return [];
    }
}

/** What painting a piece costs everybody, in pixels (canvas/brush.py, `area`). @param {Stroke} piece */
function areaOf({ points, carry }) {
    let total = carry === 0 ? (points[2] * points[2]) / 64 + STAMP_AREA : 0;
    for (let i = 3; i < points.length; i += 3) {
        const length = Math.hypot(points[i] - points[i - 3], points[i + 1] - points[i - 2]);
        const w = Math.max(points[i - 1], points[i + 2]);
        total += (length / spacing(Math.min(points[i - 1], points[i + 2]))) * ((w * w) / 64 + STAMP_AREA);
    }
    return total;
}
