// @ts-check
/**
 * The frame a picture stands on: loading the announced one. Who only watches gets its small copy, as long as their screen
 * shows no more than that; the picture itself comes when they draw or look closer. A tab that nobody sees loads nothing.
 */

import { gettext } from "../i18n.js";

/**
 * @typedef {import("./layers.js").Layers} Layers
 * @typedef {import("./pixels.js").Pixels} Pixels
 * @typedef {import("./types.js").Frame} Frame
 * @typedef {import("./types.js").Ui} Ui
 *
 * A frame's picture, or (not `exact`) its small copy scaled to the picture's size.
 * @typedef {(frame: import("./types.js").Earlier, exact: boolean) => Promise<Pixels>} Load
 */

import { EarlierPictures } from "./earlier.js";

const AGAIN = 5000; // ms until a picture that could not be loaded is asked for again
export const SPREAD = 1500; // ms over which everybody's fetches of a new frame are spread

/** The base where there is no frame yet. @type {Frame} */
export const BLANK = { id: 0, number: 0, seq: 0, url: "", preview: null, page: "", title: "", kind: "blank" };

export class Bases {
    /**
     * @param {object} setup
     * @param {Layers} setup.layers
     * @param {Load} setup.load a frame's picture; the blank canvas for id 0
     * @param {(frame: Frame) => boolean} [setup.exact] whether the small copy of a frame is not enough now
     * @param {() => Promise<void>} [setup.awake] when somebody can see the page
     * @param {Ui} setup.ui
     * @param {() => number} setup.random
     * @param {(frame: Frame) => void} setup.installed
     */
    constructor({ layers, load, ui, random, installed, exact = () => true, awake = async () => {} }) {
        this.layers = layers;
        this.load = load;
        this.ui = ui;
        this.random = random;
        this.installed = installed;
        this.exact = exact;
        this.awake = awake;
        this.small = false; // the base is a small copy
        this.earlier = new EarlierPictures(load, (id) => layers.brought(id));
        layers.picture.earlier = (id) => this.earlier.get(id);
        /** @type {Frame | null} what the picture stands on; null until the first is here */
        this.base = null;
        /** @type {Frame | null} being loaded */
        this.coming = null;
        /** @type {Promise<void> | null} */
        this.sharpening = null;
        /** @type {Frame | null} announced while another was being loaded */
        this.next = null;
    }

    /** The newest frame we know of. */
    get newest() {
        return this.next ?? this.coming ?? this.base;
    }

    /** A new frame. @param {Frame} frame @param {number} spread ms over which to spread the fetch */
    announce(frame, spread) {
        const { newest } = this;
        if (newest && frame.id === newest.id) return this.#relist(newest, frame);
        if (newest && frame.seq < newest.seq) return;
        // A slow connection finishes what it began, and then takes the newest.
        if (this.coming) this.next = frame;
        else void this.#fetch(frame, spread);
    }

    /** An earlier frame was hidden, or is shown again. @param {Frame} known @param {Frame} news */
    #relist(known, news) {
        const ids = (/** @type {Frame} */ { earlier = [] }) => earlier.map(({ id }) => id).join();
        const same = ids(known) === ids(news);
        known.earlier = news.earlier; // the addresses may be others, too
        known.before = news.before;
        if (known !== this.base) return;
        this.earlier.use(known.earlier ?? [], !this.small);
        if (!same) this.layers.rebase(this.layers.picture.base, known.seq);
    }

    /** A frame was taken away: back to an earlier one, whose operations will be sent again. @param {Frame} frame */
    goBack(frame) {
        this.layers.picture.restart();
        if (this.coming) this.next = frame;
        else void this.#fetch(frame, 0);
    }

    /** @param {Frame} frame @param {number} spread */
    async #fetch(frame, spread) {
        this.coming = frame;
        let loaded;
        for (let attempt = 0; !loaded; attempt++) {
            const wait = attempt ? Math.min(30_000, 500 * 2 ** attempt) * (0.5 + this.random() / 2) : this.random() * spread;
            if (wait) await new Promise((done) => setTimeout(done, wait));
            await this.awake();
            if (this.next) {
                this.coming = frame = this.next;
                this.next = null;
            }
            const exact = this.exact(frame);
            try {
                loaded = await this.load(frame, exact);
                this.small = !exact;
            } catch (error) {
                console.warn(`The picture of frame ${frame.number} cannot be loaded:`, error);
                if (attempt === 1) this.ui.trouble(gettext("The newest picture cannot be loaded. Trying again."));
            }
            if (loaded && attempt > 1) this.ui.trouble(null);
        }
        const picture = loaded;
        const first = !this.base;
        this.base = frame;
        this.coming = null;
        this.earlier.use(frame.earlier ?? [], !this.small);
        this.ui.frame(frame, () => this.layers.rebase(picture, frame.seq), first);
        this.installed(frame);
        const { next } = this;
        this.next = null;
        if (next) void this.#fetch(next, 0);
        else this.sharpen();
    }

    /** The picture itself in place of its small copy, where that is not enough any more. */
    sharpen() {
        const { base } = this;
        if (!this.small || !base || this.coming || this.sharpening || !this.exact(base)) return;
        this.sharpening = this.load(base, true).then(
            (picture) => {
                if (this.base !== base) return;
                this.small = false;
                this.earlier.use(base.earlier ?? [], true);
                this.layers.rebase(picture, base.seq);
            },
            (error) => {
                console.warn(`The picture of frame ${base.number} cannot be loaded:`, error);
                return new Promise((done) => setTimeout(done, AGAIN)); // whoever zooms asks sixty times a second
            },
        ).finally(() => {
            this.sharpening = null;
            if (this.base !== base) this.sharpen();
        });
    }
}
