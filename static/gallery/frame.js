// @ts-check
/** A frame's page: the arrow keys step through time, the link can be shared, and what was drawn stands beside the dream. */

import { compare } from "./compare.js";
import "../share.js";
import { origins } from "./origins.js";
import { load, urlOf } from "./replay.js";
import "./zone.js";

addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
  if (event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]")) return;
  const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  const link = rel && document.querySelector(`[data-steps] a[rel="${rel}"]`);
  if (link instanceof HTMLAnchorElement) location.assign(link.href);
  if (event.key.toLowerCase() === "d" && segments) void view(shown === "dream" ? "compare" : "dream");
});


const figure = /** @type {HTMLElement | null} */ (document.querySelector("[data-frame]"));
const both = /** @type {HTMLElement | null} */ (figure?.querySelector('[data-view="compare"]') ?? null);
const touched = /** @type {HTMLElement | null} */ (figure?.querySelector('[data-view="origins"]') ?? null);
const segments = /** @type {HTMLElement | null} */ (both && document.querySelector(".segments"));
let shown = "dream";
let loaded = false;

/** @param {string} name */
async function view(name) {
  if (!figure || !both || !segments) return;
  shown = name;
  for (const one of /** @type {NodeListOf<HTMLElement>} */ (figure.querySelectorAll("[data-view]"))) one.hidden = one.dataset.view !== name;
  for (const button of segments.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.show === name));
  figure.querySelector(".origins-told")?.toggleAttribute("hidden", name !== "origins");
  if (name !== "compare" || loaded) return;
  loaded = true;
  const drawn = /** @type {HTMLImageElement} */ (both.querySelector("[data-drawn]"));
  const { below = "", belowSeq, seq, width, height, background = "#ffffff", ink = "", earlier = "{}", drawing = "" } = figure.dataset;
  try {
    const base = below ? { picture: below, seq: Number(belowSeq) } : null;
    const replay = await load(base, { width: Number(width), height: Number(height), background, ink, earlier: JSON.parse(earlier) });
    drawn.src = await urlOf(replay.paint(replay.upTo(Number(seq))));
  } catch (error) {
    console.info("Painted by the server instead.", error);
    drawn.src = drawing;
  }
}

if (both && segments) {
  compare(both);
  const answer = figure?.querySelector(".origins-told");
  if (touched && answer instanceof HTMLElement) origins(touched, answer);
  segments.hidden = false;
  segments.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (button?.dataset.show) void view(button.dataset.show);
  });
}
