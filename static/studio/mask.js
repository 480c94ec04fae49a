// @ts-check
/**
 * Where a dream may work, painted over the picture by the canvas' own brush: black spares, white dreams. Fingers, a pen and
 * a mouse paint; so do keys: arrows move the brush, space paints.
 */

import { StrokePainter } from "../canvas/brush.js";
import { Pixels } from "../canvas/pixels.js";

const SIDE = 512; // px of the longer side; the dream scales it to the picture
const EIGHTHS = 8; // the brush counts in eighths of a pixel
const BLACK = 0, WHITE = 255;
const SHADE = 0.72; // how dark what is spared is shown

/** @type {Record<string, readonly [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Mask {
  /**
   * @param {HTMLCanvasElement} canvas over the picture @param {HTMLElement} ring where the brush is
   * @param {{width: number, height: number}} picture @param {() => void} changed after each stroke
   */
  constructor(canvas, ring, picture, changed) {
    const scale = SIDE / Math.max(picture.width, picture.height);
    this.canvas = canvas;
    this.ring = ring;
    this.changed = changed;
    this.surface = new Pixels(Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale)));
    this.spares = true; // else it paints where to dream
    this.size = 60; // px of the mask
    this.at = { x: this.surface.width / 2, y: this.surface.height / 2 }; // of the brush that keys move
    canvas.width = this.surface.width;
    canvas.height = this.surface.height;
    this.shade = new ImageData(canvas.width, canvas.height);
    this.pending = false;
    canvas.addEventListener("pointerdown", (event) => this.#begin(event));
    canvas.addEventListener("pointermove", (event) => this.#hover(this.#point(event)));
    canvas.addEventListener("pointerleave", () => {
      ring.hidden = document.activeElement !== canvas;
    });
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("focus", () => this.#hover(this.at));
    canvas.addEventListener("blur", () => {
      ring.hidden = true;
    });
  }

  get isEmpty() {
    return this.surface.words.every((word) => word === 0xffffffff);
  }

  /** All of one kind. @param {number} value BLACK spares everything, WHITE nothing */
  fill(value) {
    this.surface.fill(this.surface.bounds, value, value, value);
    this.#show();
    this.changed();
  }

  clear() {
    this.fill(WHITE);
  }

  /** What was spared is dreamed on, and the other way round. */
  invert() {
    const { bytes } = this.surface;
    for (let i = 0; i < bytes.length; i++) if (i % 4 < 3) bytes[i] = 255 - bytes[i];
    this.#show();
    this.changed();
  }

  /** Shows a mask that was painted before. @param {string} value as `value` gave it */
  async load(value) {
    const image = new Image();
    image.src = value;
    await image.decode();
    const { width, height } = this.surface, out = new OffscreenCanvas(width, height), context = out.getContext("2d");
    if (!context) return;
    context.drawImage(image, 0, 0, width, height);
    this.surface.bytes.set(context.getImageData(0, 0, width, height).data);
    this.#show();
  }

  /** As the server takes it: a PNG in a data: address; empty where nothing is spared. */
  get value() {
    if (this.isEmpty) return "";
    const out = document.createElement("canvas");
    out.width = this.surface.width;
    out.height = this.surface.height;
    out.getContext("2d")?.putImageData(new ImageData(this.surface.clamped, out.width, out.height), 0, 0);
    return out.toDataURL("image/png");
  }

  /** @param {PointerEvent} event @returns {{x: number, y: number}} in px of the mask */
  #point(event) {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) * this.surface.width) / box.width,
      y: ((event.clientY - box.top) * this.surface.height) / box.height,
    };
  }

  #brush() {
    const value = this.spares ? BLACK : WHITE;
    return new StrokePainter({ r: value, g: value, b: value, opacity: 255, carry: 0 }, [this.surface], this.surface.bounds);
  }

  /** @param {PointerEvent} event */
  #begin(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    event.preventDefault();
    const { canvas } = this;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    const brush = this.#brush(), width = EIGHTHS * this.size;
    const first = this.#point(event);
    brush.begin(EIGHTHS * first.x, EIGHTHS * first.y, width);
    this.#show();
    const move = (/** @type {PointerEvent} */ now) => {
      const all = now.getCoalescedEvents?.() ?? [];
      for (const one of all.length ? all : [now]) {
        const { x, y } = this.#point(one);
        brush.to(EIGHTHS * x, EIGHTHS * y, width);
      }
      this.#show();
    };
    const end = () => {
      canvas.removeEventListener("pointermove", move);
      for (const type of ["pointerup", "pointercancel"]) canvas.removeEventListener(type, end);
      this.changed();
    };
    canvas.addEventListener("pointermove", move);
    for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, end);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const way = ARROWS[event.key];
    if (!way && event.key !== " ") return;
    event.preventDefault();
    if (way) {
      const step = event.shiftKey ? 2 : this.size / 4;
      this.#hover({
        x: Math.max(0, Math.min(this.surface.width, this.at.x + way[0] * step)),
        y: Math.max(0, Math.min(this.surface.height, this.at.y + way[1] * step)),
      });
      return;
    }
    this.#brush().begin(EIGHTHS * this.at.x, EIGHTHS * this.at.y, EIGHTHS * this.size);
    this.#show();
    this.changed();
  }

  /** @param {{x: number, y: number}} at */
  #hover(at) {
    this.at = at;
    const scale = this.canvas.clientWidth / this.surface.width, side = this.size * scale;
    this.ring.hidden = false;
    this.ring.style.width = this.ring.style.height = `${side}px`;
    this.ring.style.transform = `translate(${at.x * scale - side / 2}px, ${at.y * scale - side / 2}px)`;
  }

  /** Shades what is spared; once for each picture of the screen. */
  #show() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      const { bytes } = this.surface, { data } = this.shade;
      for (let i = 0; i < bytes.length; i += 4) data[i + 3] = SHADE * (255 - bytes[i]);
      this.canvas.getContext("2d")?.putImageData(this.shade, 0, 0);
    });
  }
}
