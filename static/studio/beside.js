// @ts-check
/** Pages that show several dreams of one picture: while some are on their way, that part of the page is fetched anew. */

import { getPage, pause, untilGone } from "../poll.js";

const POLL = 1500; // ms

async function watch() {
  for (;;) {
    const rows = document.querySelector("[data-beside]");
    if (!(rows instanceof HTMLElement) || rows.dataset.open === undefined) return;
    await pause(POLL);
    const next = (await getPage())?.querySelector("[data-beside]");
    if (!next || next.outerHTML === rows.outerHTML) continue;
    const focused = rows.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
    rows.replaceWith(next);
    if (focused) /** @type {HTMLElement | null} */ (next.querySelector(`[href="${CSS.escape(focused)}"]`))?.focus();
  }
}

watch().catch(untilGone);
