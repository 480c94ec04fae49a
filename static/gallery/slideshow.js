// @ts-check
/**
 * The slideshow. Pictures melt into one another slowly, never faster than one in a second: nothing here flashes. Whoever
 * asked for less motion gets no melting, and it waits for their hand to begin.
 */

import { gettext, locale } from "../i18n.js";

/** @typedef {{number: number, hidden: boolean, title: string, made_at: string, page: string, picture: string}} Frame */

const main = /** @type {HTMLElement} */ (document.querySelector("#slideshow"));
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const find = (/** @type {string} */ name) => main.querySelector(`[data-slideshow="${name}"]`);
const play = /** @type {HTMLButtonElement | null} */ (find("play"));
const full = /** @type {HTMLButtonElement | null} */ (find("full"));
const pace = /** @type {HTMLSelectElement | null} */ (find("pace"));
const every = /** @type {HTMLSelectElement | null} */ (find("every"));
const page = /** @type {HTMLAnchorElement | null} */ (find("page"));
const time = /** @type {HTMLTimeElement | null} */ (find("time"));
const status = find("status");
const LONGEST = 15_000; // ms to wait for a picture

let [front, back] = /** @type {HTMLImageElement[]} */ ([...main.querySelectorAll(".slide")]);
let number = Number(main.dataset.begin);
/** @type {Frame[]} */
let queue = [];
let playing = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let still = 0;

/** The frames after the last one, oldest first. @param {number} after */
async function more(after) {
  const url = new URL(main.dataset.json ?? "", location.href);
  url.searchParams.set("after", String(after));
  if (every && every.value !== "1") url.searchParams.set("every", every.value);
  const answer = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  if (!answer.ok) throw new Error(`${url.pathname}: ${answer.status}`);
  /** @type {{frames: Frame[]}} */
  const { frames } = await answer.json();
  return frames.reverse();
}

/** @returns {Promise<Frame | null>} */
async function next() {
  for (;;) {
    if (!queue.length) queue = await more(number);
    const frame = queue.shift();
    if (!frame) return null; // the newest is shown: the next is still to be dreamed
    number = frame.number;
    if (!frame.hidden) return frame;
  }
}

/** @param {Frame} frame */
async function show(frame) {
  back.src = frame.picture;
  back.alt = gettext("Frame %(number)s", { number: frame.number });
  await Promise.race([back.decode(), new Promise((_, fail) => setTimeout(() => fail(new Error("too slow")), LONGEST))]);
  back.hidden = false;
  back.classList.add("slide-on");
  front.classList.remove("slide-on");
  [front, back] = [back, front];
  if (page) {
    page.href = frame.page;
    page.textContent = gettext("Frame %(number)s", { number: frame.number });
  }
  if (time) {
    time.dateTime = frame.made_at;
    time.textContent = `${new Date(frame.made_at).toLocaleString(locale, { dateStyle: "long", timeStyle: "medium", timeZone: "UTC" })} UTC`;
  }
}

async function step() {
  clearTimeout(timer);
  let wait = 1000 * Math.max(Number(pace?.value ?? 8), 1);
  try {
    const frame = await next();
    if (frame) await show(frame);
    else wait = Math.max(wait, 5000);
    still = 0;
  } catch (error) {
    console.info("No next picture yet.", error);
    wait = Math.min(60_000, 2000 * 2 ** still++);
  }
  if (playing) timer = setTimeout(step, wait);
}

/** @param {boolean} on */
function set(on) {
  playing = on;
  clearTimeout(timer);
  if (play) play.textContent = on ? gettext("Pause") : gettext("Play");
  if (status) status.textContent = on ? gettext("Playing") : gettext("Paused");
  if (on) timer = setTimeout(step, still ? 0 : 1000 * Number(pace?.value ?? 8));
  void awake(on);
}

/** @type {WakeLockSentinel | null} */
let lock = null;

/** @param {boolean} on */
async function awake(on) {
  try {
    if (on && !lock) lock = await navigator.wakeLock.request("screen");
    else if (!on && lock) {
      await lock.release();
      lock = null;
    }
  } catch {
    // Not every browser has it, and none gives it to a page that is not looked at.
  }
}

async function fullscreen() {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await main.requestFullscreen();
}

if (play && front) {
  play.hidden = false;
  for (const choice of main.querySelectorAll("label")) choice.hidden = false;
  if (full) full.hidden = !document.fullscreenEnabled;
  play.addEventListener("click", () => set(!playing));
  full?.addEventListener("click", () => void fullscreen());
  pace?.addEventListener("change", () => playing && set(true));
  every?.addEventListener("change", () => (queue = []));
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target instanceof Element && event.target.closest("select, a, button")) return;
    if (event.key === " ") set(!playing);
    else if (event.key === "ArrowRight") void step();
    else if (event.key.toLowerCase() === "f") void fullscreen();
    else return;
    event.preventDefault();
  });
  // The controls leave while nobody moves.
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let idle;
  const stir = () => {
    document.body.classList.remove("idle");
    clearTimeout(idle);
    idle = setTimeout(() => playing && !main.querySelector(":focus-visible") && document.body.classList.add("idle"), 3500);
  };
  for (const kind of ["pointermove", "pointerdown", "keydown", "focusin"]) addEventListener(kind, stir);
  stir();
  set(!calm.matches);
}
