// @ts-check
/** The bar: what the network dreams of and when, how many people are here, how the connection is. */

import { gettext, listed, ngettext } from "../i18n.js";
import * as messages from "./messages.js";
import { steady } from "./steady.js";

/**
 * @typedef {import("./types.js").Connection} Connection
 * @typedef {import("./types.js").Dream} Dream
 * @typedef {import("./types.js").Frame} Frame
 */

const GRACE = 1200; // ms; most lost connections are back before anybody minds
const INTERVAL = 30_000; // ms from dream to dream, until we have seen one

export class Bar {
    /**
     * @param {ParentNode} page @param {boolean} staff
     * @param {{retry: () => void, now: () => number, back: (text: string) => void}} does `now` by the
     *   server's clock; `back` shows that a loss is over
     */
    constructor(page, staff, { retry, now, back }) {
        const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (page.querySelector(`[data-bar="${name}"]`));
        this.staff = staff;
        this.now = now;
        this.back = back;
        this.pill = find("dream");
        this.label = find("label");
        this.title = find("title");
        this.time = find("time");
        this.ring = /** @type {SVGCircleElement} */ (/** @type {unknown} */ (find("ring")));
        this.octaves = find("octaves");
        this.facts = find("facts");
        this.hint = find("hint");
        this.coming = find("coming");
        this.comingLine = find("coming-line");
        this.commands = find("commands");
        this.nextStyle = page.querySelector('[data-bar="next-style"]');
        this.drawing = find("drawing");
        this.people = find("people");
        this.frameLink = /** @type {HTMLAnchorElement} */ (find("frame"));
        this.status = find("status");
        this.statusTitle = find("status-title");
        this.statusDetail = find("status-detail");
        this.retry = find("retry");
        this.arriving = find("arriving");
        this.arrivingText = find("arriving-text");
        this.arrivingPart = /** @type {HTMLProgressElement} */ (find("arriving-part"));
        this.live = find("live");
        this.retry.addEventListener("click", retry);

        /** @type {Dream | null} */
        this.dream = null;
        this.dreamed = false; // the picture we see is a dream
        this.interval = INTERVAL;
        /** @type {Connection | null} */
        this.connection = null;
        /** @type {messages.Closed | null} */
        this.closed = null;
        /** @type {string | null} */
        this.trouble = null;
        this.lostAt = 0;
        this.toldLost = false;
        this.wasLive = false;
        this.announced = "";
        setInterval(() => this.tick(), 250);
    }

    /** @param {Dream} dream */
    showDream(dream) {
        const before = this.dream;
        this.dream = dream;
        if (dream.next_at && dream.next_at !== before?.next_at) {
            this.interval = before?.next_at ? Math.max(1000, dream.next_at - before.next_at) : Math.max(INTERVAL, dream.next_at - this.now());
        }
        const { label, hint, commands = [] } = this.#pill();
        if (before?.state !== dream.state && hint) this.announce([`${label}. ${hint}`, ...commands].join(" "));
        this.#arriving(dream, before?.arriving ?? null);
        this.coming.textContent = this.comingLine.textContent = messages.coming(dream);
        this.coming.hidden = this.comingLine.hidden = !dream.coming;
        this.tick();
    }

