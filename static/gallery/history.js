// @ts-check
/** The page of all frames: its timeline leads to any moment. */

import { moment } from "./moment_form.js";
import { Timeline } from "./timeline.js";
import { pageOf } from "./times.js";
import "./zone.js";

const element = document.querySelector("[data-timeline]");
if (element instanceof HTMLElement) {
  const timeline = new Timeline(element, { pick: (ms) => location.assign(pageOf(ms)) });
  moment(timeline.at);
}
