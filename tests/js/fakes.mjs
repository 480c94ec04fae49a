/** A server and a socket of no network, and a session between them: what a test of the client's half needs. */

import { Layers } from "../../static/canvas/layers.js";
import { Picture } from "../../static/canvas/picture.js";
import { Pixels } from "../../static/canvas/pixels.js";
import { Session } from "../../static/canvas/session.js";
import { OwnStroke } from "../../static/canvas/strokes.js";
import * as wire from "../../static/canvas/wire.js";
import * as say from "./server.mjs";

export const SIDE = 96;
/** @type {[number, number, number]} */
export const PAPER = [250, 245, 240];

/** What the browser's WebSocket is to a session; the test plays the other end. */
export class FakeSocket {
    /** @param {FakeServer} server */
    constructor(server) {
        this.server = server;
        this.readyState = 0;
        this.binaryType = "";
        /** @type {Uint8Array[]} what the browser sent, all of it */
        this.sent = [];
        /** @type {Uint8Array[]} what the server said and the network still has */
        this.under_way = [];
        this.held = false; // the network delivers nothing for now
        this.person = server.person;
        this.joined = false;
        this.told = 0; // the last number this socket was sent
        this.onopen = this.onmessage = this.onclose = /** @type {any} */ (null);
        server.sockets.push(this);
    }

    open() {
        this.readyState = 1;
        this.onopen?.();
    }

    /** @param {Uint8Array} bytes */
    send(bytes) {
        if (this.readyState !== 1) throw new Error("the socket is not open");
        this.sent.push(Uint8Array.from(bytes));
        this.server.receive(this, bytes);
    }

    /** The server sends. @param {Uint8Array} bytes */
    push(bytes) {
        this.under_way.push(bytes);
        if (!this.held) this.deliver();
    }

    deliver() {
        for (let bytes; this.readyState === 1 && (bytes = this.under_way.shift()); ) {
            this.onmessage?.({ data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) });
        }
    }

    /** The connection ends; what was under way is lost. @param {number} [code] */
    fail(code = 1006) {
        if (this.readyState === 3) return;
        this.readyState = 3;
        this.joined = false;
        this.onclose?.({ code });
    }

    close() {
        this.readyState = 3;
        this.joined = false;
    }

    /** What the browser sent, decoded. */
    get messages() {
        return this.sent.map(say.read);
    }

    get inks() {
        return this.messages.flatMap((message) => ("ink" in message ? message.ink : []));
    }

    get joins() {
        return this.messages.flatMap((message) => ("join" in message ? [message.join] : []));
    }
}

/** The journal and its rules (docs/protocol.md) for one canvas; `person` is who connects next. */
export class FakeServer {
    constructor() {
        /** @type {FakeSocket[]} */
        this.sockets = [];
        /** @type {{id: number, name: string} | null} */
        this.person = { id: 7, name: "ada" };
        /** @type {wire.Operation[]} number n at n - 1 */
        this.journal = [];
        /** @type {Map<number, Pixels>} */
        this.pictures = new Map();
        /** @type {import("../../static/canvas/types.js").Frame | null} */
        this.frame = null;
        this.position = 0;
        this.deaf = false; // takes ink and does nothing with it
        /** @type {((op: wire.Operation) => Uint8Array | null)} an answer instead of the journal */
        this.refuse = () => null;
        this.answers = true;
    }

    get head() {
        return this.journal.length;
    }

    get last() {
        return this.sockets[this.sockets.length - 1];
    }

    /** @param {FakeSocket} socket @param {Uint8Array} bytes */
    receive(socket, bytes) {
        if (!this.answers) return;
        const message = say.read(bytes);
        if ("join" in message) this.join(socket, message.join);
        if ("ink" in message && !this.deaf) this.ink(socket, message.ink);
    }

