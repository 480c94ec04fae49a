// @ts-check
/** The farewell's small things: the drink that changes its name, the last canvas in its own pixels. */

const PAUSE_MS = 6000;

const title = /** @type {HTMLElement | null} */ (document.querySelector("[data-drinks]"));
const name = title?.querySelector("[data-drink]");
const drinks = title?.dataset.drinks?.split("|") ?? [];

function showAnother() {
  if (!name) return;
  const others = drinks.filter((drink) => drink !== name.textContent);
  name.textContent = others[Math.floor(Math.random() * others.length)] ?? name.textContent;
}

showAnother();
// It changes while one looks, unless one asked for stillness.
if (name && !matchMedia("(prefers-reduced-motion: reduce)").matches) setInterval(showAnother, PAUSE_MS);

const zoom = /** @type {HTMLButtonElement | null} */ (document.querySelector("[data-zoom]"));
const box = document.querySelector(".last-scroll");
if (zoom && box) {
  zoom.hidden = false;
  zoom.addEventListener("click", () => {
    const large = box.classList.toggle("last-large");
    zoom.setAttribute("aria-pressed", String(large));
    if (large) box.scrollTo((box.scrollWidth - box.clientWidth) / 2, (box.scrollHeight - box.clientHeight) / 2);
  });
}
