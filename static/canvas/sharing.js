// @ts-check
/** Links that a canvas' page hands on: to its place, to this moment, to itself, and the code that embeds it. */

import { gettext } from "../i18n.js";
import { copy, share } from "../share.js";
import { hashOf, placeOf, seen } from "./place.js";

/**
 * Ties the buttons with `data-share`, and the link to a film of what is seen.
 * @param {import("./view.js").View} view
 * @param {{ title: string, now: () => number, pressed: () => void, notify: (text: string) => void }} page
 */
export function tieSharing(view, { title, now, pressed, notify }) {
    const canvas = () => location.origin + location.pathname;
    const quoted = title.replace(/[&"<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
    /** @type {Record<string, (data: DOMStringMap) => string>} */
    const links = {
        place: () => canvas() + hashOf(placeOf(view)),
        moment: (data) => `${location.origin}${data.moment}${new Date(now()).toISOString().slice(0, 19)}Z?canvas=${data.canvas}`,
        canvas,
        embed: ({ embed }) => `<iframe src="${location.origin}${embed}" width="480" height="560" title="${quoted}" loading="lazy" frameborder="0"></iframe>`,
    };
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-share]"))) {
        button.addEventListener("click", async () => {
            pressed();
            const kind = button.dataset.share ?? "";
            const link = links[kind](button.dataset);
            const done = kind === "embed" ? await copy(link) : await share(link, title);
            // Without https nothing can be copied: then the link itself is shown.
            if (done === "failed") notify(link);
            else if (done === "copied") notify(kind === "embed" ? gettext("Code copied.") : gettext("Link copied."));
        });
    }

    // A film is made of what one sees: the address says what that is at the moment it is followed.
    const film = document.querySelector("[data-film-of-view]");
    if (!(film instanceof HTMLAnchorElement)) return;
    for (const kind of ["click", "auxclick", "contextmenu"]) film.addEventListener(kind, () => {
        const address = new URL(film.href);
        for (const [name, value] of Object.entries(seen(view))) address.searchParams.set(name, String(value));
        film.href = address.href;
    });
}
