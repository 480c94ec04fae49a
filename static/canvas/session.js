// @ts-check
/**
 * One visit to a canvas: joins, applies the journal in order, recovers from gaps, and keeps its parts together: the
 * socket (net.js), the frames (bases.js) and our own ink (ink.js). docs/protocol.md is its law; it knows no page.
 */

import { gettext } from "../i18n.js";
import { Bases, BLANK, SPREAD } from "./bases.js";
import { CloseCode, RejectReason } from "./codes.js";
import { Ink } from "./ink.js";
import { Net } from "./net.js";
import { steady } from "./steady.js";
import * as wire from "./wire.js";

/**
 * @typedef {import("./layers.js").Layers} Layers
 * @typedef {import("./pixels.js").Pixels} Pixels
 * @typedef {import("./wire.js").Operation} Operation
 * @typedef {import("./types.js").Connection} Connection
 * @typedef {import("./types.js").Dream} Dream
 * @typedef {import("./types.js").Frame} Frame
 * @typedef {import("./types.js").Person} Person
 * @typedef {import("./types.js").Ui} Ui
 */

const CLOCK_SET = 60_000; // ms; what a slow network makes of a clock is less
const LEAVING = 4000; // ms over which everybody leaves, once the project has ended

export class Session {
    /**
     * @param {object} setup
     * @param {string} setup.url of the socket
     * @param {Layers} setup.layers
     * @param {import("./bases.js").Load} setup.load a frame's picture; the blank canvas for id 0
     * @param {(frame: Frame) => boolean} [setup.exact] whether a frame's small copy is not enough now
     * @param {() => Promise<void>} [setup.awake] when somebody can see the page
     * @param {Ui} setup.ui
     * @param {Person | null} [setup.me] who the page says we are, until the server says it
     * @param {Storage | null} [setup.storage] for ink over a reload
     * @param {string} [setup.storageKey]
     * @param {typeof WebSocket} [setup.Socket] @param {() => number} [setup.random]
     */
    constructor({ url, layers, load, exact, awake, ui, me = null, storage = null, storageKey = "ink", Socket, random = Math.random }) {
        this.layers = layers;
        this.ui = ui;
        this.random = random;
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        this.leaving = undefined;
        this.seq = 0; // the last number we hold
        this.head = 0; // the last number there was when we joined
        this.joined = false; // a welcome has answered our JOIN
        this.live = false; // and we have everything it promised
        /** @type {Dream | null} */
        this.dream = null;
        /** @type {Map<number, string>} */
        this.names = new Map();
        /** @type {Connection} */
        this.connection = { state: "connecting", code: 0, retryAt: 0, waiting: 0 };

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
        this.bases = new Bases({ layers, load, exact, awake, ui, random, installed: (frame) => this.#installed(frame) });
        this.ink = new Ink({
            layers, ui, me, storage, storageKey, random,
            line: {
                send: (bytes) => this.net.send(bytes),
                probe: () => this.net.probe(),
                loading: () => this.bases.coming !== null,
                dreamed: () => Math.max(this.bases.newest?.seq ?? 0, this.dream?.position ?? 0),
                waiting: () => this.#waiting(),
            },
        });
    }

    get me() {
        return this.ink.me;
    }

    /** Now, by the server's clock, ms since 1970. */
    now() {
        return steady() + this.ink.clock;
    }

    start() {
        this.net.connect();
    }

    /** We are somebody else now, by the browser's session: the server is to know. */
    renew() {
        this.live = this.joined = false;
        this.ink.pause();
        this.net.renew();
        this.#connection("catching-up");
    }

    /** Nobody looks, and nothing of ours waits to be sent: no connection until `net.hurry`. */
    sleep() {
        if (this.net.stopped || !this.ink.outbox.empty) return;
        this.live = this.joined = false;
        this.ink.pause();
        this.net.sleep();
        this.#connection("catching-up");
    }

    #join() {
        this.joined = false;
        this.net.send(wire.encodeJoin(this.bases.newest?.id ?? 0, this.seq));
        if (!this.live) this.#connection("catching-up");
    }

    /** @param {ArrayBuffer} data */
    #receive(data) {
        let message;
        try {
            message = wire.decode(data);
        } catch (error) {
            if (!(error instanceof wire.ProtocolError)) throw error;
            console.error("A message of the server cannot be read:", error.message);
            if (error.version) this.ui.reload(gettext("The site has a new version."));
            else this.net.drop();
            return;
        }
        switch (message.kind) {
            case wire.BATCH:
                return this.#batch(message.first, message.operations);
            case wire.NEWS:
                return this.#news(message.news);
            case wire.MARK:
                this.net.send(wire.encodeSeen(message.token));
                return;
            case wire.REJECT:
                return this.ink.rejected(message.strokeId, message.piece, message.code);
            case wire.ACK:
                return this.ink.acknowledged(message.strokeId, message.next);
        }
    }

