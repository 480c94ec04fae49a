// @ts-check
/** The page of a moment: painted here, changed in place while somebody moves through time. */

import { gettext } from "../i18n.js";
import "../share.js";
import { moment as fillForm } from "./moment_form.js";
import { load, put, urlOf } from "./replay.js";
import { Timeline } from "./timeline.js";
import { jsonOf, pageOf } from "./times.js";
import { zone } from "./zone.js";

/**
 * @typedef {{id: number, number: number, seq: number, made_ms: number, page: string, picture: string, thumbnail: string,
 *   kind: string, title: string, width: number, height: number}} Frame
 * @typedef {{at: string, utc: string, sentence: string, local: string, zone: string, offset: string, page: string, picture: string, ink: string, earlier: Record<string, string>,
 *   day: string, around: string, slideshow: string, frame: Frame | null, following: Frame | null, steps: Record<string, string | null>}} MomentInfo
 */

const main = /** @type {HTMLElement} */ (document.querySelector("[data-moment]"));
const { width, height, background = "#ffffff", mine } = main.dataset;
const canvas = /** @type {HTMLCanvasElement} */ (main.querySelector("canvas.moment-picture"));
const image = /** @type {HTMLImageElement} */ (main.querySelector("img.moment-picture"));
const state = /** @type {HTMLElement} */ (main.querySelector(".moment-state"));
const then = /** @type {HTMLElement} */ (main.querySelector('[data-view="then"]'));
const both = /** @type {HTMLElement | null} */ (main.querySelector('[data-view="compare"]'));
const segments = /** @type {HTMLElement} */ (main.querySelector(".segments"));
const playButton = /** @type {HTMLButtonElement} */ (main.querySelector('[data-action="play"]'));
const myStrokesButton = /** @type {HTMLButtonElement | null} */ (main.querySelector('[data-action="my-strokes"]'));
const boxes = /** @type {SVGElement} */ (main.querySelector(".moment-my-strokes"));

let ms = Date.parse(main.dataset.moment ?? "");
/** @type {MomentInfo | null} */
let info = null;
/** @type {import("./replay.js").Replay | null} */
let replay = null;
let replayed = -1; // the frame it is of
/** @type {AbortController | null} */
let request = null;
let shownAs = "then";
let drawnUrl = "";
let drawnFor = -1;
let playing = 0;

// --- Where we are ----------------------------------------------------------------------------------------------------

/** @param {number} to @param {{push?: boolean}} [how] */
async function go(to, { push = true } = {}) {
  stop();
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  state.textContent = "";
  main.classList.add("loading");
  try {
    const answer = await fetch(jsonOf(pageOf(to)), { signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]) });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    /** @type {MomentInfo} */
    const next = await answer.json();
    info = next;
    ms = Date.parse(next.at);
    const address = new URL(next.page);
    if (push && address.pathname !== location.pathname) history.pushState(null, "", address.pathname + address.search + location.hash);
    document.title = document.title.replace(/^.*?·/, `${next.utc} UTC ·`);
    updateText(next);
    timeline?.move(ms);
    fillForm(ms);
    await paint(next, signal);
    if (boxesShown) void showMyStrokes();
  } catch (error) {
    if (signal.aborted) return;
    state.textContent = gettext("This moment could not be painted here: %(why)s", { why: error instanceof Error ? error.message : String(error) });
  } finally {
    if (!signal.aborted) main.classList.remove("loading");
  }
}

/** @param {MomentInfo} now @param {AbortSignal} signal */
async function paint(now, signal) {
  const id = now.frame?.id ?? 0;
  if (replayed !== id || !replay) {
    const wide = now.frame?.width ?? Number(width), high = now.frame?.height ?? Number(height);
    const loaded = await load(now.frame, { width: wide, height: high, background, ink: now.ink, earlier: now.earlier }, signal);
    if (signal.aborted) return;
    replay = loaded;
    replayed = id;
  }
  show(replay.until(ms));
  playButton.hidden = replay.ink.length === 0;
  if (shownAs === "compare") await compare();
}

