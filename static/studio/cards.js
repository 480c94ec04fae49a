// @ts-check
/** Cards of dreams that are being made: how far each is, and how long it will take. */

import { number, roughly } from "../i18n.js";

const POLL = 2000; // ms

/** @param {HTMLElement} card */
async function watch(card) {
  const part = /** @type {HTMLProgressElement} */ (card.querySelector("progress"));
  const words = /** @type {HTMLElement} */ (card.querySelector("[data-left]"));
  for (;;) {
    await new Promise((done) => setTimeout(done, POLL));
    const answer = await fetch(card.dataset.card ?? "", { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(30_000) }).catch(() => null);
    if (!answer?.ok) continue;
    const work = await answer.json();
    if (!["waiting", "running"].includes(work.state)) return location.reload();
    part.value = work.fraction;
    const text = `${number(work.fraction, { style: "percent" })} · ${roughly(work.seconds)}`;
    if (words.textContent !== text) words.textContent = text;
  }
}

for (const card of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-card]"))) void watch(card);
