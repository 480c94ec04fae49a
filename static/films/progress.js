// @ts-check
/** How far a film is that is being made; the page comes anew when it is done. */

import { getJson, pause, untilGone } from "../poll.js";
import { clock } from "./times.js";

const ASK_MS = 2000;
const stage = /** @type {HTMLElement | null} */ (document.querySelector("[data-progress]"));
if (stage && ["waiting", "running", "failed"].includes(stage.dataset.state ?? "")) watch(stage.dataset.progress ?? "").catch(untilGone);

/** @param {string} address */
async function watch(address) {
  for (;;) {
    await pause(ASK_MS);
    const film = await getJson(address);
    if (film) show(film);
  }
}

/** @param {{state: string, fraction: number, seconds_left: number | null}} film */
function show(film) {
  if (film.state !== stage?.dataset.state) return location.reload();
  const bar = stage.querySelector("progress");
  if (bar) bar.value = film.fraction;
  const left = stage.querySelector("[data-left]");
  if (left) left.textContent = [`${Math.floor(film.fraction * 100)} %`, film.seconds_left ? clock(film.seconds_left) : ""].filter(Boolean).join(" · ");
}
