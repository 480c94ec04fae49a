// @ts-check
/**
 * Our own ink that the journal has not acknowledged: kept in order, sent, sent again after a lost connection, stored
 * over a reload, and given up only when the server refuses it.
 */

import * as limits from "./limits.js";
import { decodeOperations, encodeOperation, sizeOf, STROKE, UNDO } from "./wire.js";
import { spacing } from "./brush.js";

/**
 * @typedef {import("./wire.js").Stroke} Stroke
 * @typedef {import("./wire.js").Undo} Undo
 * @typedef {import("./wire.js").Operation} Operation
 * @typedef {import("./layers.js").LocalPiece} LocalPiece
 *
 * @typedef {{op: Stroke & {points: number[]}, local: LocalPiece, sent: boolean, late: boolean}} PendingPiece a closed piece; `late`
 *   when it was drawn without a connection
 * @typedef {{op: Undo, sent: boolean}} PendingUndo
 */

// A little under what the server lets one person send: after hours offline the ink goes out at this pace.
const SHARE = 0.75;
const POINTS_RATE = SHARE * limits.POINTS_RATE, POINTS_BURST = SHARE * limits.POINTS_BURST;
const AREA_RATE = SHARE * limits.AREA_RATE, AREA_BURST = SHARE * limits.AREA_BURST;
const MESSAGE = limits.MAX_MESSAGE - 1024;

export class Outbox {
    constructor() {
        /** @type {PendingPiece[]} in the order they were drawn */
        this.pending = [];
        /** @type {Map<number, PendingUndo>} by stroke */
        this.undos = new Map();
        this.points = POINTS_BURST;
        this.area = AREA_BURST;
        this.refilled = 0;
    }

    get empty() {
        return this.pending.length === 0 && this.undos.size === 0;
    }

    /** How many strokes wait here. */
    get strokes() {
        return new Set(this.pending.map(({ op }) => op.strokeId)).size;
    }

    /** @param {LocalPiece} local @param {boolean} late */
    add(local, late) {
        this.pending.push({ op: local.op, local, sent: false, late });
    }

    /**
     * Asks for a stroke of ours to be taken back. What was never sent of it is not sent any more.
     * @param {number} stroke @returns {Set<LocalPiece>} what to lift off the canvas
     */
    undo(stroke) {
        const own = this.pending.filter(({ op }) => op.strokeId === stroke);
        const known = !own.some(({ op, sent }) => op.piece === 0 && !sent);
        if (known) this.undos.set(stroke, { op: { kind: UNDO, author: 0, strokeId: stroke }, sent: false });
        this.pending = this.pending.filter(({ op, sent }) => op.strokeId !== stroke || (sent && known));
        return new Set(own.map(({ local }) => local));
    }

    /** An operation of ours has its number. @param {Operation} op @returns {LocalPiece | null} */
    settle(op) {
        if (op.kind === UNDO) this.undos.delete(op.strokeId);
        if (op.kind !== STROKE) return null;
        const index = this.pending.findIndex((piece) => piece.op.strokeId === op.strokeId && piece.op.piece === op.piece);
        return index < 0 ? null : this.pending.splice(index, 1)[0].local;
    }

    /** The journal has a stroke's pieces before `next` already. @param {number} stroke @param {number} next */
    acknowledge(stroke, next) {
        return this.#take(({ op }) => op.strokeId === stroke && op.piece < next);
    }

    /** Gives up a stroke from a piece on. @param {number} stroke @param {number} piece */
    withdraw(stroke, piece) {
        return this.#take(({ op }) => op.strokeId === stroke && op.piece >= piece);
    }

    /** Gives up everything. */
    clear() {
        this.undos.clear();
        return this.#take(() => true);
    }

    /** Is a piece of this stroke before `piece` still on its way? @param {number} stroke @param {number} piece */
    holdsBefore(stroke, piece) {
        return this.pending.some(({ op }) => op.strokeId === stroke && op.piece < piece);
    }

    /** @param {number} stroke */
    holds(stroke) {
        return this.pending.some(({ op }) => op.strokeId === stroke);
    }

    /** Was this stroke's ink drawn without a connection? @param {number} stroke */
    isLate(stroke) {
        return this.pending.some(({ op, late }) => late && op.strokeId === stroke);
    }

    /** What was sent is to be sent again; of one stroke, or all. @param {number} [stroke] */
    again(stroke) {
        for (const piece of this.pending) {
            if (stroke === undefined || piece.op.strokeId === stroke) piece.sent = false;
        }
        for (const [of, undo] of this.undos) {
            if (stroke === undefined || of === stroke) undo.sent = false;
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
        for (const piece of this.pending) {
            if (piece.sent) continue;
            size += sizeOf(piece.op);
            if (operations.length === limits.MAX_OPS || size > MESSAGE || this.points < 0 || this.area < 0) return operations;
            this.points -= piece.op.points.length / 3;
            this.area -= areaOf(piece.op);
            piece.sent = true;
            operations.push({ ...piece.op, author: 0 });
        }
        for (const undo of this.undos.values()) {
            if (undo.sent) continue;
            size += sizeOf(undo.op);
            if (operations.length === limits.MAX_OPS || size > MESSAGE) break;
            undo.sent = true;
            operations.push(undo.op);
        }
        return operations;
    }

    /** Everything here as text, for the browser's storage. */
    dump() {
        const operations = [...this.pending.map(({ op }) => op), ...[...this.undos.values()].map(({ op }) => op)];
        let text = "";
        for (const op of operations) {
            for (const byte of encodeOperation(op)) text += String.fromCharCode(byte);
        }
        return btoa(text);
    }

    /** @param {(piece: PendingPiece) => boolean} chosen @returns {Set<LocalPiece>} */
    #take(chosen) {
        const taken = new Set();
        this.pending = this.pending.filter((piece) => {
            if (!chosen(piece)) return true;
            taken.add(piece.local);
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
    let total = carry === 0 ? (points[2] * points[2]) / 64 + limits.STAMP_AREA : 0;
    for (let i = 3; i < points.length; i += 3) {
        const length = Math.hypot(points[i] - points[i - 3], points[i + 1] - points[i - 2]);
        const w = Math.max(points[i - 1], points[i + 2]);
        total += (length / spacing(Math.min(points[i - 1], points[i + 2]))) * ((w * w) / 64 + limits.STAMP_AREA);
    }
    return total;
}
