// @ts-check
/** A journey: click where to go next on a key frame, watch the next one grow, and see the film when it is made. */

import { gettext, roughly } from "../i18n.js";
import { getJson, getPage, seen, untilGone } from "../poll.js";
import { ended, offer } from "./tell.js";

const POLL = 900; // ms
const STEP = 0.05; // of the picture, for each press of an arrow key

const main = /** @type {HTMLElement} */ (document.querySelector("[data-journey]"));
/** @type {Record<string, readonly [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @param {string} selector */
const find = (selector) => /** @type {HTMLElement | null} */ (main.querySelector(selector));
/** @param {number} seconds */
const about = (seconds) => gettext("about %(time)s", { time: roughly(seconds) });

// --- Steering ---------------------------------------------------------------------------------------------------------

/** @param {string} name */
const field = (name) => /** @type {HTMLInputElement} */ (main.querySelector(`[data-steer-form] [name=${name}]`));

/** Moves the frame, whose middle stays where the next key frame fits. @param {number} x @param {number} y shares of the picture */
function aim(x, y) {
  const steer = find("[data-steer]"), frame = find("[data-steer-frame]"), words = find("[data-steer-words]");
  if (!steer || !frame) return;
  const size = 1 / Number(steer.dataset.zoom), most = 1 - size / 2;
  const at = [x, y].map((share) => Math.min(most, Math.max(size / 2, share)));
  field("x").value = at[0].toFixed(4);
  field("y").value = at[1].toFixed(4);
  frame.hidden = false;
  frame.style.left = `${100 * (at[0] - size / 2)}%`;
  frame.style.top = `${100 * (at[1] - size / 2)}%`;
  frame.style.width = frame.style.height = `${100 * size}%`;
  if (words) words.textContent = gettext("%(x)s % from the left, %(y)s % from the top", { x: Math.round(100 * at[0]), y: Math.round(100 * at[1]) });
}

const aimed = () => [Number(field("x").value), Number(field("y").value)];

main.addEventListener("click", (event) => {
  const steer = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[data-steer]")) : null;
  if (!steer) return;
  event.preventDefault();
  if (event.detail > 0) { // by a pointer
    const box = steer.getBoundingClientRect();
    aim((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  }
  /** @type {HTMLFormElement | null} */ (find("[data-steer-form]"))?.requestSubmit(find("[data-go]"));
});
main.addEventListener("pointermove", (event) => {
  const steer = event.target instanceof Element ? event.target.closest("[data-steer]") : null;
  if (!steer || event.pointerType === "touch") return;
  const box = steer.getBoundingClientRect();
  aim((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
});
main.addEventListener("keydown", (event) => {
  const way = ARROWS[event.key];
  if (!way || !(event.target instanceof Element) || !event.target.closest("[data-steer]")) return;
  event.preventDefault();
  const [x, y] = aimed();
  aim(x + way[0] * STEP, y + way[1] * STEP);
});

main.addEventListener("submit", async (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.matches("[data-steer-form]")) return;
  event.preventDefault(); // the page stays, and so does the focus
  const words = find("[data-steer-words]");
  try {
    const body = new FormData(form, event.submitter);
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" }, signal: AbortSignal.timeout(30_000) });
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail ?? gettext("The server answered %(status)s.", { status: String(answer.status) }));
    history.replaceState(null, "", location.pathname);
    await renew();
  } catch (error) {
    if (!words) return;
    words.textContent = error instanceof Error ? error.message : String(error);
    words.classList.remove("visually-hidden");
  }
});

// --- What is on its way -----------------------------------------------------------------------------------------------

/** Forms that somebody has begun to fill in. @type {Set<HTMLFormElement>} */
const touched = new Set();
main.addEventListener("input", ({ target }) => {
  const form = target instanceof Element ? target.closest("form") : null;
  if (form && !form.matches("[data-steer-form]")) touched.add(form);
});

/** Takes the page's live part from the server, and leaves the focus, and what somebody has filled in, where it was. */
async function renew() {
  const next = (await getPage(location.href.replace(/[?#].*/, "")))?.querySelector("[data-live]");
  const live = find("[data-live]"), film = find("#journey-film");
  if (!next || !live) return;
  const focused = document.activeElement?.id;
  const playing = next.querySelector("#journey-film");
  if (film && playing && film.getAttribute("src") === playing.getAttribute("src")) playing.replaceWith(film); // it plays on
  live.replaceWith(next);
  for (const form of touched) {
    const twin = next.querySelector(`form[action="${CSS.escape(form.getAttribute("action") ?? "")}"]`);
    if (twin && live.contains(form)) (twin.closest("details") ?? twin).replaceWith(form.closest("details") ?? form);
    else touched.delete(form);
  }
  if (focused) document.getElementById(focused)?.focus();
  begin();
}

let watching = false;

async function watch() {
  watching = true;
  const before = main.querySelectorAll("[data-live] .strip a").length;
  let grown = 0;
  while (find("[data-live][data-open]")) {
    await new Promise((done) => setTimeout(done, POLL)); // also while nobody looks: the title says that it is done
    const found = await getJson(main.dataset.journey ?? "");
    if (!found) {
      for (const words of main.querySelectorAll("[data-words]")) words.textContent = gettext("The studio cannot be reached. The journey goes on; trying again …");
      continue;
    }
    const shown = [...main.querySelectorAll("[data-words]")].map((words) => /** @type {HTMLElement} */ (words).dataset.words);
    const works = [...found.key_frames, ...found.films, ...found.music];
    const open = works.filter(({ state }) => ["waiting", "running"].includes(state));
    if (!open.length && shown.length) ended(works.every(({ state }) => state !== "failed"), find("h1")?.textContent ?? "");
    const changed = open.length !== shown.length || open.some(({ key }) => !shown.includes(key)) || (before && found.key_frames.length < before);
    // The page anew is asked for once somebody looks: until then nobody has seen how it ended.
    if (changed && (!document.hidden || !open.length)) {
      await seen();
      await renew();
      grown = 0;
      continue;
    }
    for (const work of open) {
      const progress = /** @type {HTMLProgressElement | null} */ (find(`[data-progress="${work.key}"]`));
      const words = find(`[data-words="${work.key}"]`);
      if (progress) progress.value = work.fraction;
      const text = work.state === "waiting" && work.ahead
        ? gettext("%(n)s before it, %(time)s", { n: work.ahead, time: about(work.seconds) })
        : about(work.seconds);
      if (words && words.textContent !== text) words.textContent = text;
      const picture = /** @type {HTMLImageElement | null} */ (find(`[data-growing="${work.key}"]`));
      if (picture && work.growing && work.fraction - grown > 0.08) {
        grown = work.fraction;
        const next = new Image();
        next.onload = () => {
          picture.src = next.src;
        };
        next.src = `${work.growing}?${Math.round(1000 * grown)}`;
      }
    }
  }
  watching = false;
}

function begin() {
  if (find("[data-steer]") && !find("[data-steer-frame]")?.hidden) aim(aimed()[0], aimed()[1]);
  offer(/** @type {HTMLButtonElement | null} */ (find("[data-tell]")));
  if (!watching && find("[data-live][data-open]")) watch().catch(untilGone);
}

begin();
