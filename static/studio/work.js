// @ts-check
/** A dream that is being made: how far it is, how long it will take, and the picture as it grows. */

import { gettext, ngettext, roughly } from "../i18n.js";
import { getJson, Gone, seen } from "../poll.js";
import { ended, offer, progress } from "./tell.js";

const POLL = 700; // ms

const main = /** @type {HTMLElement} */ (document.querySelector("[data-work]"));
main.classList.add("ready");

/** @param {number} seconds */
const about = (seconds) => gettext("about %(time)s", { time: roughly(seconds) });

async function watch() {
  const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (main.querySelector(`[data-${name}]`));
  const picture = /** @type {HTMLImageElement} */ (find("growing")), part = /** @type {HTMLProgressElement} */ (find("part"));
  offer(/** @type {HTMLButtonElement | null} */ (main.querySelector("[data-tell]")));
  for (let grown = 0; ; ) {
    await new Promise((done) => setTimeout(done, POLL)); // also while nobody looks: the title says how far it is
    const work = await getJson(main.dataset.work ?? "");
    if (!work) {
      find("words").textContent = gettext("The studio cannot be reached. The dream goes on; trying again …");
      continue;
    }
    if (!["waiting", "running"].includes(work.state)) {
      ended(work.state === "done", work.title);
      return;
    }
    part.value = work.fraction;
    progress(work.fraction);
    find("title").textContent = work.state === "waiting" ? gettext("Waiting") : (find("title").dataset.doing ?? "");
    const words = work.state === "waiting" && work.ahead
      ? ngettext("%(n)s dream before yours, %(time)s", "%(n)s dreams before yours, %(time)s", work.ahead, { time: about(work.seconds) })
      : about(work.seconds);
    if (find("words").textContent !== words) find("words").textContent = words;
    if (work.growing && work.fraction - grown > 0.04) {
      grown = work.fraction;
      const next = new Image();
      next.onload = () => {
        picture.src = next.src;
      };
      next.src = `${work.growing}?${Math.round(1000 * grown)}`;
    }
  }
}

/** Watches it to its end. The page that shows how it ended is asked for once somebody looks: until then nobody has seen it. */
async function follow() {
  try {
    await watch();
  } catch (error) {
    if (!(error instanceof Gone)) throw error; // else the page says what has become of it
  }
  await seen();
  location.reload();
}

if (["waiting", "running"].includes(main.dataset.state ?? "")) void follow();
