// @ts-check
/** What every page has: messages that can be put away, menus that close, times that tell the local hour too. */

import { locale } from "./i18n.js";

const SHOWN_MS = 7000;

/** @param {Element} message */
function dismiss(message) {
  message.classList.add("leaving");
  setTimeout(() => message.remove(), 400);
}

for (const message of document.querySelectorAll(".message")) {
  const button = message.querySelector("button");
  if (!button) continue;
  button.hidden = false;
  button.addEventListener("click", () => dismiss(message));
  // Good news leaves by itself, unless somebody is reading it; bad news stays.
  if (message.matches(".success, .info")) {
    const leave = () => (message.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : dismiss(message));
    setTimeout(leave, SHOWN_MS);
  }
}

// A page that is nothing but a form begins where there is something to fill in, or to correct.
/** @type {HTMLElement | null} */
const first = document.querySelector("[data-focus] [aria-invalid=true]") ?? document.querySelector("[data-focus] .field input");
first?.focus();

for (const menu of /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("details[data-menu]"))) {
  document.addEventListener("pointerdown", (event) => {
    if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
}

// Where tabs do not fit side by side, the one we are on is in sight.
for (const tab of document.querySelectorAll("nav [aria-current]")) {
  const tabs = /** @type {HTMLElement} */ (tab.closest("nav"));
  const { left, right } = tab.getBoundingClientRect(), view = tabs.getBoundingClientRect();
  if (tabs.scrollWidth > tabs.clientWidth) tabs.scrollLeft += (left + right - view.left - view.right) / 2;
}

// Pages are written in UTC, the same for everybody; here each reader gets their own hour, and UTC in the tooltip. UTC may
// stand behind the moment, in a sentence. Where a page says UTC beside another zone (`data-utc`, or a field of the
// timeline), it stays.
for (const time of /** @type {NodeListOf<HTMLTimeElement>} */ (document.querySelectorAll("time[datetime]"))) {
  const moment = new Date(time.dateTime), written = time.textContent?.trim() ?? "";
  if (Number.isNaN(moment.valueOf())) continue;
  const behind = time.nextSibling instanceof Text && /^\s*UTC\b/.test(time.nextSibling.data) ? time.nextSibling : null;
  if ((behind || written.endsWith("UTC")) && time.dataset.utc === undefined) {
    const seconds = /\d:\d\d:\d\d/.test(written);
    time.title = behind ? `${written} UTC` : written;
    if (behind) behind.data = behind.data.replace(/^\s*UTC/, "");
    time.textContent = moment.toLocaleString(locale, { dateStyle: "long", timeStyle: seconds ? "medium" : "short" });
  } else if (!time.title) {
    time.title = moment.toLocaleString(locale, { dateStyle: "full", timeStyle: "long" });
  }
}
