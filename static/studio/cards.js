// @ts-check
/**
 * Cards of dreams that are being made: how far each is, and how long it will take. One that has ended is fetched anew, it
 * alone: the page around it has forms that somebody may be filling in.
 */

import { number, roughly } from "../i18n.js";
import { getJson, getPage, pause, untilGone } from "../poll.js";

const POLL = 2000; // ms

/** @param {HTMLElement} card */
async function watch(card) {
  const part = /** @type {HTMLProgressElement} */ (card.querySelector("progress"));
  const words = /** @type {HTMLElement} */ (card.querySelector("[data-left]"));
  for (;;) {
    await pause(POLL);
    const work = await getJson(card.dataset.card ?? "");
    if (!work) continue;
    if (!["waiting", "running"].includes(work.state)) {
      const page = await getPage();
      if (!page) continue;
      return renew(card, work, page);
    }
    part.value = work.fraction;
    const text = `${number(work.fraction, { style: "percent" })} · ${roughly(work.seconds)}`;
    if (words.textContent !== text) words.textContent = text;
  }
}

/** @param {HTMLElement} card @param {{url: string, state: string, message: string}} work @param {Document} page as it is now */
function renew(card, work, page) {
  const focused = card.contains(document.activeElement);
  const next = /** @type {HTMLElement | null} */ (page.querySelector(`a.work-card[href="${CSS.escape(work.url)}"]`));
  if (next) {
    card.replaceWith(next);
    if (focused) next.focus();
    return;
  }
  delete card.dataset.card;
  for (const part of card.querySelectorAll("progress, [data-left]")) part.remove();
  if (work.state === "failed") return card.append(" ", work.message); // the link leads to its page
  // A video that was read is one of the pictures now.
  const pictures = page.querySelector("[data-pictures]"), before = document.querySelector("[data-pictures]");
  if (pictures && before) before.replaceWith(pictures);
  else if (pictures) card.after(pictures);
  card.remove();
}

for (const card of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-card]"))) watch(card).catch(untilGone);
