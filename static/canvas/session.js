// @ts-check
/**
 * One visit to a canvas: joins, applies the journal in order, recovers from gaps, takes new frames as the base, and
 * brings our own ink into the journal (docs/protocol.md). It knows no page: `Ui` is what it tells.
 */

import { Net } from "./net.js";
import { loadDump, Outbox } from "./outbox.js";
import * as wire from "./wire.js";

/**
 * @typedef {import("./layers.js").Layers} Layers
 * @typedef {import("./layers.js").Wet} Wet
 * @typedef {import("./pixels.js").Pixels} Pixels
 * @typedef {import("./wire.js").Operation} Operation
 * @typedef {import("./wire.js").Stroke} Stroke
 *
 * @typedef {{id: number, name: string}} Person
 * @typedef {{id: number, number: number, seq: number, url: string, page: string, title: string, kind: string}} Frame
 * @typedef {{state: string, title: string, layer: string, channel: number | null, model: string, device: string,
 *   position: number, next_at: number | null, fraction: number, octave: number, octaves: number, message: string}} Dream
 * @typedef {{state: "connecting" | "catching-up" | "live" | "offline" | "over", code: number, retryAt: number,
 *   waiting: number}} Connection `waiting` is how many strokes of ours are not in the journal
 *
 * @typedef {object} Ui
 * @property {(connection: Connection) => void} connection
 * @property {(you: Person | null) => void} you
 * @property {(count: number, drawing: number[]) => void} people
 * @property {(dream: Dream) => void} dream
 * @property {(frame: Frame, install: () => void, first: boolean) => void} frame must call `install` once, at once
 * @property {(message: string | null) => void} trouble
 * @property {(loss: {code: number, strokes: number, undo: boolean}) => void} loss ink of ours that will not be in the picture
 * @property {(stroke: number) => void} refused stop drawing this stroke
 * @property {(operation: Operation) => void} applied
 * @property {() => void} changed whether there is something to undo, or how much waits, may have changed
 * @property {(reason: string) => void} reload nothing but a fresh page helps
 */

export const REJECTED = { signIn: 1, gap: 2, dreamed: 3, stale: 4, budget: 5, locked: 6, suspended: 7, unavailable: 8, ended: 9 };

const ALL_OF_IT = 0xffff; // ACK's `next` for an UNDO that the journal has already
const TICK = 33; // ms between two INK messages
const SPREAD = 1500; // ms over which everybody's fetches of a new frame are spread
const STALE = 10 * 60 * 1000; // ms after which the server refuses a stroke it does not know
const OVERDUE = 6000; // ms without an acknowledgement after which the connection is probed
const HOLD = 1500; // ms before ink is offered again that the server could not take

