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

  const follow = (apart = APART) => {
    if (Math.abs(before.currentTime - after.currentTime) > apart) before.currentTime = after.currentTime;
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
    void before.play().catch(() => {});
    show();
  });
  after.addEventListener("pause", () => {
    before.pause();
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
