// @ts-check
/** The form of a moment: by the viewer's clock, and filled with where one is. */

import { zone } from "./zone.js";

/** @param {number} ms the moment it begins with */
export function moment(ms) {
  const input = /** @type {HTMLInputElement | null} */ (document.querySelector("#at"));
  const select = /** @type {HTMLSelectElement | null} */ (document.querySelector("#zone"));
  if (!input || !select) return;
  if (![...select.options].some(({ value }) => value === zone)) select.add(new Option(zone, zone), 0);
  select.value = zone;
  const fill = () => {
    const parts = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone: select.value });
    input.value = parts.format(ms).replace(" ", "T");
  };
  select.addEventListener("change", fill);
  fill();
}
