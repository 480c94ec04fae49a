// @ts-check
/** The dialogue in which people vote for what the network dreams of next: the styles as pictures, one vote a person. */

import { gettext, ngettext } from "../i18n.js";

/** @typedef {{key: string, title: string, votes: number, picture: string | null}} Style */

export class Votes {
    /**
     * @param {HTMLDialogElement} dialog
     * @param {object} page
     * @param {string} page.url @param {string} page.token
     * @param {() => Promise<boolean>} page.join makes somebody of a stranger; false where only members may
     */
    constructor(dialog, page) {
        this.dialog = dialog;
        this.page = page;
        const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (dialog.querySelector(`[data-votes="${name}"]`));
        this.list = find("list");
        this.said = find("said");
        /** @type {Style[]} */
        this.styles = [];
        /** @type {string | null} */
        this.mine = null;
        this.coming = "";
    }

    async open() {
        this.said.textContent = "";
        this.dialog.showModal();
        await this.#ask("GET");
        if (!this.styles.length && !this.said.textContent) this.said.textContent = gettext("There is nothing to vote for at the moment.");
    }

    /** What leads now. @param {{title: string, votes: number} | null} coming */
    show(coming) {
        const now = JSON.stringify(coming);
        if (now !== this.coming && this.dialog.open) void this.#ask("GET");
        this.coming = now;
    }

    /** @param {string} key */
    async #vote(key) {
        if (!(await this.page.join())) {
            this.said.textContent = gettext("Sign in to vote.");
            return;
        }
        const style = this.mine === key ? null : key;
        if (!(await this.#ask("POST", { style }))) return;
        const title = this.styles.find((one) => one.key === style)?.title;
        this.said.textContent = title ? gettext("You voted for %(title)s.", { title }) : gettext("Your vote is taken back.");
    }

    /** @param {string} method @param {object} [body] @returns {Promise<boolean>} whether the server did it */
    async #ask(method, body) {
        try {
            const answer = await fetch(this.page.url, {
                method,
                signal: AbortSignal.timeout(30_000),
                headers: { Accept: "application/json", ...(body && { "Content-Type": "application/json", "X-CSRFToken": this.page.token }) },
                body: body && JSON.stringify(body),
            });
            const reply = await answer.json();
            if (!answer.ok) {
                this.said.textContent = reply.detail;
                return false;
            }
            this.#show(reply.styles, reply.mine);
            return true;
        } catch {
            this.said.textContent = gettext("That did not reach the server. Try again in a moment.");
            return false;
        }
    }

    /** @param {Style[]} styles @param {string | null} mine */
    #show(styles, mine) {
        const same = styles.map(({ key }) => key).join() === this.styles.map(({ key }) => key).join();
        this.styles = styles;
        this.mine = mine;
        // Kept where it can be: who walks through it by keyboard stays where they are.
        if (!same) this.list.replaceChildren(...styles.map((style) => this.#tile(style)));
        const most = Math.max(1, ...styles.map(({ votes }) => votes));
        styles.forEach(({ key, votes }, index) => {
            const tile = /** @type {HTMLElement} */ (this.list.children[index]);
            tile.setAttribute("aria-pressed", String(key === mine));
            tile.classList.toggle("leads", votes === most);
            /** @type {HTMLElement} */ (tile.lastElementChild).textContent = votes ? ngettext("%(n)s vote", "%(n)s votes", votes) : "";
        });
    }

    /** @param {Style} style */
    #tile({ key, title, picture }) {
        const tile = document.createElement("button"), name = document.createElement("b"), count = document.createElement("span");
        tile.type = "button";
        tile.className = "style-tile";
        name.textContent = title;
        if (picture) {
            const image = document.createElement("img");
            Object.assign(image, { src: picture, alt: "", loading: "lazy", width: 128, height: 128 });
            tile.append(image);
        } else {
            const blank = document.createElement("i");
            blank.textContent = title.slice(0, 1);
            blank.ariaHidden = "true";
            tile.append(blank);
        }
        tile.append(name, count);
        tile.addEventListener("click", () => void this.#vote(key));
        return tile;
    }
}
