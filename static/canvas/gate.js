// @ts-check
/**
 * What we may do here, and why not: the canvas' rules, sanctions against us, and how much ink is left. The server
 * decides (canvas/gate.py); here it is shown before anybody draws in vain.
 */

import { gettext } from "../i18n.js";
import { INK_LOW } from "./limits.js";
import * as messages from "./messages.js";

/**
 * @typedef {import("./types.js").Rules} Rules
 * @typedef {import("./types.js").UserStatus} UserStatus
 * @typedef {import("./types.js").Ink} Ink
 * @typedef {import("./types.js").Against} Against
 * @typedef {import("./types.js").Degree} Degree
 *
 * @typedef {object} Page
 * @property {HTMLElement} closed a line above the dock, with a title, a reason and a button
 * @property {HTMLElement} dock
 * @property {HTMLElement} meter
 * @property {HTMLDialogElement} sheet
 * @property {import("./regions.js").Regions} regions
 * @property {Object<string, Degree>} degrees by their names
 * @property {() => number} now by the server's clock
 * @property {() => boolean} signedIn
 * @property {(text: string) => void} notify
 * @property {() => void} changed whether we may draw is another
 */

/** @type {Rules} */
const OPEN = { frozen: false, why: "", slow: 1, newcomers_after: null, members_only: false, regions: [], ended: false, closed: false };

export class Gate {
    /** @param {Page} page */
    constructor(page) {
        this.page = page;
        this.rules = OPEN;
        /** @type {UserStatus | null} */
        this.status = null;
        /** @type {Ink} */
        this.ink = { left: 1, seconds: 0 };
        this.shown = false;
        this.openedFor = 0; // the sanction whose sheet was opened by itself
        this.find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (document.querySelector(`[data-gate="${name}"]`));
        this.find("why").addEventListener("click", () => this.#openSheet());
        this.find("acknowledge").addEventListener("submit", (event) => this.#acknowledge(event));
        setInterval(() => this.#show(), 1000);
    }

    /** @param {Rules} rules */
    setRules(rules) {
        if (rules.slow > 1 && this.rules.slow === 1 && this.page.signedIn()) this.page.notify(gettext("Slow mode: everybody has less ink for a while."));
        this.rules = rules;
        this.page.regions.setRules(rules.regions);
        this.#show();
    }

    /** @param {UserStatus | null} status */
    setStatus(status) {
        this.status = status;
        const against = this.against;
        if (!against && this.page.sheet.open) this.page.sheet.close();
        if (against && against.id !== this.openedFor) {
            this.openedFor = against.id;
            this.#openSheet();
        }
        this.#show();
    }

    /** @param {Ink} ink */
    setInk(ink) {
        this.ink = ink;
        const { meter } = this.page;
        const low = ink.left < INK_LOW;
        meter.hidden = !low;
        meter.style.setProperty("--left", String(ink.left));
        meter.classList.toggle("empty", ink.left < 0.05);
        meter.setAttribute("aria-valuenow", String(Math.round(100 * ink.left)));
        this.find("ink").textContent = messages.ink(ink);
    }

    /** The gravest sanction in force against us. @returns {Against | null} */
    get against() {
        const held = (this.status?.sanctions ?? []).filter(({ until }) => until === null || until > this.page.now())
            .map((sanction) => ({ ...sanction, .../** @type {Degree} */ (this.page.degrees[sanction.degree]) }));
        const gravity = (/** @type {Against} */ { gravity: [stops, severity] }) => Number(stops) * 1000 + severity;
        held.sort((a, b) => gravity(b) - gravity(a));
        return held[0] ?? null;
    }

    /** Why we cannot draw anywhere; null where we can. @returns {messages.Closed | null} */
    get closed() {
        return messages.closed(this.rules, this.status, this.against, this.page.now());
    }

    /** Whether we may not draw at this point (canvas px); says why. @param {number} x @param {number} y */
    refuses(x, y) {
        const { closed } = this;
        const region = this.page.regions.at(x, y);
        if (closed) {
            const { classList } = this.page.closed; // it says why already
            classList.remove("nudge");
            void this.page.closed.offsetWidth; // starts the animation again
            classList.add("nudge");
        }
        else if (region && region.kind !== "request") this.page.notify(messages.region(region, this.page.now()));
        else return false;
        return true;
    }

    #show() {
        const { closed, page } = this;
        const shown = closed !== null && (closed.everybody || page.signedIn());
        page.closed.hidden = !shown;
        page.dock.classList.toggle("shut", closed !== null);
        if (shown) {
            setText(this.find("title"), closed.title);
            setText(this.find("detail"), closed.detail);
            this.find("why").hidden = closed.everybody || !this.against;
        }
        if (shown !== this.shown) page.changed();
        this.shown = shown;
    }

    #openSheet() {
        const { against } = this;
        const { sheet } = this.page;
        if (!against) return;
        const text = messages.sanction(against, this.page.now());
        setText(this.find("sheet-title"), text.title);
        setText(this.find("sheet-effect"), text.effect);
        setText(this.find("sheet-reason"), against.reason);
        const form = /** @type {HTMLFormElement} */ (this.find("acknowledge"));
        form.hidden = !against.must_acknowledge;
        this.find("sheet-close").hidden = against.must_acknowledge;
        form.action = (form.dataset.action ?? "").replace("/0/", `/${against.id}/`);
        if (!sheet.open) {
            for (const other of /** @type {NodeListOf<HTMLDialogElement>} */ (document.querySelectorAll("dialog[open]"))) other.close();
            sheet.showModal();
        }
    }

    /** @param {Event} event */
    async #acknowledge(event) {
        event.preventDefault();
        const form = /** @type {HTMLFormElement} */ (event.target);
        const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
        button.disabled = true;
        try {
            const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual", signal: AbortSignal.timeout(30_000) });
            if (answer.type !== "opaqueredirect" && !answer.ok) throw new Error(`status ${answer.status}`);
            this.page.sheet.close(); // the server then sends our new status
        } catch {
            this.page.notify(gettext("That did not reach the server. Try again in a moment."));
        } finally {
            button.disabled = false;
        }
    }
}

/** Only where it is another: a live region would say it again. @param {HTMLElement} element @param {string} text */
function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
}
