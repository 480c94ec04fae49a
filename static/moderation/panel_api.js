// @ts-check
/** The panel's requests to the server, and small helpers. */

import { duration, gettext, ngettext } from "../i18n.js";

const root = /** @type {HTMLElement} */ (document.querySelector('[data-mod="panel"]'));
const token = /** @type {HTMLInputElement | null} */ (root.querySelector("[name=csrfmiddlewaretoken]"))?.value ?? "";

/** The server's answer, or an Error with words for a moderator. @param {string} what @param {object} [data] to post */
export async function ask(what, data) {
    const address = what.startsWith("/") ? what : `${root.dataset.url}${what}`;
    /** @type {RequestInit} */
    const options = { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(60_000) };
    if (data) {
        options.method = "POST";
        options.body = JSON.stringify(data);
        options.headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token };
    }
    let answer;
    try {
        answer = await fetch(address, options);
    } catch {
        throw new Error(gettext("The site did not answer. Nothing is known to be done: look at the log, then try again."));
    }
    const reply = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(reply.detail || gettext("The site answered %(status)s.", { status: String(answer.status) }));
    return reply;
}

/** Where an act that needs another moderator's yes, or many steps, is watched. @param {{url: string, steps: number}} pending */
export const waiting = ({ url, steps }) => make("a", { href: url, className: "button button-small" }, ngettext("%(n)s step more: see what waits", "%(n)s steps more: see what waits", steps));

/** @param {number} at ms since 1970 */
export function ago(at) {
    const seconds = Math.max(0, (Date.now() - at) / 1000);
    return gettext("%(time)s ago", { time: duration(seconds) });
}

/**
 * An element. @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Partial<HTMLElementTagNameMap[T]> | null} [what] @param {(Node | string)[]} inside
 */
export function make(tag, what, ...inside) {
    const element = document.createElement(tag);
    Object.assign(element, what ?? {});
    element.append(...inside);
    return element;
}
