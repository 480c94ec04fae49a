// @ts-check
/**
 * The timeline as a slider: hover to look, drag or click to go, keys to step. Below the whole history lies a second,
 * magnified track around the chosen moment, for fingers and for long histories. Bars, labels and marks are the
 * server's; this only shows them and asks for more.
 */

import { gettext } from "../i18n.js";
import { Tooltip } from "./tooltip.js";
import { Track } from "./track.js";
import { zone } from "./zone.js";

/** @typedef {import("./track.js").Chart} Chart */

const DAY = 86_400_000, HOUR = 3_600_000;
const SETTLE = 350; // ms that keys rest before they count as a choice

export class Timeline {
  /**
   * @param {HTMLElement} element `[data-timeline]`
   * @param {{scrub?: (ms: number) => void, pick: (ms: number) => void}} callbacks while somebody drags, and where they let go
   */
  constructor(element, callbacks) {
    this.element = element;
    this.callbacks = callbacks;
    const { since = "", until = "", at, json = "" } = element.dataset;
    this.since = Date.parse(since);
    this.until = Date.parse(until);
    this.at = at ? Date.parse(at) : this.until;
    this.json = new URL(json, location.href);
    this.tooltip = new Tooltip(element);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;

    const whole = /** @type {HTMLElement} */ (element.querySelector('[data-track="whole"]'));
    this.whole = new Track(whole, this.#handlers(), this.tooltip, gettext("The whole history"));
    this.whole.extent(this.since, this.until);
    this.near = /** @type {Track | null} */ (null);
    if (this.#reach()) {
      const part = document.createElement("div");
      part.className = "track track-near";
      whole.after(part);
      this.near = new Track(part, this.#handlers(), this.tooltip, gettext("Around this moment"));
    }
    this.move(this.at);
    this.#load(this.whole, this.since, this.until);
  }

  /** How far the magnified track reaches to both sides; 0 where the history is short enough without one. */
  #reach() {
    const span = this.until - this.since;
    return span > 4 * DAY ? DAY / 2 : span > 12 * HOUR ? HOUR : 0;
  }

  #handlers() {
    return {
      scrub: (/** @type {number} */ ms) => {
        this.show(ms);
        this.callbacks.scrub?.(ms);
      },
      pick: (/** @type {number} */ ms) => {
        this.show(ms);
        this.callbacks.pick(ms);
      },
      step: (/** @type {number} */ ms) => {
        this.show(ms);
        this.callbacks.scrub?.(ms);
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.callbacks.pick(ms), SETTLE);
      },
      enter: (/** @type {number} */ ms) => {
        clearTimeout(this.timer);
        this.callbacks.pick(ms);
      },
    };
  }

  /** The marker alone. @param {number} ms */
  show(ms) {
    this.at = ms;
    this.whole.mark(ms);
    this.near?.mark(ms);
  }

  /** The marker, and the magnified track where it does not reach there comfortably. @param {number} ms */
  move(ms) {
    this.show(ms);
    const { near } = this, reach = this.#reach();
    if (!near) return;
    const margin = reach / 4;
    const inside = ms > near.since + (near.since > this.since ? margin : 0) && ms < near.until - (near.until < this.until ? margin : 0);
    if (near.until && inside) return;
    const begin = Math.max(this.since, Math.min(ms - reach, this.until - 2 * reach));
    const end = Math.min(this.until, begin + 2 * reach);
    near.extent(begin, end);
    near.mark(ms);
    this.#load(near, begin, end);
    this.whole.window(begin, end);
  }

  /** @param {Track} track @param {number} since @param {number} until */
  async #load(track, since, until) {
    const url = new URL(this.json);
    url.searchParams.set("zone", zone);
    if (track !== this.whole) {
      url.searchParams.set("from", new Date(since).toISOString());
      url.searchParams.set("to", new Date(until).toISOString());
    }
    url.searchParams.set("bars", String(track.element.clientWidth < 500 ? 90 : 180));
    track.request?.abort();
    track.request = new AbortController();
    try {
      const answer = await fetch(url, { signal: AbortSignal.any([track.request.signal, AbortSignal.timeout(30_000)]) });
      if (!answer.ok) return;
      /** @type {Chart} */
      const chart = await answer.json();
      if (chart.from) track.draw(chart);
    } catch (error) {
      if (!(error instanceof DOMException)) console.info("The timeline could not be loaded.", error);
    }
  }
}
