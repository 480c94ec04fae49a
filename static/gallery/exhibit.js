// @ts-check
/** An exhibit's pictures one at a time on the whole screen: buttons, arrow keys, Escape. */

const figures = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".exhibit-items .exhibit-item")]);
const exhibit = document.querySelector(".exhibit");
const bar = document.querySelector("[data-fullscreen-bar]");
const position = bar?.querySelector("[data-full-position]");
/** @type {HTMLElement | null} */
let before = null; // what had the focus
let at = -1;

/** @param {number} index */
function show(index) {
  if (!(exhibit instanceof HTMLElement) || !(bar instanceof HTMLElement)) return;
  const first = at < 0;
  figures[at]?.classList.remove("exhibit-item-full");
  at = (index + figures.length) % figures.length;
  const figure = figures[at];
  if (!figure) return;
  for (const image of figure.querySelectorAll("img")) image.loading = "eager";
  // Where the picture must fit by its height, its width follows from that: the pictures' own shape says how.
  const image = figure.querySelector(".compare-side:last-of-type img, .exhibit-item-one img");
  if (image instanceof HTMLImageElement) figure.style.setProperty("--shape", `${image.width / image.height}`);
  figure.classList.add("exhibit-item-full");
  if (position) position.textContent = `${at + 1} / ${figures.length}`;
  if (!first) return;
  before = document.activeElement instanceof HTMLElement ? document.activeElement : null;
  bar.hidden = false;
  document.documentElement.classList.add("full");
  // Where the browser has no real full screen (iPhones), the whole window has to do.
  exhibit.requestFullscreen?.().catch(() => {});
  /** @type {HTMLElement | null} */ (bar.querySelector("[data-full-step='1']"))?.focus();
}

function close() {
  if (at < 0 || !(bar instanceof HTMLElement)) return;
  const figure = figures[at];
  figure?.classList.remove("exhibit-item-full");
  document.documentElement.classList.remove("full");
  bar.hidden = true;
  at = -1;
  if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
  figure?.scrollIntoView({ block: "nearest" });
  before?.focus();
}

for (const [index, figure] of figures.entries()) {
  const button = figure.querySelector("[data-full]");
  if (!(button instanceof HTMLButtonElement)) continue;
  button.hidden = false;
  button.addEventListener("click", () => show(index));
}

for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-full-step]"))) {
  button.hidden = figures.length < 2;
  button.addEventListener("click", () => show(at + Number(button.dataset.fullStep)));
}
document.querySelector("[data-full-close]")?.addEventListener("click", close);
document.addEventListener("fullscreenchange", () => document.fullscreenElement ?? close());

addEventListener("keydown", (event) => {
  if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "Escape") close();
  else if (event.key === "ArrowLeft" || event.key === "PageUp") show(at - 1);
  else if (event.key === "ArrowRight" || event.key === "PageDown") show(at + 1);
  else return;
  event.preventDefault();
});
