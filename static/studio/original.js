// @ts-check
/** One picture: styles arrive on the sheet, one is picked, sliders ask for previews, and the dream is requested. */

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
const more = /** @type {HTMLButtonElement} */ (main.querySelector("[data-more]"));
const form = /** @type {HTMLFormElement} */ (main.querySelector("[data-adjust]"));
const shown = /** @type {HTMLImageElement} */ (main.querySelector("[data-shown]"));
const cost = /** @type {HTMLElement} */ (main.querySelector("[data-cost]"));
const dream = /** @type {HTMLButtonElement} */ (main.querySelector("[data-dream]"));
const state = /** @type {HTMLElement} */ (main.querySelector("[data-state]"));
const own = shown.src, ownWords = state.textContent;
/** @type {Map<string, Work>} */
const works = new Map();
let latest = 0; // the newest preview
/** @type {ReturnType<typeof setTimeout> | undefined} */
let settling;

/** @param {string} url @param {RequestInit} [how] */
async function json(url, how) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(30_000), ...how, headers: { Accept: "application/json" } });
  const result = await answer.json();
  if (!answer.ok) throw new Error(result.detail ?? `The server answered ${answer.status}.`);
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
    title.textContent = work.title;
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
}

async function poll() {
  try {
    const { sketches, styles, waiting } = await json(main.dataset.original ?? "");
    for (const sketch of sketches) showSketch(sketch);
    const open = sketches.filter((/** @type {Work} */ sketch) => ["waiting", "running"].includes(sketch.state));
    const [first] = open;
    sheetState.textContent = !styles && waiting
      ? "The network is looking at your picture …"
      : first ? `${open.length} more on the way${first.ahead > open.length ? `, after ${first.ahead} of other people’s` : ""} …` : "";
    more.hidden = open.length > 0 || styles <= sketches.length;
    if (open.length || (!styles && waiting)) setTimeout(poll, POLL);
  } catch {
    sheetState.textContent = "The studio cannot be reached. Trying again …";
    setTimeout(poll, 5 * POLL);
  }
}

/** @param {string} key */
function pick(key) {
  const work = works.get(key);
  if (!work) return;
  for (const button of sheet.querySelectorAll(".sketch")) {
    button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.sketch === key));
  }
  const fields = form.elements;
  /** @type {HTMLInputElement} */ (fields.namedItem("layer")).value = work.layer;
  /** @type {HTMLInputElement} */ (fields.namedItem("channel")).value = work.channel === null ? "" : String(work.channel);
  /** @type {HTMLInputElement} */ (fields.namedItem("title")).value = work.title;
  form.hidden = false;
  if (work.picture) shown.src = work.picture;
  preview();
}

/** @param {{units: number, left: number, seconds: number}} dream what it would cost, and what is left today */
function showCost({ units, left, seconds }) {
  const time = seconds < 90 ? `${Math.max(1, Math.ceil(seconds))} s` : `${Math.ceil(seconds / 60)} min`;
  const enough = units <= left;
  cost.textContent = enough
    ? `About ${time}. It takes ${Math.ceil(units)} of the ${Math.floor(left)} units you have left today.`
    : `It takes ${Math.ceil(units)} units, and you have ${Math.floor(left)} left today. Make it fainter, or come back tomorrow.`;
  dream.disabled = !enough;
}

/** Asks for a preview of the form as it is; an earlier one is not waited for. */
async function preview() {
  const turn = ++latest;
  const body = new FormData(form);
  body.set("kind", "preview");
  state.textContent = "A preview is on its way …";
  try {
    const first = await json(main.dataset.order ?? "", { method: "POST", body });
    if (turn === latest) showCost(first.dream);
    let work = /** @type {Work} */ (first);
    while (turn === latest && ["waiting", "running"].includes(work.state)) {
      state.textContent = work.state === "waiting" && work.ahead
        ? `${work.ahead} before yours, about ${Math.ceil(work.seconds)} s …`
        : `Preview ${Math.round(100 * work.fraction)} % …`;
      await new Promise((done) => setTimeout(done, POLL / 2));
      work = await json(`${work.url.replace(/\/$/, "")}.json`);
    }
    if (turn !== latest) return;
    if (work.picture) shown.src = work.picture;
    state.textContent = work.state === "done" ? work.title : work.message || ownWords;
  } catch (error) {
    if (turn !== latest) return;
    state.textContent = error instanceof Error ? error.message : String(error);
  }
}

sheet.addEventListener("click", ({ target }) => {
  const button = target instanceof Element ? target.closest(".sketch") : null;
  if (button) pick(/** @type {HTMLElement} */ (button).dataset.sketch ?? "");
});
form.addEventListener("input", () => {
  clearTimeout(settling);
  settling = setTimeout(preview, SETTLES);
});
more.addEventListener("click", async () => {
  more.hidden = true;
  const body = new FormData(form);
  body.set("kind", "more");
  await json(main.dataset.order ?? "", { method: "POST", body }).catch(() => {});
  poll();
});
// Held down, the picture is as it was uploaded.
shown.addEventListener("pointerdown", () => {
  const now = shown.src;
  shown.src = own;
  const back = () => {
    shown.src = now;
    removeEventListener("pointerup", back);
  };
  addEventListener("pointerup", back);
});
for (const select of main.querySelectorAll("[data-submits]")) {
  select.addEventListener("change", () => /** @type {HTMLSelectElement} */ (select).form?.submit());
}

poll();