    /** @param {number} first @param {Operation[]} operations */
    #batch(first, operations) {
        if (first > this.seq + 1) {
            if (this.joined) this.#join(); // a gap; until the answer comes, more of the same is no news
            return;
        }
        const known = new Set();
        for (let i = 0; i < operations.length; i++) {
            const op = operations[i];
            const seq = first + i;
            const own = this.ink.numbered(op);
            if (seq > this.seq) {
                this.seq = seq;
                this.layers.append(seq, op, own);
                this.ui.applied(op);
            } else if (own) known.add(own);
        }
        this.layers.freshen();
        this.ink.settled(known);
        if (this.live && operations.some((op) => op.kind === wire.HIDE && op.show) && this.layers.picture.lacks) this.#askAgain();
        this.#caughtUp();
    }

    /** Ink that was hidden when we came is shown again, and we were never sent it: everything since the frame, anew. */
    #askAgain() {
        const frame = this.bases.newest ?? BLANK;
        this.seq = frame.seq;
        this.bases.goBack(frame);
        this.#join();
    }

    /** @param {{type: string} & Record<string, any>} news */
    #news(news) {
        switch (news.type) {
            case "welcome":
                return this.#welcome(news);
            case "frame":
                this.bases.announce(news.frame, SPREAD);
                return this.ui.changed();
            case "dream":
                this.#dream(news.dream);
                return this.ui.changed();
            case "people":
                return this.ui.people(news.count, news.drawing ?? []);
            case "names":
                return this.#name(news.names);
            case "rules":
                return this.ui.rules(news.rules);
            case "you":
                return this.ui.status(/** @type {import("./types.js").UserStatus} */ (/** @type {unknown} */ (news)));
            case "ink":
                return this.ui.ink({ left: news.left, seconds: news.seconds });
            case "reaction":
            case "here":
            case "following":
            case "followers":
            case "view":
                return this.ui.together(news);
            case "cover":
                return this.ui.cover(news.request);
            case "ended":
                return this.#ended();
            case "trouble":
                if (news.message === null) this.ink.again();
                return this.ui.trouble(news.message);
        }
    }

    /** @param {Record<string, any>} news */
    #welcome(news) {
        const { canvas } = news;
        const { bounds } = this.layers.picture;
        if (canvas.width !== bounds.x1 || canvas.height !== bounds.y1) return this.ui.reload(gettext("The canvas has another size now."));
        if (this.bases.base && news.head < this.seq) return this.ui.reload(gettext("The canvas was set back."));
        const clock = news.now - steady();
        if (clock < this.ink.clock - CLOCK_SET) this.ink.lastStroke = 0; // its clock was set back: later names are earlier
        this.ink.clock = clock;
        this.joined = true;
        this.head = news.head;
        this.ink.identify(news.you);
        this.ui.you(news.you);
        this.#name(news.names ?? {});
        this.ui.people(news.people, news.drawing ?? []);
        if (news.dream) this.#dream(news.dream);
        this.#setBase(news.frame ?? BLANK);
        this.ui.rules(news.rules);
        this.ui.status(news.status);
        this.ui.trouble(news.trouble ?? null);
        this.#caughtUp();
    }

    /** For good. Everybody leaves this page, but not at the same moment. */
    #ended() {
        this.leaving ??= setTimeout(() => this.ui.reload(gettext("The project has ended.")), this.random() * LEAVING);
    }

    /** The base that a welcome names. @param {Frame} frame */
    #setBase(frame) {
        const { newest, base } = this.bases;
        if (newest && frame.seq < newest.seq) {
            // A frame was taken away: the journal is sent to us again from the one before it.
            this.seq = frame.seq;
            this.bases.goBack(frame);
            return;
        }
        // Where we are behind the frame, the rest begins behind it too.
        this.seq = Math.max(this.seq, frame.seq);
        this.bases.announce(frame, base ? SPREAD / 3 : 0);
    }

    /** @param {Frame} frame */
    #installed(frame) {
        this.seq = Math.max(this.seq, frame.seq);
        this.#caughtUp();
        this.ui.changed();
    }

    #caughtUp() {
        if (this.live || !this.joined || this.seq < this.head) return;
        // Only now: on the way here ink may have been shown for a while that was hidden again.
        if (this.layers.picture.lacks) return this.#askAgain();
        this.live = true;
        this.#connection("live");
        this.ink.resume();
    }

    /** @param {Dream} dream */
    #dream(dream) {
        this.dream = dream;
        this.ui.dream(dream);
    }

    /** @param {Record<string, string>} names */
    #name(names) {
        for (const [id, name] of Object.entries(names)) this.names.set(Number(id), name);
    }

    /** @param {number} code @param {boolean} final @param {number} retryIn */
    #closed(code, final, retryIn) {
        this.live = false;
        this.joined = false;
        // The server cannot read what we send; sending it again would only close the next connection too.
        if (code === CloseCode.MALFORMED) this.ink.giveUp(RejectReason.UNAVAILABLE);
        if (code === CloseCode.VERSION) this.ui.reload(gettext("The site has a new version."));
        if (code === CloseCode.FORBIDDEN) this.ink.giveUp(RejectReason.SUSPENDED);
        if (code === CloseCode.ENDED) this.#ended();
        this.#connection(final ? "over" : "offline", code, steady() + retryIn);
        this.ink.pause();
    }

    /** @param {Connection["state"]} state @param {number} [code] @param {number} [retryAt] */
    #connection(state, code = 0, retryAt = 0) {
        this.connection = { state, code, retryAt, waiting: this.ink.outbox.strokes };
        this.ui.connection(this.connection);
    }

    /** While there is no connection: tells how many strokes wait, and keeps them. */
    #waiting() {
        if (this.live) return;
        const waiting = this.ink.outbox.strokes;
        if (waiting === this.connection.waiting) return;
        this.connection = { ...this.connection, waiting };
        this.ui.connection(this.connection);
        this.ink.store();
    }
}
