// @ts-check
/**
 * Touch a form in a dream and see whose strokes it grew from: they light up, and their authors are named below.
 *
 * By keys as well: arrows move the place (Shift in strides), Enter or Space asks.
 */

import { gettext } from "../i18n.js";

/** @typedef {{name: string, colour: string, width: number, line: number[]}} Origin */
/** @typedef {{people: {name: string, page: string}[], strokes: Origin[]}} Answer */

const STEP = 1 / 50; // of the picture's longer side, for an arrow key
const STRIDE = 5; // times that, with Shift

/** The words for an answer. @param {Answer} answer */
export function words({ people, strokes }) {
  if (!strokes.length) return gettext("Nobody had drawn anything here. The network dreamed this by itself.");
  if (!people.length) return gettext("This grew from strokes whose authors are not named.");
  return gettext("This grew from strokes by");
}

/**
 * @param {HTMLElement} stage holds the picture and an SVG above it, in the picture's own pixels
 * @param {HTMLElement} box where the answer is said
 */
export function origins(stage, box) {
  const svg = /** @type {SVGSVGElement} */ (stage.querySelector("svg"));
  const { width, height } = svg.viewBox.baseVal;
  let [x, y] = [width / 2, height / 2];
  let asking = new AbortController();
  box.textContent = gettext("Touch a form in the picture.");

  const place = element("circle", { class: "origins-place", r: String(Math.max(width, height) / 60) });
  const lines = element("g", {});
  svg.append(lines, place);
  move(x, y);

  /** @param {number} toX @param {number} toY */
  function move(toX, toY) {
    x = Math.min(Math.max(Math.round(toX), 0), width - 1);
    y = Math.min(Math.max(Math.round(toY), 0), height - 1);
    place.setAttribute("cx", String(x));
    place.setAttribute("cy", String(y));
  }

  async function ask() {
    asking.abort();
    asking = new AbortController();
    try {
      const found = await fetch(new URL(`${stage.dataset.origins}${stage.dataset.origins?.includes("?") ? "&" : "?"}x=${x}&y=${y}`, location.href), { signal: asking.signal });
      if (!found.ok) throw new Error(await found.text());
      show(await found.json());
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return;
      console.info("Whose strokes these are is not known.", error);
      lines.replaceChildren();
      box.textContent = gettext("That could not be looked up. Try again in a moment.");
    }
  }

  /** @param {Answer} answer */
  function show(answer) {
    lines.replaceChildren(...answer.strokes.flatMap(drawn));
    const people = answer.people.flatMap(({ name, page }, place) => {
      const person = document.createElement(page ? "a" : "span");
      person.textContent = name;
      if (person instanceof HTMLAnchorElement) person.href = page;
      return [place ? ", " : " ", person];
    });
    box.replaceChildren(words(answer), ...people);
  }

  stage.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    move(((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height);
    void ask();
  });
  stage.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = Math.max(width, height) * STEP * (event.shiftKey ? STRIDE : 1);
    const [right, down] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key] ?? [0, 0];
    const asks = event.key === "Enter" || event.key === " ";
    if (!right && !down && !asks) return;
    event.preventDefault(); // pages turn by the same keys
    event.stopPropagation();
    if (asks) void ask();
    else move(x + right, y + down);
  });
}

/** A stroke as it lights up: its line, and a dark one below that sets it off. @param {Origin} origin */
function drawn({ line, width, colour }) {
  const pairs = [];
  for (let at = 0; at < line.length; at += 2) pairs.push(`${line[at]},${line[at + 1]}`);
  if (pairs.length === 1) pairs.push(pairs[0]); // a dot is a line that goes nowhere
  const points = pairs.join(" ");
  return [
    element("polyline", { class: "origins-edge", points, "stroke-width": String(width + 10) }),
    element("polyline", { class: "origins-line", points, stroke: colour, "stroke-width": String(width) }),
  ];
}

/** @param {string} name @param {Record<string, string>} attributes */
function element(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