    /** A better network on its way, and how far it is. @param {Dream} dream @param {Dream["arriving"]} before */
    #arriving(dream, before) {
        const text = messages.arriving(dream);
        this.arriving.hidden = !text;
        if (!text || !dream.arriving) return;
        this.arrivingText.textContent = text;
        this.arrivingPart.value = dream.arriving.fraction;
        this.arriving.title = `${Math.floor(100 * dream.arriving.fraction)} %`;
        if (!before) this.announce(`${text}.`);
    }

    /** The pill and its sheet, as they are now. @returns {messages.DreamWords} */
    #pill() {
        const { dream } = this;
        /** @type {messages.DreamWords} */
        const shown = !dream || this.toldLost ? { label: messages.UNKNOWN } : messages.dream(dream, this.staff, this.dreamed, this.closed);
        const { label, title = "", hint = "", commands = [], busy = false } = shown;
        this.label.textContent = label;
        this.title.textContent = title;
        this.hint.textContent = hint;
        this.hint.hidden = !hint;
        this.commands.replaceChildren(...commands.map((command) => {
            const line = document.createElement("code");
            line.textContent = command;
            return line;
        }));
        this.pill.dataset.state = this.toldLost ? "lost" : dream?.state;
        this.pill.classList.toggle("busy", busy);
        if (this.nextStyle) this.nextStyle.toggleAttribute("hidden", dream?.state === "no-model");
        if (dream) {
            this.#octaves(dream);
            this.#facts(dream);
        }
        return shown;
    }

    /** One mark for each octave, filled as it is done. @param {Dream} dream */
    #octaves({ state, octave, octaves }) {
        const n = state === "dreaming" && !this.toldLost ? octaves : 0;
        while (this.octaves.childElementCount > n) this.octaves.lastElementChild?.remove();
        while (this.octaves.childElementCount < n) this.octaves.append(document.createElement("i"));
        [...this.octaves.children].forEach((mark, index) => {
            mark.className = index + 1 < octave ? "done" : index + 1 === octave ? "now" : "";
        });
    }

    /** @param {Dream} dream */
    #facts({ state, model, layer, channel, device }) {
        const facts = state === "no-model" || state === "away" ? [] : [[gettext("Network"), model], [gettext("Layer"), layer], [gettext("Channel"), channel ?? (layer && gettext("all"))], [gettext("Runs on"), device?.toUpperCase()]];
        this.facts.replaceChildren(
            ...facts.filter(([, value]) => value !== "" && value !== undefined && value !== null).flatMap(([name, value]) => {
                const term = document.createElement("dt"), definition = document.createElement("dd");
                term.textContent = String(name);
                definition.textContent = String(value);
                return [term, definition];
            }),
        );
    }

    /** @param {number} count @param {string[]} drawing names of those who draw */
    showPeople(count, drawing) {
        this.people.textContent = String(count);
        this.drawing.replaceChildren(...(drawing.length ? drawing : [gettext("Nobody is drawing just now.")]).map((text) => {
            const item = document.createElement("li");
            item.textContent = text;
            return item;
        }));
        const who = drawing.length ? ` ${gettext("Drawing now: %(names)s.", { names: listed(drawing) })}` : "";
        const label = ngettext("%(n)s person is here.", "%(n)s people are here.", count) + who;
        this.people.parentElement?.setAttribute("title", label);
        this.people.parentElement?.setAttribute("aria-label", label);
        this.people.parentElement?.classList.toggle("drawing", drawing.length > 0);
    }

    /** @param {Frame} frame @param {boolean} first */
    showFrame(frame, first) {
        this.frameLink.hidden = !frame.page;
        if (frame.page) this.frameLink.href = frame.page;
        if (this.dreamed !== frame.number > 0) {
            this.dreamed = frame.number > 0;
            this.#pill();
        }
        if (first || !frame.number) return;
        this.announce(gettext("A new dream: number %(number)s%(title)s.", { number: frame.number, title: frame.title ? `, ${frame.title}` : "" }));
        this.pill.classList.remove("fresh");
        void this.pill.offsetWidth; // starts the animation again
        this.pill.classList.add("fresh");
    }

    /** @param {Connection} connection @param {messages.Closed | null} [closed] why nothing can be drawn, where that is so */
    showConnection(connection, closed = null) {
        const before = this.connection;
        this.closed = closed;
        this.connection = connection;
        if (connection.state !== "live") this.lostAt ||= steady();
        else {
            this.lostAt = 0;
            if (this.toldLost && this.wasLive) this.back(messages.back(before?.waiting ?? 0));
            this.wasLive = true;
        }
        this.tick();
    }

    /** @param {messages.Closed | null} closed why nothing can be drawn */
    showClosed(closed) {
        this.closed = closed;
        if (this.dream) this.#pill();
    }

    /** @param {string | null} trouble */
    showTrouble(trouble) {
        this.trouble = trouble;
        this.tick();
    }

    /** For those who listen instead of looking. @param {string} text */
    announce(text) {
        this.live.textContent = text;
    }

    tick() {
        const lost = this.lostAt > 0 && (steady() - this.lostAt > GRACE || this.connection?.state === "over");
        if (lost !== this.toldLost) {
            this.toldLost = lost;
            if (this.dream) this.#pill();
        }
        this.#tickDream();
        this.#tickStatus();
    }

    #tickDream() {
        const { dream } = this;
        if (!dream) return;
        let part = 0, time = "";
        if (this.toldLost) this.time.title = "";
        else if (dream.state === "dreaming") {
            part = dream.fraction;
            time = dream.octaves ? `${Math.max(1, dream.octave)}/${dream.octaves}` : `${Math.round(100 * dream.fraction)} %`;
            this.time.title = dream.octaves ? gettext("Octave %(n)s of %(all)s", { n: Math.max(1, dream.octave), all: dream.octaves }) : "";
        } else if (dream.state === "waiting" && dream.next_at) {
            const left = Math.max(0, dream.next_at - this.now());
            part = 1 - Math.min(1, left / this.interval);
            time = left > 500 ? gettext("%(n)s s", { n: Math.ceil(left / 1000) }) : gettext("now");
            this.time.title = "";
        }
        this.time.textContent = time;
        this.ring.style.strokeDashoffset = String(1 - part);
    }

    #tickStatus() {
        const { connection, trouble, toldLost: lost } = this;
        const shown = lost && connection ? messages.connection(connection, this.closed) : trouble ? { title: trouble, detail: "" } : null;
        this.status.hidden = !shown;
        if (!shown || !connection) {
            this.announced = "";
            return;
        }
        this.statusTitle.textContent = shown.title;
        let { detail } = shown;
        const left = Math.ceil((connection.retryAt - steady()) / 1000);
        const waiting = lost && connection.state === "offline";
        if (waiting) detail += ` ${left > 0 ? gettext("Trying again in %(n)s s.", { n: left }) : gettext("Trying again …")}`;
        this.statusDetail.textContent = detail;
        this.retry.hidden = !(waiting && left > 2);
        // The countdown would be read out every second: announce the rest only, once.
        const announcement = `${shown.title} ${shown.detail}`;
        if (announcement !== this.announced) this.announce(announcement);
        this.announced = announcement;
    }
}