export class Session {
    /**
     * @param {object} setup
     * @param {string} setup.url of the socket
     * @param {Layers} setup.layers
     * @param {(frame: {id: number, url: string}) => Promise<Pixels>} setup.load a frame's picture; the blank canvas for id 0
     * @param {(id: number) => string} setup.pictureUrl where the picture of any frame is
     * @param {Ui} setup.ui
     * @param {Person | null} [setup.me] who the page says we are, until the server says it
     * @param {Storage | null} [setup.storage] for ink over a reload
     * @param {string} [setup.storageKey]
     * @param {typeof WebSocket} [setup.Socket] @param {() => number} [setup.random]
     */
    constructor({ url, layers, load, pictureUrl, ui, me = null, storage = null, storageKey = "ink", Socket, random = Math.random }) {
        this.layers = layers;
        this.picture = layers.picture;
        this.load = load;
        this.pictureUrl = pictureUrl;
        this.ui = ui;
        this.storage = storage;
        this.storageKey = storageKey;
        this.random = random;
        this.outbox = new Outbox();
        this.net = new Net(
            url,
            {
                open: () => this.#join(),
                message: (data) => this.#receive(data),
                closed: ({ code, final }, retryIn) => this.#closed(code, final, retryIn),
            },
            { Socket, random },
        );
        this.net.ask = () => this.#join();

        /** @type {Person | null} */
        this.me = me;
        this.seq = 0; // the last number we hold
        this.head = 0; // the last number there was when we joined
        /** The base where there is no frame yet. @type {Frame} */
        this.blank = { id: 0, number: 0, seq: 0, url: "", page: "", title: "", kind: "blank" };
        /** @type {Frame | null} the base's frame; null until the first is here */
        this.base = null;
        /** @type {Frame | null} announced and being loaded */
        this.coming = null;
        /** @type {Frame | null} announced while another was being loaded */
        this.next = null;
        /** @type {Dream | null} */
        this.dream = null;
        /** @type {Map<number, string>} */
        this.names = new Map();
        this.clock = 0; // ms the server's clock is ahead of ours
        this.lastStroke = 0;
        this.joined = false;
        this.live = false;
        this.holdUntil = 0;
        this.oldestSent = 0;
        this.restored = false;
        this.stored = false; // something of ours lies in the storage
        /** @type {Set<number>} */
        this.patches = new Set();
        /** @type {Set<number>} strokes refused while they are still being drawn */
        this.dead = new Set();
        /** @type {Connection} */
        this.connection = { state: "connecting", code: 0, retryAt: 0, waiting: 0 };
        /** @type {ReturnType<typeof setInterval> | undefined} */
        this.ticker = undefined;
        /** Called before each flush: whoever draws cuts its strokes. @type {() => boolean} */
        this.beforeTick = () => false;
    }

    start() {
        this.net.connect();
    }

    // --- our own ink -------------------------------------------------------------------------------------------

    author() {
        return this.me ? this.me.id : 0;
    }

    /** A fresh stroke id: the server's time × 4096 + 12 random bits, larger than the last one. */
    newStroke() {
        const id = (Date.now() + this.clock) * 4096 + Math.floor(this.random() * 4096);
        this.lastStroke = Math.max(id, this.lastStroke + 1);
        return this.lastStroke;
    }

    /** A finished piece. @param {Wet} wet */
    put(wet) {
        if (this.dead.has(wet.op.stroke)) {
            this.layers.lift(new Set([wet]));
            return;
        }
        this.outbox.add(wet);
        if (!this.live) this.#waiting();
        this.wake();
    }

    /** Takes a stroke of ours back. @param {number} stroke */
    undo(stroke) {
        const lifted = this.outbox.undo(stroke);
        if (this.outbox.undos.has(stroke)) this.layers.refreshAll(this.picture.expectUndo(this.author(), stroke));
        this.layers.lift(lifted);
        this.wake();
        this.#waiting();
        this.ui.changed();
    }

    /** The last stroke of ours that can be taken back; null where there is none. @returns {number | null} */
    undoable() {
        if (!this.me) return null;
        const { parcels } = this.outbox;
        for (let i = parcels.length - 1; i >= 0; i--) {
            if (!this.outbox.undos.has(parcels[i].op.stroke)) return parcels[i].op.stroke;
        }
        const dreamed = Math.max((this.next ?? this.coming ?? this.base)?.seq ?? 0, this.dream?.position ?? 0);
        const { entries } = this.picture;
        for (let i = entries.length - 1; i >= 0 && entries[i].seq > dreamed; i--) {
            const { op } = entries[i];
            if (op.kind === wire.STROKE && op.author === this.me.id && this.picture.visible(entries[i])) return op.stroke;
        }
        return null;
    }

    /** Sees to it that waiting ink is sent. */
    wake() {
        this.ticker ??= setInterval(() => this.tick(), TICK);
    }

    tick() {
        const drawing = this.beforeTick();
        this.flush();
        const now = Date.now();
        if (this.live && this.oldestSent && now - this.oldestSent > OVERDUE) {
            this.oldestSent = now;
            this.net.probe();
        }
        if (!drawing && (this.outbox.empty || !this.live)) {
            clearInterval(this.ticker);
            this.ticker = undefined;
        }
    }

