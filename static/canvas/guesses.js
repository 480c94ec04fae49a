// @ts-check
/**
 * What the network sees in a drawing that has come to rest, shown at the spot to everybody. Whoever is signed in may agree
 * with a word; then the next dreams go that way there.
 */

import { gettext, say, word as said } from "../i18n.js";
import * as messages from "./messages.js";
import { setWants, wants } from "./preferences.js";

/** @typedef {import("./types.js").Guess} Guess */

const MOST = 3; // guesses at once
const AGREED = 6000; // ms the word that was agreed with stays
const STORE = "dreamsite:guesses";
const EDGE = 8, BAR = 64; // px between a guess and its drawing or the window's edge; of the bar above

export class Guesses {
    /**
     * @param {HTMLElement} layer in the window's coordinates @param {import("./view.js").View} view
     * @param {object} page
     * @param {string} page.url where answers go, with 0 for the guess' id @param {string} page.token
     * @param {() => number} page.now by the server's clock @param {() => boolean} page.signedIn
     * @param {(text: string) => void} page.announce to those who listen @param {(text: string) => void} page.notify
     */
    constructor(layer, view, page) {
        this.layer = layer;
        this.view = view;
        this.page = page;
        /** @type {Map<number, {guess: Guess, element: HTMLElement, until: number}>} */
        this.shown = new Map();
        setInterval(() => this.#expire(), 500);
    }

    /** Whether this browser shows guesses. */
    get wanted() {
        return wants(STORE);
    }

    /** @param {boolean} wanted */
    set wanted(wanted) {
        setWants(STORE, wanted);
        if (!wanted) for (const id of this.shown.keys()) this.#remove(id);
    }

    /** @param {Guess} guess */
    show(guess) {
        if (!this.wanted) return;
        const known = this.shown.get(guess.id);
        if (guess.chosen !== null) {
            if (known) this.#agreed(guess, known.element);
            return;
        }
        if (known || guess.until <= this.page.now()) return;
        while (this.shown.size >= MOST) this.#remove(/** @type {number} */ (this.shown.keys().next().value));
        const element = document.createElement("div");
        element.className = "guess glass";
        element.setAttribute("role", "group");
        element.setAttribute("aria-label", messages.guess(guess.words.map((word) => said(word).text)));
        element.append(...guess.words.map((word, index) => this.#word(guess, word, index)), this.#dismiss(guess));
        this.layer.append(element);
        this.shown.set(guess.id, { guess, element, until: guess.until });
        this.layOut();
        this.page.announce(messages.guess(guess.words.map((word) => said(word).text)));
    }

    /** The view has changed. Each guess stands above its drawing, but within the window and below the bar. */
    layOut() {
        const { view } = this;
        for (const { guess, element } of this.shown.values()) {
            const left = view.x + guess.x * view.scale, top = view.y + guess.y * view.scale;
            const right = left + guess.width * view.scale, bottom = top + guess.height * view.scale;
            element.hidden = right < 0 || bottom < 0 || left > view.windowWidth || top > view.windowHeight;
            if (element.hidden) continue;
            const { offsetWidth: width, offsetHeight: height } = element;
            const x = within((left + right - width) / 2, EDGE, view.windowWidth - width - EDGE);
            const y = within(top - height - EDGE, BAR, view.windowHeight - height - EDGE);
            element.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
        }
    }

    /** Brings the keyboard to the newest guess. */
    focus() {
        const newest = [...this.shown.values()].filter(({ element }) => !element.hidden).pop();
        newest?.element.querySelector("button")?.focus();
    }

    /** @param {Guess} guess @param {string} word @param {number} index */
    #word(guess, word, index) {
        if (!this.page.signedIn()) {
            const text = document.createElement("span");
            say(text, word, messages.asked);
            return text;
        }
        const button = document.createElement("button");
        button.type = "button";
        say(button, word, messages.asked);
        button.title = messages.agree(said(word).text);
        button.addEventListener("click", () => this.#answer(guess, index));
        return button;
    }

    /** @param {Guess} guess */
    #dismiss(guess) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "guess-close";
        button.textContent = "×";
        button.setAttribute("aria-label", gettext("Dismiss this guess"));
        button.addEventListener("click", () => this.#remove(guess.id));
        return button;
    }

    /** @param {Guess} guess @param {number} index */
    async #answer(guess, index) {
        const { page } = this;
        try {
            const answer = await fetch(page.url.replace("/0/", `/${guess.id}/`), {
                signal: AbortSignal.timeout(30_000),
                method: "POST",
                headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": page.token },
                body: JSON.stringify({ word: index }),
            });
            const reply = await answer.json();
            if (!answer.ok) return page.notify(reply.detail);
            this.show({ ...guess, chosen: reply.chosen });
        } catch {
            page.notify(gettext("That did not reach the server. Try again in a moment."));
        }
    }

    /** @param {Guess} guess @param {HTMLElement} element */
    #agreed(guess, element) {
        const word = guess.words[/** @type {number} */ (guess.chosen)];
        const text = document.createElement("span");
        say(text, word);
        element.classList.add("agreed");
        element.replaceChildren(text);
        this.shown.set(guess.id, { guess, element, until: this.page.now() + AGREED });
        this.layOut();
        this.page.announce(messages.agreed(said(word).text));
    }

    #expire() {
        for (const [id, { until, element }] of this.shown) {
            // Whoever is about to answer is given the time.
            if (until <= this.page.now() && !element.matches(":hover, :focus-within")) this.#remove(id);
        }
    }

    /** @param {number} id */
    #remove(id) {
        this.shown.get(id)?.element.remove();
        this.shown.delete(id);
    }
}

/** The number, or the nearest that is at least `low` and, where there is room, at most `high`. @param {number} number @param {number} low @param {number} high */
function within(number, low, high) {
    return Math.max(low, Math.min(number, high));
}
