// @ts-check
/** The panel's requests to the server, and small helpers. */

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
        throw new Error("The site did not answer. Nothing is known to be done: look at the log, then try again.");
    }
    const reply = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(reply.detail || `The site answered ${answer.status}.`);
    return reply;
}

/** Where an act that needs another moderator's yes, or many steps, is watched. @param {{url: string, steps: number}} pending */
export const waiting = ({ url, steps }) => make("a", { href: url, className: "button button-small" }, `${counted(steps, "step")} more: see what waits`);

/** @param {number} at ms since 1970 */
export function ago(at) {
    const seconds = Math.max(0, (Date.now() - at) / 1000);
    if (seconds < 90) return `${Math.round(seconds)} s ago`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
    if (seconds < 129_600) return `${Math.round(seconds / 3600)} h ago`;
    return `${Math.round(seconds / 86_400)} days ago`;
}

/** @param {number} count @param {string} one @param {string} [many] */
export const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

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