    /** @param {FakeSocket} socket @param {{frame: number, seq: number}} held */
    join(socket, held) {
        const base = this.frame?.seq ?? 0;
        const known = held.frame === (this.frame?.id ?? 0) && held.seq >= base && held.seq <= this.head;
        socket.joined = true;
        socket.told = known ? held.seq : base;
        socket.push(say.news(this.welcome(socket)));
        this.sendMissing(socket);
    }

    /** @param {FakeSocket} socket @returns {Record<string, any>} */
    welcome(socket) {
        return {
            type: "welcome", you: socket.person, canvas: { slug: "x", title: "X", width: SIDE, height: SIDE, background: PAPER },
            frame: this.frame, head: this.head, people: 1, names: {}, now: Date.now() + 5000, trouble: null,
            dream: { state: "waiting", position: this.position }, status: null,
            rules: { frozen: false, why: "", slow: 1, newcomers_after: null, members_only: false, regions: [], ended: false, closed: false },
        };
    }

    /** Sends what a socket lacks. @param {FakeSocket} socket */
    sendMissing(socket) {
        if (!socket.joined || socket.told >= this.head) return;
        socket.push(say.batch(socket.told + 1, this.journal.slice(socket.told)));
        socket.told = this.head;
    }

    /** @param {wire.Operation[]} operations */
    append(...operations) {
        this.journal.push(...operations);
        for (const socket of this.sockets) this.sendMissing(socket);
    }

    /** @param {FakeSocket} socket @param {wire.Operation[]} operations */
    ink(socket, operations) {
        /** @type {wire.Operation[]} */
        const admitted = [];
        for (const op of operations) {
            const refusal = this.refuse(op);
            if (refusal) {
                socket.push(refusal);
                continue;
            }
            const author = socket.person?.id ?? 0;
            const own = [...this.journal, ...admitted].filter((each) => each.author === author && each.strokeId === op.strokeId);
            const undone = own.some(({ kind }) => kind === wire.UNDO);
            const pieces = own.filter(({ kind }) => kind === wire.STROKE).length;
            if (op.kind === wire.STROKE) {
                if (op.piece < pieces) socket.push(say.ack(op.strokeId, pieces));
                else if (op.piece > pieces || undone) socket.push(say.reject(op.strokeId, op.piece, 2));
                else admitted.push({ ...op, author });
            } else if (undone) socket.push(say.ack(op.strokeId, 0xffff));
            else {
                const newest = Math.max(0, ...this.journal.map((each, i) => (own.includes(each) ? i + 1 : 0)));
                const fresh = admitted.some((each) => each.strokeId === op.strokeId);
                if (!fresh && newest <= Math.max(this.frame?.seq ?? 0, this.position)) socket.push(say.reject(op.strokeId, 0, 3));
                else admitted.push({ ...op, author });
            }
        }
        if (admitted.length) this.append(...admitted);
    }

    /** The canvas at the head, by the same rules. @returns {Picture} */
    compose() {
        const picture = new Picture(SIDE, SIDE, PAPER);
        const seq = this.frame?.seq ?? 0;
        const listed = (/** @type {number} */ id) => this.frame?.earlier?.some((one) => one.id === id);
        picture.earlier = (id) => (listed(id) ? this.pictures.get(id) ?? null : null);
        if (this.frame) picture.rebase(/** @type {Pixels} */ (this.pictures.get(this.frame.id)), seq);
        this.journal.slice(seq).forEach((op, i) => picture.append(seq + i + 1, op));
        return picture;
    }

    /** A new frame that has taken in everything up to `seq`. @param {number} [seq] */
    dream(seq = this.head) {
        const picture = this.compose();
        picture.entries = picture.entries.filter((entry) => entry.seq <= seq);
        picture.render(picture.bounds);
        const dreamed = new Pixels(SIDE, SIDE);
        picture.pixels.bytes.forEach((byte, i) => (dreamed.bytes[i] = i % 4 === 3 ? 255 : byte ^ 0x15));
        const id = 100 + this.pictures.size;
        this.pictures.set(id, dreamed);
        const before = this.frame?.id ?? 0, below = this.frame?.earlier ?? [];
        const self = { id, url: `/${id}`, preview: { url: `/${id}-small`, width: SIDE / 2 } };
        this.frame = { ...self, number: id - 99, seq, page: `/frames/${id}/`, title: "t", kind: "dream", before, earlier: [self, ...below].slice(0, 4) };
        this.position = seq;
        for (const socket of this.sockets) if (socket.joined) socket.push(say.news({ type: "frame", frame: this.frame }));
    }
}

