// @ts-check
/**
 * Who is here, and following somebody: our view goes with theirs, and we do not draw. Where we look is told to nobody but
 * while somebody follows us; we see who that is, and may end it.
 */

import { gettext, listed } from "../i18n.js";

/**
 * @typedef {import("./types.js").Person} Person
 * What a window shows of the canvas: its middle and its sides, px.
 * @typedef {{of: number, x: number, y: number, width: number, height: number}} Looked
 */

const APART = 125; // ms between two messages about our view

/** Why following has ended, by the news' `why`. @type {Record<string, (name: string) => string>} */
const ENDED = {
    left: (name) => gettext("%(name)s has left.", { name }),
    ended: (name) => gettext("%(name)s does not want to be followed now.", { name }),
    full: (name) => gettext("%(name)s has many followers already.", { name }),
    "too-often": () => gettext("That was quick. Try again in a moment."),
};

export class Following {
    /**
     * @param {ParentNode} root of the page @param {import("./view.js").View} view
     * @param {object} page
     * @param {() => number | null} page.me
     * @param {() => void} page.who asks the server who is here
     * @param {(who: number) => void} page.follow 0: nobody
     * @param {(x: number, y: number, width: number, height: number) => void} page.look tells where we look
     * @param {() => void} page.dismiss sends our followers away
     * @param {(text: string) => void} page.announce @param {(text: string) => void} page.notify
     */
    constructor(root, view, page) {
        this.view = view;
        this.page = page;
        const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(`[data-together="${name}"]`));
        this.list = find("here");
        this.strip = find("following");
        this.stripText = find("following-text");
        this.followed = find("followed");
        this.followedText = find("followed-text");
        find("stop").addEventListener("click", () => this.stop());
        find("dismiss").addEventListener("click", () => page.dismiss());
        find("menu").addEventListener("toggle", ({ target }) => {
            if (target instanceof HTMLDetailsElement && target.open) page.who();
        });
        /** Whom we follow, or want to. @type {Person | null} */
        this.leader = null;
        /** @type {Person[]} */
        this.followers = [];
        this.going = false; // the view is being moved by us, not by the hand
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        this.telling = undefined;
        this.toldAt = -Infinity;
    }

    /** @param {Person[]} people */
    showHere(people) {
        const me = this.page.me();
        const items = people.map((person) => {
            const item = document.createElement("li"), name = document.createElement("span");
            name.textContent = person.id === me ? gettext("%(name)s (you)", { name: person.name }) : person.name;
            item.append(name);
            if (person.id === me || me === null) return item;
            const button = document.createElement("button"), on = this.leader?.id === person.id;
            button.type = "button";
            button.className = "button button-small button-plain";
            button.textContent = on ? gettext("Stop") : gettext("Follow");
            button.setAttribute("aria-label", on ? gettext("Stop following %(name)s", person) : gettext("Follow %(name)s", person));
            button.addEventListener("click", () => {
                if (this.leader?.id === person.id) this.stop();
                else this.follow(person);
                button.closest("details")?.removeAttribute("open");
            });
            item.append(button);
            return item;
        });
        this.list.replaceChildren(...items);
        this.list.hidden = !items.length;
    }

    /** @param {Person} person */
    follow(person) {
        this.leader = person;
        this.page.follow(person.id);
        this.#show();
    }

    /** We go our own way. */
    stop() {
        if (!this.leader || this.going) return;
        this.leader = null;
        this.page.follow(0);
        this.#show();
        this.page.announce(gettext("You look around by yourself again."));
    }

    /** The connection is there again: a server knows nothing of before. */
    live() {
        if (this.leader) this.page.follow(this.leader.id);
    }

    /** The server says whom we follow. @param {number | null} who @param {string} why */
    heard(who, why) {
        if (who) {
            if (this.leader) this.page.announce(gettext("You follow %(name)s.", this.leader));
            return;
        }
        const { leader } = this;
        if (!leader || !why) return;
        this.leader = null;
        this.#show();
        this.page.notify((ENDED[why] ?? ENDED.left)(leader.name));
    }

    /** Where the one we follow looks. @param {Looked} looked */
    look({ of, x, y, width, height }) {
        const { view } = this;
        if (this.leader?.id !== of || !width || !height) return;
        this.going = true;
        const scale = Math.min(view.windowWidth / width, view.windowHeight / height);
        view.show({ x, y, zoom: scale / view.whole });
        this.going = false;
    }

    /** Who follows us. @param {Person[]} followers */
    setFollowers(followers) {
        const news = followers.length > this.followers.length;
        this.followers = followers;
        this.followed.hidden = !followers.length;
        const names = listed(followers.map(({ name }) => name));
        this.followedText.textContent = followers.length === 1 ? gettext("%(names)s follows your view.", { names }) : gettext("%(names)s follow your view.", { names });
        if (news) this.page.announce(this.followedText.textContent);
        if (followers.length) this.#tell();
    }

    /** Our view has changed. */
    moved() {
        // Two who follow each other would send each other's view round for ever, a little wider each time.
        if (this.going && this.followers.some(({ id }) => id === this.leader?.id)) return;
        if (!this.followers.length || this.telling !== undefined) return;
        this.telling = setTimeout(() => {
            this.telling = undefined;
            if (this.followers.length) this.#tell();
        }, APART);
    }

    #tell() {
        const { view } = this;
        const side = (/** @type {number} */ window) => Math.min(65535, Math.max(1, Math.round(window / view.scale)));
        const x = Math.round(view.canvasX(view.windowWidth / 2)), y = Math.round(view.canvasY(view.windowHeight / 2));
        this.page.look(x, y, side(view.windowWidth), side(view.windowHeight));
    }

    #show() {
        this.strip.hidden = !this.leader;
        if (this.leader) this.stripText.textContent = gettext("You follow %(name)s.", this.leader);
        document.body.classList.toggle("following", this.leader !== null);
    }
}
