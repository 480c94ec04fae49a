// @ts-check
/** What hovers above the timeline while somebody looks along it: the time, how much went on, and the picture of then. */

import { dayOf, jsonOf, pageOf, timeOf } from "./times.js";

const WAIT = 90; // ms that the pointer rests before a picture is asked for

export class Tooltip {
  /** @param {HTMLElement} element the timeline */
  constructor(element) {
    this.element = document.createElement("div");
    this.element.className = "tooltip";
    this.element.hidden = true;
    this.image = new Image();
    this.image.alt = "";
    this.image.hidden = true;
    this.words = document.createElement("span");
    this.more = document.createElement("small");
    this.element.append(this.image, this.words, this.more);
    element.append(this.element);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {AbortController | null} */
    this.request = null;
    /** @type {Map<string, string>} moment's address -> thumbnail */
    this.known = new Map();
  }

  /** @param {number} ms @param {string} detail @param {number} x px in the timeline @param {number} y px of the track's top */
  show(ms, detail, x, y) {
    const { element, words, more } = this;
    words.textContent = `${dayOf(ms)}, ${timeOf(ms)}`;
    more.textContent = detail;
    element.hidden = false;
    const width = element.parentElement?.clientWidth ?? 0, half = element.offsetWidth / 2;
    element.style.setProperty("--x", `${Math.min(Math.max(x, half), Math.max(width - half, half))}px`);
    element.style.setProperty("--y", `${y}px`);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#picture(ms), WAIT);
  }

  hide() {
    clearTimeout(this.timer);
    this.request?.abort();
    this.element.hidden = true;
    this.image.hidden = true;
  }

  /** @param {number} ms */
  async #picture(ms) {
    const page = pageOf(ms);
    let address = this.known.get(page);
    if (address === undefined) {
      this.request?.abort();
      this.request = new AbortController();
      try {
        const answer = await fetch(jsonOf(page), { signal: AbortSignal.any([this.request.signal, AbortSignal.timeout(30_000)]) });
        if (!answer.ok) return;
        address = String((await answer.json()).frame?.thumbnail ?? "");
      } catch {
        return; // another moment was asked for, or the network is away: the time alone will do
      }
      this.known.set(page, address);
    }
    this.image.hidden = !address;
    if (address && this.image.src !== address) this.image.src = address;
  }
}
