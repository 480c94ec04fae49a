// @ts-check
/** A dream's large version on its way: how far it is, and the page anew once it is there. */

import { gettext, roughly } from "../i18n.js";

const POLL = 1000; // ms

const section = /** @type {HTMLElement} */ (document.querySelector("[data-print]"));
const part = /** @type {HTMLProgressElement} */ (section.querySelector("progress"));
const words = /** @type {HTMLElement} */ (section.querySelector("[data-words]"));

for (;;) {
  await new Promise((done) => setTimeout(done, POLL));
  try {
    const answer = await fetch(section.dataset.print ?? "", { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(30_000) });
    const work = await answer.json();
    if (!["waiting", "running"].includes(work.state)) {
      location.reload();
      break;
    }
    part.value = work.fraction;
    const time = gettext("about %(time)s", { time: roughly(work.seconds) });
    const text = work.state === "waiting" && work.ahead ? gettext("%(n)s before it, %(time)s", { n: work.ahead, time }) : time;
    if (words.textContent !== text) words.textContent = text;
  } catch {
    words.textContent = gettext("The studio cannot be reached. The dream goes on; trying again …");
  }
}