    flush() {
        if (!this.live || Date.now() < this.holdUntil) return;
        for (;;) {
            const operations = this.outbox.next(Date.now());
            if (!operations.length || !this.net.send(wire.encodeInk(operations))) break;
            this.oldestSent ||= Date.now();
        }
    }

    /** Keeps what is not acknowledged over a reload. */
    store() {
        if (!this.storage || !this.me) return;
        this.stored = !this.outbox.empty;
        try {
            if (this.outbox.empty) this.storage.removeItem(this.#slot());
            else this.storage.setItem(this.#slot(), this.outbox.dump());
        } catch {
            // Full or forbidden storage: the ink is still in memory.
        }
    }

    #slot() {
        return `${this.storageKey}:${this.author()}`;
    }

    #restore() {
        if (this.restored || !this.storage || !this.me) return;
        this.restored = true;
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
            if (op.kind === wire.STROKE && op.author === this.me.id) known.add(`${op.stroke} ${op.piece}`);
        }
        const stale = new Set();
        for (const op of loadDump(text)) {
            if (Date.now() + this.clock - op.stroke / 4096 > STALE) stale.add(op.stroke);
            else if (op.kind === wire.UNDO) this.undo(op.stroke);
            else if (op.kind === wire.STROKE && !known.has(`${op.stroke} ${op.piece}`)) {
                this.put(this.layers.lay({ ...op, author: this.me.id, points: Array.from(op.points) }));
            }
        }
        if (stale.size) this.ui.loss({ code: REJECTED.stale, strokes: stale.size, undo: false });
    }

    // --- the socket --------------------------------------------------------------------------------------------

    #join() {
        this.joined = false;
        this.net.send(wire.encodeJoin(this.next?.id ?? this.coming?.id ?? this.base?.id ?? 0, this.seq));
        if (!this.live) this.#connection("catching-up");
    }

    /** @param {ArrayBuffer} data */
    #receive(data) {
        let frame;
        try {
            frame = wire.decode(data);
        } catch (error) {
            if (!(error instanceof wire.ProtocolError)) throw error;
            console.error("A frame of the server cannot be read:", error.message);
            if (error.version) this.ui.reload("The site has a new version.");
            else this.net.drop();
            return;
        }
        switch (frame.kind) {
            case wire.BATCH:
                return this.#batch(frame.first, frame.operations);
            case wire.NEWS:
                return this.#news(frame.news);
            case wire.MARK:
                this.net.send(wire.encodeSeen(frame.token));
                return;
            case wire.REJECT:
                return this.#rejected(frame.stroke, frame.piece, frame.code);
            case wire.ACK:
                if (frame.next === ALL_OF_IT) this.outbox.undos.delete(frame.stroke);
                this.#settled(this.outbox.acknowledge(frame.stroke, frame.next));
        }
    }

    /** @param {number} first @param {Operation[]} operations */
    #batch(first, operations) {
        if (first > this.seq + 1) {
            if (this.joined) this.#join(); // a gap; until the answer comes, more of the same is no news
            return;
        }
        for (let i = 0; i < operations.length; i++) {
            const op = operations[i];
            const seq = first + i;
            const own = this.me && op.author === this.me.id ? this.outbox.settle(op) : null;
            if (seq <= this.seq) {
                if (own) this.#settled(new Set([own]));
                continue;
            }
            this.seq = seq;
            this.layers.append(seq, op, own);
            this.ui.applied(op);
        }
        this.layers.freshen();
        if (this.oldestSent) this.oldestSent = Date.now(); // the line is alive
        this.#settledAll();
        if (!this.live && this.joined && this.seq >= this.head) this.#caughtUp();
        this.#patches();
        this.ui.changed();
    }

    /** @param {{type: string} & Record<string, any>} news */
    #news(news) {
        switch (news.type) {
            case "welcome":
                return this.#welcome(news);
            case "frame":
                return this.#announce(news.frame, SPREAD);
            case "dream":
                this.dream = news.dream;
                this.ui.dream(news.dream);
                return this.ui.changed();
            case "people":
                return this.ui.people(news.count, news.drawing ?? []);
            case "names":
                return this.#name(news.names);
            case "trouble":
                if (news.message === null) this.#again();
                return this.ui.trouble(news.message);
            case "bye":
                this.net.notBefore = news.reconnect_ms;
        }
    }

    /** @param {Record<string, any>} news */
    #welcome(news) {
        const { canvas } = news;
        if (canvas.width !== this.picture.bounds.x1 || canvas.height !== this.picture.bounds.y1) {
            return this.ui.reload("The canvas has another size now.");
        }
        if (this.base && news.head < this.seq) return this.ui.reload("The canvas was set back.");
        this.clock = news.now - Date.now();
        this.joined = true;
        this.head = news.head;
        this.#identify(news.you);
        this.#name(news.names ?? {});
        this.ui.people(news.people, news.drawing ?? []);
        this.dream = news.dream ?? null;
        if (news.dream) this.ui.dream(news.dream);
        this.#take(news.frame ?? this.blank);
        this.ui.trouble(news.trouble ?? null);
        if (this.live) return; // a gap is being filled, the connection is the same
        if (this.seq >= this.head) this.#caughtUp();
    }

    /** @param {Person | null} you */
    #identify(you) {
        const before = this.me;
        if (before && before.id !== you?.id) {
            // The session behind this page has ended: the ink stays stored for whoever signs in again.
            const strokes = this.outbox.strokes;
            this.store();
            this.layers.lift(this.outbox.clear());
            if (strokes) this.ui.loss({ code: REJECTED.signIn, strokes, undo: false });
            this.restored = false;
        }
        this.me = you;
        this.ui.you(you);
    }

    /** @param {Record<string, string>} names */
    #name(names) {
        for (const [id, name] of Object.entries(names)) this.names.set(Number(id), name);
    }

    #caughtUp() {
        this.live = true;
        this.holdUntil = 0;
        this.outbox.refill(Date.now());
        this.#connection("live");
        this.#restore();
        this.#again();
    }

    #again() {
        this.outbox.again();
        this.oldestSent = 0;
        this.holdUntil = 0;
        this.flush();
        if (!this.outbox.empty) this.wake();
    }

    /** @param {number} code @param {boolean} final @param {number} retryIn */
    #closed(code, final, retryIn) {
        this.live = false;
        this.joined = false;
        this.oldestSent = 0;
        if (code === 4400 && !this.outbox.empty) {
            // The server cannot read what we send; sending it again would only close the next connection too.
            const strokes = this.outbox.strokes;
            this.layers.lift(this.outbox.clear());
            this.ui.loss({ code: REJECTED.unavailable, strokes, undo: false });
        }
        if (code === 4406) this.ui.reload("The site has a new version.");
        if (code === 4410) this.ui.reload("The project has ended.");
        this.#connection(final ? "over" : "offline", code, Date.now() + retryIn);
        this.store();
    }

    /** @param {Connection["state"]} state @param {number} [code] @param {number} [retryAt] */
    #connection(state, code = 0, retryAt = 0) {
        this.connection = { state, code, retryAt, waiting: this.outbox.strokes };
        this.ui.connection(this.connection);
    }

    #waiting() {
        const waiting = this.outbox.strokes;
        if (this.live || waiting === this.connection.waiting) return;
        this.connection = { ...this.connection, waiting };
        this.ui.connection(this.connection);
        this.store();
    }

    // --- refusals ----------------------------------------------------------------------------------------------

    /** @param {Set<Wet>} pieces that the journal has */
    #settled(pieces) {
        if (this.coming) for (const piece of pieces) piece.settled = true; // the coming base shows them
        else this.layers.lift(pieces);
        this.#settledAll();
        this.ui.changed();
    }

    #settledAll() {
        if (!this.outbox.empty) return;
        this.oldestSent = 0;
        if (this.stored) this.store();
    }

    /** @param {number} stroke @param {number} piece @param {number} code */
    #rejected(stroke, piece, code) {
        const { outbox } = this;
        if (code === REJECTED.unavailable || (code === REJECTED.gap && outbox.holdsBefore(stroke, piece))) {
            outbox.again(stroke);
            this.holdUntil = Math.max(this.holdUntil, Date.now() + HOLD * (0.5 + this.random()));
            this.wake();
            return;
        }
        if (outbox.undos.delete(stroke)) {
            this.layers.refreshAll(this.picture.refuseUndo(this.author(), stroke));
            if (code === REJECTED.dreamed) this.ui.loss({ code, strokes: 0, undo: true });
            this.ui.changed();
        }
        const withdrawn = outbox.withdraw(stroke, piece);
        if (code === REJECTED.dreamed) return;
        const fresh = !this.dead.has(stroke);
        this.dead.add(stroke);
        this.ui.refused(stroke);
        this.layers.lift(withdrawn);
        if (fresh) this.ui.loss({ code, strokes: 1, undo: false });
        this.ui.changed();
    }

    // --- frames ------------------------------------------------------------------------------------------------

    /** The base that a welcome names. @param {Frame} frame */
    #take(frame) {
        const newest = this.next ?? this.coming ?? this.base;
        if (newest && frame.seq < newest.seq) {
            // A frame was taken away: the journal is told to us again from the one before it.
            this.seq = frame.seq;
            this.picture.restart();
            this.next = null;
            if (this.coming) this.next = frame;
            else void this.#fetch(frame, 0);
            return;
        }
        // Where we are behind the frame, the rest begins behind it too.
        this.seq = Math.max(this.seq, frame.seq);
        this.#announce(frame, this.base ? SPREAD / 3 : 0);
    }

    /** @param {Frame} frame @param {number} spread ms over which to spread the fetch */
    #announce(frame, spread) {
        const newest = this.next ?? this.coming ?? this.base;
        if (newest && frame.id === newest.id) return;
        if (newest && frame.seq < newest.seq) return;
        // A slow connection finishes what it began, and then takes the newest.
        if (this.coming) this.next = frame;
        else void this.#fetch(frame, spread);
    }

    /** @param {Frame} frame @param {number} spread */
    async #fetch(frame, spread) {
        this.coming = frame;
        let pixels;
        for (let attempt = 0; !pixels; attempt++) {
            const wait = attempt ? Math.min(30_000, 500 * 2 ** attempt) * (0.5 + this.random() / 2) : this.random() * spread;
            if (wait) await new Promise((done) => setTimeout(done, wait));
            if (attempt && this.next) {
                this.coming = frame = this.next;
                this.next = null;
            }
            try {
                pixels = await this.load(frame);
            } catch (error) {
                console.warn(`The picture of frame ${frame.number} cannot be loaded:`, error);
                if (attempt === 1) this.ui.trouble("The newest picture cannot be loaded; trying again.");
            }
        }
        const picture = pixels;
        const first = !this.base;
        this.base = frame;
        this.coming = null;
        this.ui.frame(frame, () => this.layers.rebase(picture, frame.seq), first);
        this.seq = Math.max(this.seq, frame.seq);
        if (!this.live && this.joined && this.seq >= this.head) this.#caughtUp();
        this.#patches();
        this.ui.changed();
        const { next } = this;
        this.next = null;
        if (next) void this.#fetch(next, 0);
    }

    /** Loads the pictures that patches ask for. */
    #patches() {
        for (const id of this.picture.missing()) {
            if (this.patches.has(id)) continue;
            this.patches.add(id);
            this.load({ id, url: this.pictureUrl(id) })
                .then((pixels) => {
                    this.patches.delete(id);
                    this.layers.refreshAll(this.picture.provide(id, pixels));
                })
                .catch((error) => {
                    console.warn(`The picture of frame ${id} cannot be loaded:`, error);
                    setTimeout(() => {
                        this.patches.delete(id);
                        this.#patches();
                    }, 5000);
                });
        }
    }
}
