// @ts-check
/** One line of time: bars, marks, labels, and a slider over them. */

import { gettext, ngettext } from "../i18n.js";
import { dayOf, timeOf } from "./times.js";

/**
 * @typedef {{at: number, end: number, frames: number, strokes: number, changes: number, label: string, height: number}} Bar
 * @typedef {{from: string, to: string, step: number, most: number, bars: Bar[], ticks: {at: number, label: string}[],
 *   styles: {at: number, number: number, title: string}[]}} Chart
 * @typedef {{scrub: (ms: number) => void, pick: (ms: number) => void, step: (ms: number) => void, enter: (ms: number) => void}} Handlers
 */

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 100;
const LETTER = 7; // px, about
const APART = 40; // px from style change to style change, on average, for lines through the whole track
const FINE = 48; // px away from the track at which a drag becomes half as fast, and again at twice as far

/** @param {string} name @param {Record<string, string | number>} attributes */
function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

export class Track {
  /** @param {HTMLElement} element @param {Handlers} handlers @param {import("./tooltip.js").Tooltip} tooltip @param {string} label */
  constructor(element, handlers, tooltip, label) {
    this.element = element;
    this.handlers = handlers;
    this.tooltip = tooltip;
    this.since = 0;
    this.until = 0;
    this.at = 0;
    /** @type {Bar[]} */
    this.bars = [];
    this.step = 60_000;
    /** @type {AbortController | undefined} */
    this.request = undefined;
    /** @type {{style: number, title: string}[]} */
    this.styles = [];

    element.querySelector(".track-now")?.remove();
    this.svg = element.querySelector(".track-bars") ?? shape("svg", { class: "track-bars", preserveAspectRatio: "none", "aria-hidden": "true" });
    this.ticks = element.querySelector(".track-ticks") ?? shape("svg", { class: "track-ticks", width: "100%", height: 22, "aria-hidden": "true" });
    if (!this.svg.parentNode) element.append(this.svg, this.ticks);
    this.part = document.createElement("i");
    this.part.className = "track-window";
    this.part.hidden = true;
    this.slider = document.createElement("div");
    this.slider.className = "track-slider";
    this.slider.tabIndex = 0;
    for (const [name, value] of Object.entries({ role: "slider", "aria-label": label, "aria-orientation": "horizontal" })) {
      this.slider.setAttribute(name, value);
    }
    this.thumb = document.createElement("i");
    this.thumb.className = "track-thumb";
    this.slider.append(this.thumb);
    element.append(this.part, this.slider);
    this.#listen();
  }

  /** @param {number} since @param {number} until */
  extent(since, until) {
    this.since = since;
    this.until = until;
    this.slider.setAttribute("aria-valuemin", String(Math.round(since / 1000)));
    this.slider.setAttribute("aria-valuemax", String(Math.round(until / 1000)));
  }

  /** @param {number} ms */
  share(ms) {
    return Math.min(Math.max((ms - this.since) / (this.until - this.since || 1), 0), 1);
  }

  /** Where the marker stands. @param {number} ms */
  mark(ms) {
    this.at = ms;
    this.thumb.hidden = ms < this.since || ms > this.until;
    this.slider.style.setProperty("--at", `${100 * this.share(ms)}%`);
    const at = Math.min(Math.max(ms, this.since), this.until);
    this.slider.setAttribute("aria-valuenow", String(Math.round(at / 1000)));
    const info = this.detail(at);
    this.slider.setAttribute("aria-valuetext", `${dayOf(at)}, ${timeOf(at)}${info ? `. ${info}` : ""}`);
  }

  /** The chart that a finer track shows. @param {number} since @param {number} until */
  window(since, until) {
    this.part.hidden = false;
    this.part.style.setProperty("--from", `${100 * this.share(since)}%`);
    this.part.style.setProperty("--to", `${100 * this.share(until)}%`);
  }

  /** @param {Chart} chart */
  draw(chart) {
    this.extent(Date.parse(chart.from), Date.parse(chart.to));
    this.bars = chart.bars;
    this.step = 1000 * chart.step;
    this.styles = chart.styles.map(({ at, title }) => ({ style: 1000 * at, title }));
    const span = (this.until - this.since) / 1000, begin = this.since / 1000;
    const x = (/** @type {number} */ at) => (1000 * (at - begin)) / span;
    this.svg.setAttribute("viewBox", `0 0 1000 ${HEIGHT}`);
    const shapes = [];
    for (const bar of chart.bars) {
      if (!bar.height) continue;
      const left = Math.max(x(bar.at), 0), right = Math.min(x(bar.end), 1000);
      const tall = Math.max(HEIGHT * Math.sqrt(bar.height / (chart.most || 1)), 3);
      shapes.push(shape("rect", { class: "bar", x: left, y: HEIGHT - tall, width: Math.max(0.8 * (right - left), 0.5), height: tall }));
      if (bar.changes && !chart.styles.length) {
        shapes.push(shape("rect", { class: "change", x: left, y: HEIGHT - 3, width: 0.8 * (right - left), height: 3 }));
      }
    }
    // Lines that would stand closer than a finger is wide hide the bars: then they are short, below them.
    const sparse = chart.styles.length * APART <= this.element.clientWidth, tall = sparse ? HEIGHT : 6;
    for (const { at } of chart.styles) shapes.push(shape("rect", { class: "change", x: x(at), y: HEIGHT - tall, width: 1.2, height: tall }));
    this.svg.replaceChildren(...shapes);
    this.ticks.setAttribute("data-drawn", "");
    this.ticks.replaceChildren(...this.#roomy(chart.ticks).map(({ at, label }) => {
      const share = this.share(1000 * at);
      const text = shape("text", { x: `${100 * share}%`, y: 15, "text-anchor": this.#turned(at, label) ? "end" : "start" });
      text.textContent = label;
      return text;
    }));
    this.mark(this.at);
  }

