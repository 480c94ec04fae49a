// @ts-check
/** A video and its dream, one above the other with a movable edge, shown at the same moment. The dream is heard. */

import { gettext } from "../i18n.js";
import { compare } from "../gallery/compare.js";

const APART = 0.08; // seconds that the two may be apart while they run

/** @param {number} seconds */
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** @param {HTMLElement} films */
function together(films) {
  const [before, after] = /** @type {HTMLVideoElement[]} */ ([...films.querySelectorAll("video")]);
  const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (films.querySelector(`[data-${name}]`));
  const play = find("play"), moment = /** @type {HTMLInputElement} */ (find("moment")), time = find("clock");
  const words = { play: play.textContent ?? "", pause: gettext("Pause") };
  before.controls = after.controls = false;
  find("controls").hidden = false;
  compare(/** @type {HTMLElement} */ (films.querySelector(".compare")));

  before.loop = false; // the dream is longer where a card with its music's credit is at its end
  const follow = (apart = APART) => {
    const end = before.duration || Infinity, at = Math.min(after.currentTime, end);
    if (Math.abs(before.currentTime - at) > apart) before.currentTime = at;
    if (after.paused || at === end) before.pause();
    else if (before.paused) void before.play().catch(() => {});
  };
  const show = () => {
    const length = after.duration || 0;
    moment.max = String(length || 1);
    moment.valueAsNumber = after.currentTime;
    moment.setAttribute("aria-valuetext", clock(after.currentTime));
    time.textContent = `${clock(after.currentTime)} / ${clock(length)}`;
    play.textContent = after.paused ? words.play : words.pause;
    play.setAttribute("aria-pressed", String(!after.paused));
  };
  play.addEventListener("click", () => void (after.paused ? after.play() : after.pause()));
  moment.addEventListener("input", () => {
    after.currentTime = moment.valueAsNumber;
    follow(0);
  });
  after.addEventListener("play", () => {
    follow(0);
    show();
  });
  after.addEventListener("pause", () => {
    follow(0);
    show();
  });
  after.addEventListener("seeked", () => follow(0));
  for (const name of ["timeupdate", "loadedmetadata", "durationchange"]) {
    after.addEventListener(name, () => {
      follow();
      show();
    });
  }
  show();
}

for (const films of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-films]"))) together(films);
