// @ts-check
/**
 * One picture: styles arrive on the sheet, or a class is found by its name; sliders, a painted mask and a guide picture ask
 * for previews; and the dream is requested.
 */

import { gettext, ngettext, roughly, say, word } from "../i18n.js";
import { getJson, Gone, pause } from "../poll.js";
import { Mask } from "./mask.js";

const POLL = 800; // ms while something is on its way
const SETTLES = 350; // ms after a slider moved

/**
 * @typedef {{key: string, url: string, state: string, fraction: number, ahead: number, seconds: number, message: string,
 *   title: string, layer: string, channel: number | null, picture: string | null, thumbnail: string | null}} Work
 */

const main = /** @type {HTMLElement} */ (document.querySelector("[data-original]"));
main.classList.add("ready");
const sheet = /** @type {HTMLElement} */ (main.querySelector("[data-sheet]"));
const sheetState = /** @type {HTMLElement} */ (main.querySelector("[data-sheet-state]"));
const more = /** @type {NodeListOf<HTMLButtonElement>} */ (main.querySelectorAll("[data-more]"));
const form = /** @type {HTMLFormElement} */ (main.querySelector("[data-adjust]"));
const shown = /** @type {HTMLImageElement} */ (main.querySelector("[data-shown]"));
const cost = /** @type {HTMLElement} */ (main.querySelector("[data-cost]"));
const dream = /** @type {HTMLButtonElement} */ (main.querySelector("[data-dream]"));
const state = /** @type {HTMLElement} */ (main.querySelector("[data-state]"));
const own = shown.src, ownWords = state.textContent;
/** @type {Map<string, Work>} */
const works = new Map();
let latest = 0; // the newest preview
let wish = ""; // the key of a sketch
/** @type {ReturnType<typeof setTimeout> | undefined} */
let settling;

/** @param {string} url @param {RequestInit} [how] */
async function json(url, how) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(30_000), ...how, headers: { Accept: "application/json" } });
  const result = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(result.detail ?? gettext("The server answered %(status)s.", { status: String(answer.status) }));
  return result;
}

/** @param {Work} work */
function showSketch(work) {
  works.set(work.key, work);
  let button = /** @type {HTMLButtonElement | null} */ (sheet.querySelector(`[data-sketch="${work.key}"]`));
  if (!button) {
    const item = document.createElement("li");
    button = document.createElement("button");
    button.type = "button";
    button.className = "sketch";
    button.dataset.sketch = work.key;
    button.setAttribute("aria-pressed", "false");
    const title = document.createElement("span");
    title.className = "small";
    title.textContent = gettext(work.title);
    button.append(title);
    item.append(button);
    sheet.append(item);
  }
  if (work.thumbnail && !button.querySelector("img")) {
    const image = new Image();
    image.alt = "";
    image.src = work.thumbnail;
    button.prepend(image);
  }
  if (work.state === "failed") button.closest("li")?.remove();
  if (work.key === wish) {
    wish = "";
    pick(work.key);
  }
}

async function poll() {
  try {
    const found = await getJson(main.dataset.original ?? "");
    if (!found) {
      sheetState.textContent = gettext("The studio cannot be reached. Trying again …");
      return void pause(5 * POLL).then(poll);
    }
    const { sketches, styles, waiting } = found;
    for (const sketch of sketches) showSketch(sketch);
    const open = sketches.filter((/** @type {Work} */ sketch) => ["waiting", "running"].includes(sketch.state));
    const [first] = open;
    sheetState.textContent = !styles && waiting
      ? gettext("The network is looking at your picture …")
      : first ? (first.ahead > open.length
      ? gettext("%(n)s more on the way, after %(others)s of other people’s …", { n: open.length, others: first.ahead })
      : gettext("%(n)s more on the way …", { n: open.length })) : "";
    for (const button of more) button.hidden = open.length > 0 || styles <= sketches.length;
    if (open.length || (!styles && waiting)) void pause(POLL).then(poll);
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
    sheetState.textContent = ""; // deleted, or somebody has signed out: nothing more arrives
  }
}

