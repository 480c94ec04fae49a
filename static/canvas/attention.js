// @ts-check
/**
 * How much of the picture somebody needs: all of it to draw on or to look at closely, a small copy to watch, and nothing in
 * a tab that nobody sees. A dream is 0.8 MB and comes every half minute; its small copy is an eighth of that.
 */

import { steady } from "./steady.js";

/**
 * @typedef {import("./types.js").Frame} Frame
 * @typedef {import("./view.js").View} View
 */

const DREW = 10 * 60_000; // ms after a stroke that somebody still draws
const ASLEEP = 5 * 60_000; // ms in a tab that nobody sees, until its connection ends
const LARGER = 1.25; // a small copy may be shown so much larger than it is

export class Attention {
    /** @param {View} view @param {{hidden: boolean, addEventListener: Document["addEventListener"]}} [page] */
    constructor(view, page = document) {
        this.view = view;
        this.page = page;
        this.drewAt = -Infinity;
        /** The tab was hidden for long. @type {() => void} */
        this.left = () => {};
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        this.leaving = undefined;
        /** @type {(() => void)[]} */
        this.waiting = [];
        page.addEventListener("visibilitychange", () => this.#changed());
        this.#changed();
    }

    draws() {
        this.drewAt = steady();
    }

    /** Whether the small copy of a frame is not enough. @param {Frame} frame */
    exact({ preview }) {
        const { view } = this;
        if (!preview || preview.width >= view.width) return true;
        return steady() - this.drewAt < DREW || view.scale * view.width > LARGER * preview.width;
    }

    /** When somebody can see the page. @returns {Promise<void>} */
    awake() {
        return this.page.hidden ? new Promise((done) => this.waiting.push(done)) : Promise.resolve();
    }

    #changed() {
        clearTimeout(this.leaving);
        if (this.page.hidden) this.leaving = setTimeout(() => this.left(), ASLEEP);
        else for (const done of this.waiting.splice(0)) done();
    }
}
