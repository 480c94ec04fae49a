// @ts-check
/** Strangers who draw: the first stroke makes a guest of them, and waits until the server knows them. */

/** @typedef {{ name: string, token: string }} Reply */

export class Guests {
    /**
     * @param {string} url where a stranger becomes a guest; empty where nobody can
     * @param {{ token: string, welcome: () => boolean, became: (reply: Reply) => void, failed: (problem: Error) => void }} page
     */
    constructor(url, page) {
        this.url = url;
        this.page = page;
        /** Under way, or done. @type {Promise<void> | null} */
        this.joining = null;
    }

    /** Makes a guest of a stranger who has drawn. @returns {boolean} whether that is possible here */
    join() {
        if (!this.page.welcome()) return false;
        this.joining ??= this.#become().catch((problem) => {
            this.joining = null;
            this.page.failed(problem);
        });
        return true;
    }

    /** @returns {Promise<boolean>} whether a stranger has become a guest */
    async joined() {
        if (this.join()) await this.joining;
        return this.joining !== null;
    }

    async #become() {
        const answer = await fetch(this.url, { method: "POST", headers: { Accept: "application/json", "X-CSRFToken": this.page.token } });
        const reply = await answer.json();
        if (!answer.ok) throw new Error(reply.detail);
        const all = (/** @type {string} */ selector) => /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(selector));
        for (const field of all('[name="csrfmiddlewaretoken"]')) /** @type {HTMLInputElement} */ (field).value = reply.token;
        for (const element of all("[data-stranger]")) element.hidden = true;
        for (const element of all("[data-guest-only]")) element.hidden = false;
        this.page.became(reply);
    }
}