/** @param {string} name @returns {HTMLInputElement} */
const field = (name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));

/** Fills the form, which shows from now on. @param {{layer?: string, channel?: number | null, label?: string, title: string}} style @param {string} [key] of its sketch */
function choose({ layer = "", channel = null, label = "", title }, key) {
  for (const button of sheet.querySelectorAll(".sketch")) {
    button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.sketch === key));
  }
  for (const button of main.querySelectorAll("[data-class]")) {
    button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.class === label));
  }
  field("layer").value = layer;
  field("channel").value = channel === null ? "" : String(channel);
  field("label").value = label;
  field("title").value = title;
  const chosen = main.querySelector("[data-chosen]");
  if (chosen) chosen.textContent = word(title).text;
  if (label && field("guide").value) guideBy(""); // a guide chooses among a style's channels
  form.hidden = false;
  preview();
}

/** @param {string} key */
function pick(key) {
  const work = works.get(key);
  if (!work) {
    wish = key; // picked before the page knew what it is
    return;
  }
  if (work.picture) shown.src = work.picture;
  choose(work, key);
}

/** @typedef {{side: number, width: number, height: number, units: number, seconds: number}} Size a dream may have, and its cost */

/** @type {{left: number, units: number, seconds: number, sizes: Size[]} | undefined} what the dream would cost, and what is left today */
let price;

/** Says what the dream would cost at each size, and at the chosen one. */
function showCost() {
  if (!price) return;
  for (const { side, width, height, seconds } of price.sizes) {
    const words = form.querySelector(`[data-size="${side}"]`);
    if (words) words.textContent = gettext("%(width)s × %(height)s, about %(time)s", { width: String(width), height: String(height), time: roughly(seconds) });
  }
  const { units, seconds } = price.sizes.find(({ side }) => String(side) === field("side")?.value) ?? price, { left } = price;
  const time = roughly(seconds);
  const enough = units <= left;
  cost.textContent = enough
    ? gettext("About %(time)s. It takes %(units)s of the %(left)s units you have left today.", { time, units: Math.ceil(units), left: Math.floor(left) })
    : gettext("It takes %(units)s units, and you have %(left)s left today. Make it fainter or smaller, or come back tomorrow.", { units: Math.ceil(units), left: Math.floor(left) });
  dream.disabled = !enough;
}

/** Asks for a preview of the form as it is; an earlier one is not waited for. */
async function preview() {
  const turn = ++latest;
  const body = new FormData(form);
  body.set("kind", "preview");
  state.textContent = gettext("A preview is on its way …");
  try {
    const first = await json(main.dataset.order ?? "", { method: "POST", body });
    if (turn === latest) {
      price = first.dream;
      showCost();
    }
    let work = /** @type {Work} */ (first);
    while (turn === latest && ["waiting", "running"].includes(work.state)) {
      state.textContent = work.state === "waiting" && work.ahead
        ? gettext("%(n)s before yours, about %(time)s …", { n: work.ahead, time: roughly(work.seconds) })
        : gettext("Preview %(n)s % …", { n: Math.round(100 * work.fraction) });
      await pause(POLL / 2);
      work = await json(`${work.url.replace(/\/$/, "")}.json`);
    }
    if (turn !== latest) return;
    if (work.picture) shown.src = work.picture;
    state.textContent = work.state === "done" ? gettext(work.title) : work.message || ownWords;
  } catch (error) {
    if (turn !== latest) return;
    state.textContent = error instanceof Error ? error.message : String(error);
  }
}

// --- A class by its name --------------------------------------------------------------------------------------------

