// @ts-check
/**
 * Tells whoever looks at something else that a dream is done: the page's title says how far it is, and where the person
 * allows it a notice of the system's appears.
 */

import { gettext, number } from "../i18n.js";

const title = document.title;

/** Shows the button that asks for leave, unless there is one already, or none to be had. @param {HTMLButtonElement | null} button */
export function offer(button) {
  if (!button || !("Notification" in window) || Notification.permission !== "default") return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await Notification.requestPermission();
    button.hidden = true;
  });
}

/** @param {number} fraction */
export function progress(fraction) {
  document.title = `${number(fraction, { style: "percent" })} · ${title}`;
}

/** @param {boolean} done else it failed @param {string} name */
export function ended(done, name) {
  const words = done ? gettext("Your dream “%(name)s” is done.", { name }) : gettext("Your dream “%(name)s” failed.", { name });
  document.title = title;
  if (!document.hidden) return;
  document.title = words;
  document.addEventListener("visibilitychange", () => {
    document.title = title;
  }, { once: true });
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  try {
    const notice = new Notification(words, { tag: location.pathname });
    notice.addEventListener("click", () => {
      focus();
      notice.close();
    });
  } catch {
    // Phones know only notices of service workers; the title and the next page say it there.
  }
}
