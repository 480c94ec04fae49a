// @ts-check
/** The page of all frames: its timeline leads to any moment. */

import { moment } from "./moment_form.js";
import { Timeline } from "./timeline.js";
import { pageOf } from "./times.js";
import "./zone.js";

// Where style sheets cannot keep it open beside large pictures (timeline.css).
const when = document.querySelector("details.when");
const folds = CSS.supports("selector(::details-content)") || matchMedia("(max-width: 40rem)").matches;
if (when instanceof HTMLDetailsElement && !folds) when.open = true;

const element = document.querySelector("[data-timeline]");
if (element instanceof HTMLElement) {
  const begin = () => {
    const timeline = new Timeline(element, { pick: (ms) => location.assign(pageOf(ms)) });
    moment(timeline.at);
  };
  // A folded one has no width to draw for.
  if (element.clientWidth) begin();
  else when?.addEventListener("toggle", begin, { once: true });
}