  /** The labels for which there is room: days before hours. @param {Chart["ticks"]} ticks */
  #roomy(ticks) {
    const isHour = (/** @type {string} */ label) => /^\d\d:\d\d$/.test(label);
    /** @type {typeof ticks} */
    const found = [];
    for (const tick of [...ticks.filter(({ label }) => !isHour(label)), ...ticks.filter(({ label }) => isHour(label))]) {
      const [left, right] = this.#reach(tick.at, tick.label);
      const free = found.every(({ at, label }) => {
        const [from, to] = this.#reach(at, label);
        return right < from || to < left;
      });
      if (free) found.push(tick);
    }
    return found;
  }

  /** Whether a label would leave the track and stands before its moment instead. @param {number} at @param {string} label */
  #turned(at, label) {
    const wide = this.element.clientWidth || 1000;
    return wide * this.share(1000 * at) + LETTER * label.length > wide;
  }

  /** From where to where a label goes, in px. @param {number} at @param {string} label */
  #reach(at, label) {
    const x = (this.element.clientWidth || 1000) * this.share(1000 * at), wide = LETTER * label.length;
    return this.#turned(at, label) ? [x - wide, x + LETTER] : [x, x + wide + LETTER];
  }

  /** What went on around a moment. @param {number} ms */
  detail(ms) {
    const bar = this.bars.find(({ at, end }) => ms >= 1000 * at && ms < 1000 * end);
    const style = this.styles.filter(({ style }) => style <= ms).at(-1)?.title;
    if (!bar) return style ? gettext(style) : "";
    const info = `${ngettext("%(n)s stroke", "%(n)s strokes", bar.strokes)}, ${ngettext("%(n)s frame", "%(n)s frames", bar.frames)}`;
    return style ? `${info} · ${gettext(style)}` : info;
  }

  /** @param {number} clientX */
  #msAt(clientX) {
    const { left, width } = this.slider.getBoundingClientRect();
    const share = Math.min(Math.max((clientX - left) / width, 0), 1);
    return this.since + share * (this.until - this.since);
  }

  /** @param {number} ms */
  #hint(ms) {
    const { offsetLeft, offsetTop, clientWidth } = this.element;
    this.tooltip.show(ms, this.detail(ms), offsetLeft + this.share(ms) * clientWidth, offsetTop);
  }

  #listen() {
    const { slider } = this;
    /** @type {{x: number, ms: number, id: number} | null} */
    let drag = null;
    slider.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      const ms = this.#msAt(event.clientX);
      drag = { x: event.clientX, ms, id: event.pointerId };
      slider.setPointerCapture(event.pointerId);
      slider.focus({ preventScroll: true });
      this.handlers.scrub(ms);
      this.#hint(ms);
    });
    slider.addEventListener("pointermove", (event) => {
      if (!drag) {
        if (event.pointerType !== "touch") this.#hint(this.#msAt(event.clientX));
        return;
      }
      if (event.pointerId !== drag.id) return;
      const { top, bottom, width } = slider.getBoundingClientRect();
      const away = Math.max(top - event.clientY, event.clientY - bottom, 0);
      const speed = 0.5 ** Math.floor(away / FINE); // far from the line the hand moves time more finely
      const moved = ((event.clientX - drag.x) / width) * (this.until - this.since) * speed;
      drag.ms = speed === 1 ? this.#msAt(event.clientX) : Math.min(Math.max(drag.ms + moved, this.since), this.until);
      drag.x = event.clientX;
      this.handlers.scrub(drag.ms);
      this.#hint(drag.ms);
    });
    const drop = (/** @type {PointerEvent} */ event) => {
      if (!drag || event.pointerId !== drag.id) return;
      const { ms } = drag;
      drag = null;
      if (event.type === "pointerup") this.handlers.pick(ms);
      if (event.pointerType === "touch") this.tooltip.hide();
    };
    slider.addEventListener("pointerup", drop);
    slider.addEventListener("pointercancel", drop);
    slider.addEventListener("pointerleave", () => drag || this.tooltip.hide());
    slider.addEventListener("blur", () => this.tooltip.hide());
    slider.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        this.handlers.enter(this.at);
        return;
      }
      const to = this.#keyed(event.key, event.shiftKey);
      if (to === null) return;
      event.preventDefault();
      event.stopPropagation();
      const ms = Math.min(Math.max(to, this.since), this.until);
      this.handlers.step(ms);
      this.#hint(ms);
    });
  }

  /** @param {string} key @param {boolean} far @returns {number | null} */
  #keyed(key, far) {
    const step = this.step * (far ? 6 : 1);
    const styles = this.styles.map(({ style }) => style);
    switch (key) {
      case "ArrowLeft": case "ArrowDown": return this.at - step;
      case "ArrowRight": case "ArrowUp": return this.at + step;
      case "PageDown": return this.at - (this.until - this.since) / 10;
      case "PageUp": return this.at + (this.until - this.since) / 10;
      case "Home": return this.since;
      case "End": return this.until;
      case "[": return styles.filter((at) => at < this.at - 1000).at(-1) ?? null;
      case "]": return styles.find((at) => at > this.at + 1000) ?? null;
      default: return null;
    }
  }
}
