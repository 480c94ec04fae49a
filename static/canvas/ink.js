// @ts-check
/**
 * Our own ink on its way into the journal: put by the hand, sent in order, moved into the picture when its number
 * arrives, taken back, refused, stored over a reload.
 */

import { ALL_OF_IT, RejectReason } from "./codes.js";
import { STALE_MS } from "./limits.js";
import { loadDump, Outbox } from "./outbox.js";
import { steady } from "./steady.js";
import { encodeInk, STROKE, UNDO } from "./wire.js";

/**
 * @typedef {import("./layers.js").Layers} Layers
 * @typedef {import("./layers.js").LocalPiece} LocalPiece
 * @typedef {import("./types.js").Person} Person
 * @typedef {import("./types.js").Ui} Ui
 * @typedef {import("./wire.js").Operation} Operation
 * @typedef {import("./wire.js").Stroke} Stroke
 *
 * What ink needs of the session.
 * @typedef {object} Line
 * @property {(bytes: Uint8Array) => boolean} send
 * @property {() => void} probe asks the server to answer
 * @property {() => boolean} loading whether another base is on its way
 * @property {() => number} dreamed the newest number that can no longer be taken back
 * @property {() => void} waiting tells how many strokes wait
 */

const TICK = 33; // ms between two INK messages
const OVERDUE = 6000; // ms without an acknowledgement after which the connection is probed
const HOLD = 1500; // ms before ink is offered again that the server could not take

export class Ink {
    /**
     * @param {object} setup
     * @param {Layers} setup.layers @param {Ui} setup.ui @param {Line} setup.line
     * @param {Person | null} setup.me who the page says we are, until the server says it
     * @param {Storage | null} setup.storage for ink over a reload
     * @param {string} setup.storageKey
     * @param {() => number} setup.random
     */
    constructor({ layers, ui, line, me, storage, storageKey, random }) {
        this.layers = layers;
        this.picture = layers.picture;
        this.ui = ui;
        this.line = line;
        this.me = me;
        this.storage = storage;
        this.storageKey = storageKey;
        this.random = random;
        this.outbox = new Outbox();
        this.clock = 0; // ms the server's clock is ahead of ours
        this.live = false; // ink can be sent
        this.lastStroke = 0;
        this.holdUntil = 0;
        this.oldestSent = 0; // since when we wait for an acknowledgement
        this.restored = false;
        this.stored = false; // something of ours lies in the storage
        /** @type {Set<number>} strokes refused while they are still being drawn */
        this.dead = new Set();
        /** @type {ReturnType<typeof setInterval> | undefined} */
        this.ticker = undefined;
        /** Called before each flush: whoever draws cuts its strokes, and says whether it goes on. @type {() => boolean} */
        this.beforeTick = () => false;
    }

    // --- from the hand -----------------------------------------------------------------------------------------

    author() {
        return this.me ? this.me.id : 0;
    }

    /** A fresh stroke id: the server's time × 4096 + 12 random bits, larger than the last one. */
    newStroke() {
        const id = (steady() + this.clock) * 4096 + Math.floor(this.random() * 4096);
        this.lastStroke = Math.max(id, this.lastStroke + 1);
        return this.lastStroke;
    }

    /** A finished piece. @param {LocalPiece} piece */
    put(piece) {
        if (this.dead.has(piece.op.strokeId)) {
            this.layers.lift(new Set([piece]));
            return;
        }
        this.outbox.add(piece, !this.live || !this.me);
        this.line.waiting();
        this.wake();
    }

    /** Takes a stroke of ours back. @param {number} stroke */
    undo(stroke) {
        const lifted = this.outbox.undo(stroke);
        if (this.outbox.undos.has(stroke)) this.layers.refreshAll(this.picture.expectUndo(this.author(), stroke));
        this.layers.lift(lifted);
        this.wake();
        this.line.waiting();
        this.ui.changed();
    }