const classes = /** @type {HTMLElement | null} */ (main.querySelector("[data-classes]"));
if (classes) {
  const search = /** @type {HTMLInputElement} */ (classes.querySelector("input"));
  const list = /** @type {HTMLElement} */ (classes.querySelector("[data-class-list]"));
  const found = /** @type {HTMLElement} */ (classes.querySelector("[data-class-state]"));
  let newest = 0;
  const look = async () => {
    const turn = ++newest, text = search.value.trim();
    const answer = text ? await json(`${classes.dataset.classes}&q=${encodeURIComponent(text)}`).catch(() => null) : { labels: [] };
    if (turn !== newest || !answer) return;
    list.replaceChildren(...answer.labels.map((/** @type {string} */ label) => {
      const item = document.createElement("li"), button = document.createElement("button");
      button.type = "button";
      button.className = "chip";
      button.dataset.class = label;
      button.setAttribute("aria-pressed", String(field("label").value === label));
      say(button, label.replaceAll("_", " "));
      item.append(button);
      return item;
    }));
    found.textContent = !text ? "" : answer.labels.length ? ngettext("%(n)s found", "%(n)s found", answer.labels.length) : gettext("This network knows no %(word)s.", { word: text });
    found.classList.toggle("visually-hidden", !text || answer.labels.length > 0);
  };
  search.addEventListener("input", () => void look());
  search.addEventListener("keydown", async (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    await look();
    list.querySelector("button")?.click();
  });
  list.addEventListener("click", ({ target }) => {
    const label = target instanceof HTMLElement ? target.dataset.class : "";
    if (label) choose({ label, title: label.split(",")[0].replaceAll("_", " ") });
  });
}

// --- What is spared -------------------------------------------------------------------------------------------------

const frame = /** @type {HTMLElement} */ (main.querySelector("[data-frame]"));
frame.style.setProperty("--aspect", String(shown.width / shown.height || 1));
const maskCanvas = /** @type {HTMLCanvasElement} */ (frame.querySelector("[data-mask-canvas]"));
const mask = new Mask(
  maskCanvas,
  /** @type {HTMLElement} */ (frame.querySelector("[data-mask-ring]")),
  { width: Number(shown.getAttribute("width")), height: Number(shown.getAttribute("height")) },
  () => {
    field("mask").value = mask.value;
    form.dispatchEvent(new Event("input"));
  },
);
const masking = /** @type {HTMLDetailsElement} */ (main.querySelector("[data-mask]"));
masking.addEventListener("toggle", () => {
  maskCanvas.hidden = !masking.open;
});
masking.addEventListener("input", (event) => {
  event.stopPropagation(); // the brush is no part of the dream
  const input = /** @type {HTMLInputElement} */ (event.target);
  if (input.name === "paints") mask.spares = input.value === "spare";
  else mask.size = Number(input.value);
});
masking.querySelector("[data-mask-invert]")?.addEventListener("click", () => mask.invert());
masking.querySelector("[data-mask-clear]")?.addEventListener("click", () => mask.clear());

// --- A picture that guides it ---------------------------------------------------------------------------------------

const guides = /** @type {HTMLElement} */ (main.querySelector("[data-guide-list]"));
const guideState = /** @type {HTMLElement} */ (main.querySelector("[data-guide-state]"));

/** @param {string} key of a picture; empty: none guides it */
function guideBy(key) {
  field("guide").value = key;
  for (const radio of /** @type {NodeListOf<HTMLInputElement>} */ (guides.querySelectorAll("[name=by]"))) radio.checked = radio.value === key;
}

guides.addEventListener("input", ({ target }) => {
  const key = /** @type {HTMLInputElement} */ (target).value;
  guideBy(key);
  if (!key || field("layer").value) return;
  const first = [...works.values()].find(({ layer, state }) => layer && state === "done");
  if (first) choose(first, first.key); // a class has no channels to choose among: a style does
});
main.querySelector("[data-guide-file]")?.addEventListener("change", async (event) => {
  const input = /** @type {HTMLInputElement} */ (event.target), [file] = input.files ?? [];
  if (!file) return;
  guideState.textContent = gettext("Sending the picture …");
  const body = new FormData();
  body.append("csrfmiddlewaretoken", field("csrfmiddlewaretoken").value);
  body.append("guide", "1");
  body.append("picture", file, "picture");
  try {
    const { key, picture } = await json(main.dataset.upload ?? "", { method: "POST", body, signal: AbortSignal.timeout(600_000) });
    const label = document.createElement("label"), radio = document.createElement("input"), image = new Image();
    label.className = "guide";
    radio.type = "radio";
    radio.name = "by";
    radio.value = key;
    image.src = picture;
    image.alt = gettext("The picture you just uploaded");
    label.append(radio, image);
    guides.append(label);
    guideState.textContent = "";
    radio.click();
  } catch (error) {
    guideState.textContent = error instanceof Error ? error.message : String(error);
  }
  input.value = "";
});

