// @ts-check
/**
 * The socket's life: connecting, noticing that it is dead, and coming back with full jitter. It knows messages as bytes;
 * what they mean is session.js' business.
 */

import { CloseCode } from "./codes.js";
import { steady } from "./steady.js";

/**
 * @typedef {{code: number, final: boolean}} Closed why there is no connection; `final` when there is no coming back
 * @typedef {object} Handlers
 * @property {() => void} open
 * @property {(data: ArrayBuffer) => void} message
 * @property {(closed: Closed, retryIn: number) => void} closed `retryIn` ms until the next attempt
 */

/** Close codes after which another attempt would be answered the same way. */
const FINAL = new Set(
    /** @type {number[]} */ ([CloseCode.FORBIDDEN, CloseCode.NO_CANVAS, CloseCode.VERSION, CloseCode.ENDED]),
);
/** Close codes that say: not so soon. Base of the wait in ms. */
const PATIENCE = new Map(
    /** @type {[number, number][]} */ ([[CloseCode.TOO_FAST, 5000], [CloseCode.UNAVAILABLE, 3000], [CloseCode.MALFORMED, 2000]]),
);

const FIRST = 1000; // ms; the first wait is drawn from 0 to this
const CAP = 30_000;
const SOON = 60_000; // a connection lost for less than this is most often back in a moment:
const CAP_SOON = 5000; // nobody should sit before a dead canvas because a wait was drawn long
const STABLE = 10_000; // a connection that held this long starts the count again
const SILENCE = 40_000; // without a message for this long we ask for one
const ANSWER = 8000; // and then an answer must come

export class Net {
    /**
     * @param {string} url @param {Handlers} handlers
     * @param {{Socket?: typeof WebSocket, random?: () => number}} [options]
     */
    constructor(url, handlers, { Socket = globalThis.WebSocket, random = Math.random } = {}) {
        this.url = url;
        this.handlers = handlers;
        this.Socket = Socket;
        this.random = random;
        /** @type {WebSocket | null} */
        this.socket = null;
        this.attempts = 0;
        this.openedAt = 0;
        this.lostAt = 0; // since when there is no connection that holds; 0 where there never was trouble
        this.heardAt = 0;
        this.probing = false; // we wait for an answer
        this.stopped = false;
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        this.retry = undefined;
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        this.silenceTimer = undefined;
        /** Sent when the line was silent for long; any answer will do. @type {() => void} */
        this.ask = () => {};
    }

    get connected() {
        return this.socket !== null && this.socket.readyState === 1;
    }

    connect() {
        clearTimeout(this.retry);
        if (this.socket || this.stopped) return;
        const socket = new this.Socket(this.url);
        socket.binaryType = "arraybuffer";
        this.socket = socket;
        socket.onopen = () => {
            this.openedAt = this.heardAt = steady();
            this.#listen(SILENCE);
            this.handlers.open();
        };
        socket.onmessage = (event) => {
            if (socket !== this.socket) return;
            this.heardAt = steady();
            this.probing = false;
            this.handlers.message(event.data);
        };
        socket.onclose = (event) => {
            if (socket === this.socket) this.#lost(event.code);
        };
        this.#listen(ANSWER * 2); // an attempt that hangs is no attempt
    }

    /** @param {Uint8Array} bytes @returns {boolean} whether there was a socket to send them on */
    send(bytes) {
        if (!this.socket || this.socket.readyState !== 1) return false;
        this.socket.send(/** @type {Uint8Array<ArrayBuffer>} */ (bytes));
        return true;
    }

    /** Gives the connection up without waiting for the network to notice, and tries again. @param {number} code */
    drop(code = 1006) {
        const { socket } = this;
        if (!socket) return;
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
        this.#lost(code);
    }

    /** Connects again, because who we are has changed. */
    renew() {
        if (!this.socket || this.stopped) return this.hurry();
        this.sleep();
        this.connect();
    }

    /** The network may be back, or the page: try now, a little spread. */
    hurry() {
        if (this.stopped) return;
        if (!this.socket) this.#later(this.random() * 300);
        else if (this.connected) this.probe();
    }

    /** Asks for an answer, and gives up where none comes. */
    probe() {
        if (!this.connected || this.probing) return;
        this.probing = true;
        this.ask();
        this.#listen(ANSWER);
    }

    /** Ends the connection, until `hurry`. */
    sleep() {
        const { socket } = this;
        clearTimeout(this.retry);
        clearTimeout(this.silenceTimer);
        if (!socket) return;
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
        this.socket = null;
        this.openedAt = 0;
        this.probing = false;
    }

    stop() {
        this.stopped = true;
        clearTimeout(this.retry);
        clearTimeout(this.silenceTimer);
        this.socket?.close();
        this.socket = null;
    }

    /** @param {number} code */
    #lost(code) {
        clearTimeout(this.silenceTimer);
        const held = this.openedAt ? steady() - this.openedAt : 0;
        this.socket = null;
        this.openedAt = 0;
        this.probing = false;
        if (held > STABLE) this.attempts = this.lostAt = 0;
        this.lostAt ||= steady();
        const final = FINAL.has(code);
        if (final) this.stopped = true;
        const cap = steady() - this.lostAt < SOON ? CAP_SOON : CAP;
        const ceiling = Math.min(cap, FIRST * 2 ** this.attempts);
        const wait = (PATIENCE.get(code) ?? 0) + this.random() * ceiling;
        this.attempts += 1;
        if (!final) this.#later(wait);
        this.handlers.closed({ code, final }, final ? Infinity : wait);
    }

    /** @param {number} ms */
    #later(ms) {
        clearTimeout(this.retry);
        this.retry = setTimeout(() => this.connect(), ms);
    }

    /** Looks in `ms` whether anything was heard. @param {number} ms */
    #listen(ms) {
        clearTimeout(this.silenceTimer);
        this.silenceTimer = setTimeout(() => {
            if (!this.connected || this.probing) return this.drop();
            const quiet = steady() - this.heardAt;
            if (quiet >= SILENCE) this.probe();
            else this.#listen(SILENCE - quiet);
        }, ms);
    }
}
