// @ts-check
/** Covering an area together: one trusted person requests it, the others are asked, and enough votes cover it. */

import { gettext } from "../i18n.js";

/** @typedef {import("./types.js").CoverRequest} CoverRequest */

const SIDE = 256; // px of the canvas
const LEAST = 96; // px, on a small canvas

export class Cover {
    /**
     * @param {HTMLElement} bar with its text and its two buttons
     * @param {import("./regions.js").Regions} regions
     * @param {{url: string, token: string, width: number, height: number, notify: (text: string) => void}} page
     */
    constructor(bar, regions, page) {
        this.bar = bar;
        this.regions = regions;
        this.page = page;
        this.choosing = false;
        /** @type {CoverRequest | null} */
        this.request = null;
        this.text = /** @type {HTMLElement} */ (bar.querySelector("p"));
        this.yes = /** @type {HTMLButtonElement} */ (bar.querySelector('[data-cover="yes"]'));
        this.yes.addEventListener("click", () => this.#send());
        bar.querySelector('[data-cover="no"]')?.addEventListener("click", () => this.close());
    }

    /** The next tap on the canvas says where. */
    choose() {
        this.choosing = true;
        this.#show(gettext("Tap the spot that should be covered."), false);
    }

    /** @param {number} x @param {number} y of the canvas, px */
    chosen(x, y) {
        const { width, height } = this.page;
        const side = Math.min(SIDE, Math.max(LEAST, Math.min(width, height) / 2));
        const w = Math.round(Math.min(side, width)), h = Math.round(Math.min(side, height));
        const left = Math.round(Math.min(Math.max(0, x - w / 2), width - w)), top = Math.round(Math.min(Math.max(0, y - h / 2), height - h));
        this.choosing = false;
        this.#offer({ x: left, y: top, width: w, height: h, votes: 0, quorum: 0, until: Infinity }, gettext("Cover this area for ten minutes? Others whom the site trusts must agree; then a moderator looks."));
    }

    /** Somebody else asks. @param {CoverRequest} request */
    show(request) {
        if (this.choosing || (this.request && this.request.votes === 0)) return; // we are at it ourselves
        this.#offer(request, gettext("%(votes)s of %(quorum)s people ask to cover the marked area until a moderator has looked.", { votes: request.votes, quorum: request.quorum }));
    }

    close() {
        this.choosing = false;
        this.request = null;
        this.bar.hidden = true;
        this.regions.setRequest(null);
    }

    /** @param {CoverRequest} request @param {string} text */
    #offer(request, text) {
        const { x, y, width, height, until } = request;
        this.request = request;
        this.regions.setRequest({ id: 0, kind: "request", x, y, width, height, until: Number.isFinite(until) ? until : null, why: "" });
        this.#show(text, true);
    }

    /** @param {string} text @param {boolean} ready */
    #show(text, ready) {
        this.text.textContent = text;
        this.yes.hidden = !ready;
        this.bar.hidden = false;
    }

    async #send() {
        const { request, page } = this;
        if (!request) return;
        this.yes.disabled = true;
        const { x, y, width, height } = request;
        try {
            const answer = await fetch(page.url, {
                signal: AbortSignal.timeout(30_000),
                method: "POST",
                headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": page.token },
                body: JSON.stringify({ x, y, width, height }),
            });
            const reply = await answer.json();
            if (!answer.ok) page.notify(reply.detail);
            else if (reply.covered) page.notify(gettext("The area is covered. A moderator will look."));
            else page.notify(gettext("Thank you. %(votes)s of %(quorum)s people ask for it now.", { votes: reply.votes, quorum: reply.quorum }));
            this.close();
        } catch {
            page.notify(gettext("That did not reach the server. Try again in a moment."));
        } finally {
            this.yes.disabled = false;
        }
    }
}