/** @param {number} count */
function show(count) {
  if (!replay) return;
  put(replay.paint(count), canvas);
  canvas.setAttribute("aria-label", image.alt);
  canvas.hidden = false;
  image.hidden = true;
}

/** @param {MomentInfo} now */
function updateText(now) {
  /** @param {string} name @param {string} text */
  const setText = (name, text) => {
    const element = main.querySelector(`[data-field="${name}"]`);
    if (element) element.textContent = text;
  };
  setText("utc", now.utc);
  setText("local", now.local);
  setText("zone", now.zone);
  setText("offset", now.offset);
  main.querySelector('[data-field="utc"]')?.setAttribute("datetime", now.at);
  const dreamOn = /** @type {HTMLFormElement | null} */ (main.querySelector("[data-dream-on]"));
  if (dreamOn) {
    dreamOn.hidden = !now.frame;
    if (now.frame) dreamOn.action = dreamOn.action.replace(/\d+\/\?.*/, `${now.frame.id}/?at=${now.at}`);
  }
  main.querySelector('[data-field="local-line"]')?.toggleAttribute("hidden", now.zone === "UTC");
  setText("sentence", now.sentence);
  image.alt = gettext("The canvas on %(moment)s UTC.", { moment: now.utc });
  const links = { around: now.around, slideshow: now.slideshow, day: now.day, picture: now.picture, frame: now.frame?.page, following: now.following?.page };
  for (const [name, href] of Object.entries(links)) {
    const link = main.querySelector(`a[data-field="${name}"]`);
    if (link instanceof HTMLAnchorElement && href) link.href = href;
    main.querySelector(`[data-field="${name}-line"]`)?.toggleAttribute("hidden", !href);
  }
  if (now.frame) setText("frame", gettext("The frame below (%(number)s)", { number: now.frame.number }));
  if (now.following) setText("following", gettext("The next dream (%(number)s)", { number: now.following.number }));
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (main.querySelectorAll("a[data-step]"))) {
    const to = now.steps[link.dataset.step ?? ""];
    if (to) {
      link.href = to;
      link.removeAttribute("aria-disabled");
    } else {
      link.removeAttribute("href");
      link.setAttribute("aria-disabled", "true");
    }
  }
  main.querySelector("[data-share-link]")?.setAttribute("data-share-link", now.page);
  const button = segments.querySelector('[data-show="compare"]');
  if (button instanceof HTMLButtonElement) button.disabled = !now.following || !both;
  if (!now.following && shownAs === "compare") void view("then");
}

// --- What was drawn, what was dreamed of it ----------------------------------------------------------------------------

/** @param {string} name */
async function view(name) {
  stop();
  shownAs = name;
  then.hidden = name !== "then";
  if (both) both.hidden = name !== "compare";
  for (const button of segments.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.show === name));
  }
  if (name === "compare") await compare();
}

async function compare() {
  if (!both || !replay || !info?.following) return;
  const drawn = /** @type {HTMLImageElement} */ (both.querySelector("[data-drawn]"));
  const dreamed = /** @type {HTMLImageElement} */ (both.querySelector("[data-dreamed]"));
  if (drawnFor !== info.following.id) {
    drawnFor = info.following.id;
    if (drawnUrl) URL.revokeObjectURL(drawnUrl);
    drawnUrl = await urlOf(replay.paint(replay.upTo(info.following.seq)));
    drawn.src = drawnUrl;
    dreamed.src = info.following.picture;
  }
}

segments.hidden = !both;
segments.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  if (button?.dataset.show) void view(button.dataset.show);
});

// --- Watch it being drawn ---------------------------------------------------------------------------------------------

function stop() {
  cancelAnimationFrame(playing);
  playing = 0;
  playButton.textContent = gettext("Watch it being drawn");
}