// --- A journey into it ----------------------------------------------------------------------------------------------

const journey = /** @type {HTMLDetailsElement | null} */ (main.querySelector("[data-journey]"));
if (journey) {
  const words = /** @type {HTMLElement} */ (journey.querySelector("[data-journey-cost]"));
  const begin = /** @type {HTMLButtonElement} */ (journey.querySelector("[data-journey-begin]"));
  const kind = /** @type {HTMLSelectElement} */ (journey.querySelector("select"));
  let newest = 0;
  const look = async () => {
    const things = /** @type {HTMLElement | null} */ (field("journey-things").closest(".field"));
    if (things) things.hidden = kind.value !== "classes";
    if (!journey.open) return;
    const turn = ++newest;
    try {
      const found = await json(journey.dataset.journey ?? "", { method: "POST", body: new FormData(form) });
      if (turn !== newest) return;
      const { units, left, seconds, key_frames: count, length } = found;
      const time = roughly(seconds);
      words.textContent = gettext("%(frames)s key frames, a film of %(length)s s. About %(time)s of work: %(units)s of the %(left)s units you have left today.", { frames: count, length: Math.round(length), time, units: Math.ceil(units), left: Math.floor(left) });
      begin.disabled = units > left && field("journey-led").value === "1";
    } catch (error) {
      if (turn === newest) words.textContent = error instanceof Error ? error.message : String(error);
    }
  };
  let waits = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  journey.addEventListener("toggle", () => void look());
  journey.addEventListener("input", (event) => {
    event.stopPropagation(); // no part of the dream that is previewed
    clearTimeout(waits);
    waits = setTimeout(look, SETTLES);
  });
  form.addEventListener("input", () => void look());
  void look();
}

sheet.addEventListener("click", ({ target }) => {
  const button = target instanceof Element ? target.closest(".sketch") : null;
  if (button) pick(/** @type {HTMLElement} */ (button).dataset.sketch ?? "");
});
form.addEventListener("input", ({ target }) => {
  if (/** @type {HTMLInputElement | null} */ (target)?.name === "side") return showCost(); // a preview has a size of its own
  clearTimeout(settling);
  settling = setTimeout(preview, SETTLES);
});
for (const asked of more) {
  asked.addEventListener("click", async () => {
    for (const button of more) button.hidden = true;
    const body = new FormData(form);
    body.set("kind", asked.dataset.more ?? "");
    try {
      const { keys } = await json(main.dataset.order ?? "", { method: "POST", body });
      if (asked.dataset.more === "surprise") wish = keys[0] ?? "";
      await poll();
    } catch (error) {
      sheetState.textContent = error instanceof Error ? error.message : String(error);
      for (const button of more) button.hidden = false;
    }
  });
}
// Held down, the picture is as it was uploaded.
shown.addEventListener("pointerdown", () => {
  const now = shown.src;
  shown.src = own;
  const back = () => {
    if (shown.src === own) shown.src = now; // else a preview has come meanwhile
    for (const type of ["pointerup", "pointercancel"]) removeEventListener(type, back);
  };
  for (const type of ["pointerup", "pointercancel"]) addEventListener(type, back);
});
for (const select of main.querySelectorAll("[data-submits]")) {
  select.addEventListener("change", () => /** @type {HTMLSelectElement} */ (select).form?.submit());
}

await poll();
const wanted = new URLSearchParams(location.search).get("pick"); // a sketch that another page shows
if (wanted && works.has(wanted)) pick(wanted);
if (form.dataset.again !== undefined) { // a dream is dreamed again: the form has its recipe
  if (field("mask").value) await mask.load(field("mask").value);
  void preview();
}
