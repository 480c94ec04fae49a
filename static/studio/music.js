// @ts-check
/** Music for dreams of a video: it is sent and read while the page stays as it is, and can be chosen then. */

import { gettext } from "../i18n.js";

const POLL = 800; // ms while it is read

const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-adjust]"));
const choice = /** @type {HTMLInputElement} */ (form.querySelector("[data-sounds] [value=music]"));
const section = () => /** @type {HTMLElement} */ (document.querySelector("[data-music]"));

/** @param {string} url @param {RequestInit} [how] */
async function json(url, how) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(30_000), ...how, headers: { Accept: "application/json" } });
  const result = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(result.detail ?? gettext("The server answered %(status)s.", { status: String(answer.status) }));
  return result;
}

/** What is there can be chosen; what has gone is chosen no more. */
function settle() {
  const there = section().dataset.there !== undefined;
  choice.disabled = !there;
  if (there || !choice.checked) return;
  /** @type {HTMLInputElement} */ (form.querySelector("[data-sounds] [name=sound]")).checked = true;
  changed();
}

/** The price follows what is chosen, once there is a style. */
function changed() {
  if (!form.hidden) form.dispatchEvent(new Event("input"));
}

async function renew() {
  const answer = await fetch(location.href, { signal: AbortSignal.timeout(30_000) });
  const next = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-music]");
  if (!answer.ok || !next) return location.reload();
  section().replaceWith(next);
  settle();
  void watch();
}

async function watch() {
  const { reading } = section().dataset;
  if (!reading) return;
  for (;;) {
    await new Promise((done) => setTimeout(done, POLL));
    try {
      const { state } = await json(reading);
      if (!["waiting", "running"].includes(state)) break;
    } catch {
      await new Promise((done) => setTimeout(done, 5 * POLL));
    }
  }
  await renew();
  if (choice.disabled) return;
  choice.checked = true; // what else has it been brought for?
  changed();
}

document.addEventListener("submit", async (event) => {
  const sent = /** @type {HTMLFormElement} */ (event.target);
  if (!sent.closest("[data-music]")) return;
  event.preventDefault();
  const words = /** @type {HTMLElement} */ (sent.querySelector("[data-music-words]"));
  const button = /** @type {HTMLButtonElement} */ (sent.querySelector("button"));
  words.textContent = sent.enctype === "multipart/form-data" ? gettext("Sending the music …") : "";
  button.disabled = true;
  try {
    await json(sent.action, { method: "POST", body: new FormData(sent), signal: AbortSignal.timeout(1_800_000) });
    await renew();
  } catch (error) {
    words.textContent = error instanceof Error ? error.message : String(error);
    button.disabled = false;
  }
});

settle();
void watch();