/** Plays the ink of this span, with its pauses made short. */
function play() {
  if (playing) {
    stop();
    show(replay?.until(ms) ?? 0);
    return;
  }
  if (!replay) return;
  if (shownAs !== "then") void view("then");
  const { ink } = replay;
  main.querySelector(".moment-stage")?.scrollIntoView({ block: "nearest" }); // on a phone the button is far below it
  const times = ink.length ? [0] : [];
  for (let i = 1; i < ink.length; i++) times.push(times[i - 1] + Math.min(ink[i].at - ink[i - 1].at, 400));
  const begun = performance.now();
  playButton.textContent = gettext("Stop");
  const tick = (/** @type {number} */ now) => {
    let count = times.findIndex((time) => time > now - begun);
    if (count < 0) count = times.length;
    show(count);
    if (count < times.length) playing = requestAnimationFrame(tick);
    else stop();
  };
  playing = requestAnimationFrame(tick);
}

playButton.addEventListener("click", play);

// --- Where I drew --------------------------------------------------------------------------------------------------------

const RECENT = 1_800_000; // ms
let boxesShown = location.hash === "#mine";

async function showMyStrokes() {
  boxes.toggleAttribute("hidden", !boxesShown);
  myStrokesButton?.setAttribute("aria-pressed", String(boxesShown));
  if (!boxesShown || !mine) return;
  const url = new URL(mine, location.href);
  url.searchParams.set("until", new Date(ms).toISOString());
  const answer = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  if (!answer.ok) return;
  /** @type {{strokes: {x: number, y: number, width: number, height: number, at: string}[]}} */
  const { strokes } = await answer.json();
  boxes.replaceChildren(...strokes.map(({ x, y, width, height, at }) => {
    const recent = ms - Date.parse(at) < RECENT;
    const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, value] of Object.entries({ x, y, width, height, rx: 12, class: recent ? "my-strokes-box recent" : "my-strokes-box" })) box.setAttribute(name, String(value));
    return box;
  }));
  state.textContent = strokes.length ? "" : gettext("None of your strokes are on the canvas at this moment.");
}

if (myStrokesButton) {
  myStrokesButton.hidden = false;
  myStrokesButton.addEventListener("click", () => {
    boxesShown = !boxesShown;
    void showMyStrokes();
  });
}

// --- Ways through time -----------------------------------------------------------------------------------------------------

const line = document.querySelector("[data-timeline]");
const timeline = line instanceof HTMLElement
  ? new Timeline(line, {
      // Within the span that is loaded already the picture follows the hand.
      scrub: (to) => {
        if (!replay || !info || replayed !== (info.frame?.id ?? 0)) return;
        const end = info.following?.made_ms ?? Infinity;
        if (to >= (info.frame?.made_ms ?? -Infinity) && to < end) show(replay.until(to));
      },
      pick: (to) => void go(to),
    })
  : null;

main.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-step]") : null;
  if (!(link instanceof HTMLAnchorElement) || !link.href || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  void go(momentIn(link.href));
});

/** @param {string} href */
function momentIn(href) {
  return Date.parse(decodeURIComponent(new URL(href).pathname.split("/").at(-1) ?? ""));
}

addEventListener("popstate", () => void go(momentIn(location.href), { push: false }));

addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
  if (event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]")) return;
  const step = { ArrowLeft: event.shiftKey ? "hour_back" : "frame_back", ArrowRight: event.shiftKey ? "hour_on" : "frame_on" }[event.key];
  const to = step && info?.steps[step];
  if (to) {
    event.preventDefault();
    void go(momentIn(new URL(to, location.href).href));
  } else if (event.key.toLowerCase() === "d" && both && info?.following) {
    void view(shownAs === "then" ? "compare" : "then");
  }
});

void go(ms, { push: false }); // before anything is waited for: a click of somebody quick must not be undone by it
const compareInput = both?.querySelector("input");
if (both && compareInput) (await import("./compare.js")).compare(both);
void zone;