    /** The last stroke of ours that can be taken back; null where there is none. @returns {number | null} */
    undoable() {
        for (const { strokeId } of this.#takeable()) return strokeId;
        return null;
    }

    /** Whether this stroke of ours can be taken back. @param {number} stroke */
    canUndo(stroke) {
        for (const { strokeId } of this.#takeable()) if (strokeId === stroke) return true;
        return false;
    }

    /** A stroke of ours that can be taken back, in order. @param {number} stroke @returns {Stroke[]} */
    piecesOf(stroke) {
        return [...this.#takeable()].filter(({ strokeId }) => strokeId === stroke).reverse();
    }

    /** The strokes of ours that can be taken back and come near a point. @param {number} x @param {number} y @param {number} reach px */
    near(x, y, reach) {
        const found = new Set();
        for (const op of this.#takeable()) if (!found.has(op.strokeId) && comesNear(op, x, y, reach)) found.add(op.strokeId);
        return [...found];
    }

    /** The same ink once more, as a stroke of a new name. @param {Stroke[]} pieces @returns {number} its id */
    drawAnew(pieces) {
        const strokeId = this.newStroke();
        pieces.forEach((op, piece) => {
            // Where a dream has taken in how it began, it begins later now.
            const carry = piece ? op.carry : 0;
            const points = Array.from(op.points), last = piece === pieces.length - 1;
            this.put(this.layers.add({ ...op, author: this.author(), strokeId, piece, carry, last, points }));
        });
        this.flush();
        this.ui.changed();
        return strokeId;
    }

    /** Pieces of ours that can be taken back, the newest first. @returns {Generator<Stroke>} */
    *#takeable() {
        if (!this.me) return;
        const { pending, undos } = this.outbox;
        for (let i = pending.length - 1; i >= 0; i--) if (!undos.has(pending[i].op.strokeId)) yield pending[i].op;
        const dreamed = this.line.dreamed();
        const { entries } = this.picture;
        for (let i = entries.length - 1; i >= 0 && entries[i].seq > dreamed; i--) {
            const { op } = entries[i];
            if (op.kind === STROKE && op.author === this.me.id && this.picture.visible(entries[i])) yield op;
        }
    }

    // --- to the server -----------------------------------------------------------------------------------------

    /** Sees to it that waiting ink is sent. */
    wake() {
        this.ticker ??= setInterval(() => this.tick(), TICK);
    }

    tick() {
        const drawing = this.beforeTick();
        this.flush();
        if (this.live && this.oldestSent && steady() - this.oldestSent > OVERDUE) {
            this.oldestSent = steady();
            this.line.probe();
        }
        if (!drawing && (this.outbox.empty || !this.live || !this.me)) {
            clearInterval(this.ticker);
            this.ticker = undefined;
        }
    }

    flush() {
        if (!this.live || !this.me || steady() < this.holdUntil) return; // a stranger's ink waits until they are somebody
        for (;;) {
            const operations = this.outbox.next(steady());
            if (!operations.length || !this.line.send(encodeInk(operations))) break;
            this.oldestSent ||= steady();
        }
    }

    /** The journal is caught up with: what waits can be sent. */
    resume() {
        this.#restore();
        this.live = true;
        this.outbox.refill(steady());
        this.again();
    }

    /** The connection is gone. */
    pause() {
        this.live = false;
        this.oldestSent = 0;
        this.store();
    }

    /** Sends everything again that has no number. */
    again() {
        this.outbox.again();
        this.oldestSent = 0;
        this.holdUntil = 0;
        this.flush();
        if (!this.outbox.empty) this.wake();
    }

    /** The server says who we are. @param {Person | null} you */
    identify(you) {
        if (this.me && this.me.id !== you?.id) {
            // The session behind this page has ended: the ink stays stored for whoever signs in again.
            this.store();
            this.stored = false;
            this.giveUp(RejectReason.SIGN_IN);
            this.restored = false;
        }
        if (you && !this.me && !this.outbox.empty) {
            // What a stranger drew on this page becomes theirs, once: it is not read from the storage as well.
            for (const { op } of this.outbox.pending) op.author = you.id;
            this.#forget(0);
        }
        this.me = you;
    }

    // --- from the server ---------------------------------------------------------------------------------------

    /** An operation of ours has its number. @param {Operation} op @returns {LocalPiece | null} the local piece it is */
    numbered(op) {
        if (!this.me || op.author !== this.me.id) return null;
        if (this.oldestSent) this.oldestSent = steady(); // the line is alive
        return this.outbox.settle(op);
    }

    /** The journal has pieces before `next` already. @param {number} stroke @param {number} next */
    acknowledged(stroke, next) {
        if (next === ALL_OF_IT) this.outbox.undos.delete(stroke);
        this.settled(this.outbox.acknowledge(stroke, next));
    }

    /** Pieces that the journal has, and the picture below shows or will. @param {Set<LocalPiece>} pieces */
    settled(pieces) {
        if (this.line.loading()) for (const piece of pieces) piece.settled = true; // the coming base shows them
        else this.layers.lift(pieces);
        if (this.outbox.empty) {
            this.oldestSent = 0;
            if (this.stored) this.store();
        }
        this.ui.changed();
    }

    /** @param {number} stroke @param {number} piece @param {number} code */
    rejected(stroke, piece, code) {
        const { outbox } = this;
        if (code === RejectReason.GAP && this.dead.has(stroke)) return; // it was cut before this piece
        // What was drawn without a connection comes all at once: it goes in bit by bit, as the ink allows.
        const patient = code === RejectReason.UNAVAILABLE || (code === RejectReason.BUDGET && outbox.isLate(stroke));
        if (patient || (code === RejectReason.GAP && outbox.holdsBefore(stroke, piece))) {
            outbox.again(stroke);
            this.holdUntil = Math.max(this.holdUntil, steady() + HOLD * (0.5 + this.random()));
            this.wake();
            return;
        }
        if (outbox.undos.delete(stroke)) {
            this.layers.refreshAll(this.picture.refuseUndo(this.author(), stroke));
            this.ui.loss({ code, strokes: 0, undo: true });
            this.ui.changed();
            if (!outbox.holds(stroke)) return;
        }
        if (code === RejectReason.DREAMED) return;
        const fresh = !this.dead.has(stroke);
        this.dead.add(stroke);
        this.ui.refused(stroke);
        this.layers.lift(outbox.withdraw(stroke, piece));
        if (fresh) this.ui.loss({ code, strokes: 1, undo: false });
        this.ui.changed();
    }

    /** Takes everything that has no number off the canvas, and says so. @param {number} code the REJECT code that fits */
    giveUp(code) {
        const { strokes } = this.outbox;
        this.layers.lift(this.outbox.clear());
        if (strokes) this.ui.loss({ code, strokes, undo: false });
    }

    // --- over a reload -----------------------------------------------------------------------------------------

    /** Keeps what has no number in the browser's storage. */
    store() {
        if (!this.storage || (!this.me && this.outbox.empty)) return;
        this.stored = !this.outbox.empty;
        try {
            if (this.stored) this.storage.setItem(this.#slot(), this.outbox.dump());
            else this.storage.removeItem(this.#slot());
        } catch {
            // Full or forbidden storage: the ink is still in memory.
        }
    }

    /** @param {number} [author] 0: a stranger, whose ink becomes the next member's on this page */
    #slot(author = this.author()) {
        return `${this.storageKey}:${author}`;
    }

    /** @param {number} author */
    #forget(author) {
        try {
            this.storage?.removeItem(this.#slot(author));
        } catch {
            // Forbidden storage: nothing was stored.
        }
    }

    #restore() {
        if (this.restored || !this.storage || !this.me) return;
        this.restored = true;
        this.#restoreTried();
        let text = null;
        try {
            text = this.storage.getItem(this.#slot());
            this.storage.removeItem(this.#slot());
        } catch {
            return;
        }
        if (!text) return;
        const known = new Set();
        for (const { op } of this.picture.entries) {
            if (op.kind === STROKE && op.author === this.me.id) known.add(`${op.strokeId} ${op.piece}`);
        }
        const stale = new Set();
        for (const op of loadDump(text)) {
            if (steady() + this.clock - op.strokeId / 4096 > STALE_MS) stale.add(op.strokeId);
            else if (op.kind === UNDO) this.undo(op.strokeId);
            else if (op.kind === STROKE && !known.has(`${op.strokeId} ${op.piece}`)) {
                this.put(this.layers.add({ ...op, author: this.me.id, points: Array.from(op.points) }));
            }
        }
        if (stale.size) this.ui.loss({ code: RejectReason.STALE, strokes: stale.size, undo: false });
    }

    /** What somebody tried to draw before they signed up: the server has never heard of it. */
    #restoreTried() {
        let text = null;
        try {
            text = this.storage?.getItem(this.#slot(0));
            this.storage?.removeItem(this.#slot(0));
        } catch {
            return;
        }
        /** @type {Map<number, Stroke[]>} */
        const strokes = new Map();
        for (const op of loadDump(text ?? "")) if (op.kind === STROKE) strokes.set(op.strokeId, [...(strokes.get(op.strokeId) ?? []), op]);
        for (const pieces of strokes.values()) this.drawAnew(pieces);
    }
}

/**
 * Whether a piece of a stroke comes this near to a point.
 * @param {Stroke} piece @param {number} x @param {number} y @param {number} reach px
 */
function comesNear({ points }, x, y, reach) {
    for (let i = 0; i < points.length; i += 3) {
        const j = Math.max(0, i - 3);
        const x0 = points[j] / 8, y0 = points[j + 1] / 8, dx = points[i] / 8 - x0, dy = points[i + 1] / 8 - y0;
        const long = dx * dx + dy * dy;
        const t = long ? Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / long)) : 0;
        if (Math.hypot(x - x0 - t * dx, y - y0 - t * dy) <= reach + Math.max(points[i + 2], points[j + 2]) / 16) return true;
    }
    return false;
}
