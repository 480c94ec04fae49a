// @ts-check
/** The pictures of an exhibit in the administration: up and down instead of numbers, which stay for who has no script. */

import { gettext } from "../i18n.js";

addEventListener("DOMContentLoaded", () => {
  const group = document.querySelector("#pictures-group");
  if (!group) return;

  /** @returns {HTMLElement[]} */
  const forms = () => [...group.querySelectorAll(".inline-related:not(.empty-form)")].filter((form) => form instanceof HTMLElement);

  function number() {
    for (const [index, form] of forms().entries()) {
      const position = form.querySelector("input[name$=-position]");
      if (position instanceof HTMLInputElement) position.value = String(index + 1);
    }
  }

  /** @param {HTMLElement} form @param {number} step */
  function move(form, step) {
    const all = forms();
    const other = all[all.indexOf(form) + step];
    if (!other) return;
    if (step < 0) other.before(form);
    else other.after(form);
    number();
  }

  /** @param {HTMLElement} form */
  function equip(form) {
    const head = form.querySelector("h3");
    if (!head || head.querySelector("[data-move]")) return;
    for (const [step, sign, label] of /** @type {[number, string, string][]} */ ([[-1, "↑", gettext("Earlier")], [1, "↓", gettext("Later")]])) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "exhibit-move";
      button.dataset.move = String(step);
      button.textContent = sign;
      button.title = label;
      button.addEventListener("click", () => {
        move(form, step);
        button.focus();
      });
      head.append(button);
    }
  }

  for (const form of forms()) equip(form);
  group.addEventListener("formset:added", (event) => {
    if (!(event.target instanceof HTMLElement)) return;
    equip(event.target);
    number();
  });
});