/** Storage in memory. */
export class FakeStorage {
    constructor() {
        /** @type {Map<string, string>} */
        this.kept = new Map();
    }

    /** @param {string} key */
    getItem(key) {
        return this.kept.get(key) ?? null;
    }

    /** @param {string} key @param {string} value */
    setItem(key, value) {
        this.kept.set(key, value);
    }

    /** @param {string} key */
    removeItem(key) {
        this.kept.delete(key);
    }
}

/**
 * A browser that visits the server's canvas, connected unless told otherwise.
 * @param {FakeServer} server
 * @param {{storage?: FakeStorage, random?: () => number, loadMs?: number, open?: boolean, exact?: () => boolean,
 *   awake?: () => Promise<void>}} [options]
 */
export function visit(server, { storage, random = () => 0.5, loadMs = 0, open = true, exact, awake } = {}) {
    const layers = new Layers(new Picture(SIDE, SIDE, PAPER));
    /** @type {Record<string, any[]>} */
    const told = { loaded: [], connection: [], loss: [], reload: [], refused: [], trouble: [], frame: [] };
    const note = (/** @type {string} */ what) => (/** @type {any} */ value) => void (told[what] ??= []).push(value);
    class Socket extends FakeSocket {
        constructor() {
            super(server);
            if (open) queueMicrotask(() => this.open());
        }
    }
    const session = new Session({
        url: "ws://canvas", layers, random,
        Socket: /** @type {any} */ (Socket),
        storage: /** @type {any} */ (storage ?? null),
        exact, awake,
        load: async ({ id }, whole) => {
            note("loaded")(whole ? id : -id);
            if (loadMs) await new Promise((done) => setTimeout(done, loadMs));
            const found = new Pixels(SIDE, SIDE);
            const picture = server.pictures.get(id);
            if (id && !picture) throw new Error(`no frame ${id}`);
            if (picture && !whole) picture.bytes.forEach((byte, i) => (found.bytes[i] = i % 4 === 3 ? 255 : byte & 0xf0));
            else if (picture) found.copy(picture, found.bounds);
            else found.fill(found.bounds, ...PAPER);
            return found;
        },
        ui: {
            connection: note("connection"), you: note("you"), people: note("people"), dream: note("dream"),
            frame: (frame, install) => {
                install();
                note("frame")(frame);
            },
            trouble: note("trouble"), loss: note("loss"), refused: note("refused"), applied: note("applied"),
            rules: note("rules"), status: note("status"), ink: note("ink"), cover: note("cover"), together: note("together"),
            changed: () => {}, reload: note("reload"),
        },
    });
    session.start();
    const journal = {
        author: () => session.ink.author(), newStroke: () => session.ink.newStroke(),
        put: (/** @type {any} */ wet) => session.ink.put(wet), undo: (/** @type {number} */ id) => session.ink.undo(id),
    };
    return {
        session, layers, told,
        /** A stroke along points, all at once; cut into pieces after each `cut` points. @param {number[][]} points @param {number} [cut] */
        draw(points, cut = 1000) {
            const [[x, y, w], ...rest] = points;
            const pen = new OwnStroke(layers, journal, { r: 200, g: 20, b: 90 }, 180, x, y, w);
            rest.forEach(([px, py, pw], i) => {
                pen.to(px, py, pw);
                if ((i + 1) % cut === 0) pen.cut();
            });
            pen.end();
            session.ink.flush();
            return pen.id;
        },
    };
}

/** Lets promises and microtasks come to rest. */
export async function settled() {
    await new Promise((done) => setImmediate(done));
    await new Promise((done) => setImmediate(done));
}
