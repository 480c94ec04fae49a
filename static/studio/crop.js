// @ts-check
/** Which part of a picture is sent: a frame over it that fingers, a mouse or keys move and size. */

import { gettext } from "../i18n.js";

/**
 * A part of a picture, in the picture's pixels.
 * @typedef {{x: number, y: number, width: number, height: number}} Part
 * @typedef {{width: number, height: number}} Size
 */

export const LEAST = 64; // px: no side of a part is shorter, unless the picture is
const STEP = 1 / 50; // of the picture's side that a key moves; with Shift a fifth of it

const { max, min, round } = Math;
/** @param {number} value @param {number} low @param {number} high */
const within = (value, low, high) => max(low, min(high, value));

/** The largest part of these proportions, in the middle. @param {Size} size @param {number} aspect width by height; 0: all of it @returns {Part} */
export function largest({ width, height }, aspect) {
  if (!aspect) return { x: 0, y: 0, width, height };
  const across = max(1, min(width, round(height * aspect))), down = max(1, min(height, round(across / aspect)));
  return { x: round((width - across) / 2), y: round((height - down) / 2), width: across, height: down };
}

/** The part moved, inside the picture. @param {Part} part @param {number} dx @param {number} dy @param {Size} size @returns {Part} */
export function moved(part, dx, dy, size) {
  return {
    ...part,
    x: round(within(part.x + dx, 0, size.width - part.width)),
    y: round(within(part.y + dy, 0, size.height - part.height)),
  };
}

/**
 * The part with one of its corners moved; the opposite one stays.
 * @param {Part} part @param {readonly [number, number]} corner -1 left or top, 1 right or bottom
 * @param {number} dx @param {number} dy @param {Size} size @param {number} aspect 0: any @returns {Part}
 */
export function sized(part, [right, down], dx, dy, size, aspect) {
  const fixedX = right > 0 ? part.x : part.x + part.width, fixedY = down > 0 ? part.y : part.y + part.height;
  const mostX = right > 0 ? size.width - fixedX : fixedX, mostY = down > 0 ? size.height - fixedY : fixedY;
  let width = within(part.width + right * dx, min(LEAST, mostX), mostX);
  let height = within(part.height + down * dy, min(LEAST, mostY), mostY);
  if (aspect) {
    // The movement that is larger leads.
    if (Math.abs(dx) < Math.abs(dy)) width = height * aspect;
    width = within(width, min(max(LEAST, LEAST * aspect), mostX, mostY * aspect), min(mostX, mostY * aspect));
    height = width / aspect;
  }
  width = max(1, round(width));
  height = max(1, round(height));
  return { x: right > 0 ? fixedX : fixedX - width, y: down > 0 ? fixedY : fixedY - height, width, height };
}

/** @param {Part} part @param {Size} size */
export const isWhole = (part, size) => part.width === size.width && part.height === size.height;

/**
 * A part of a picture as a JPEG, its longer side at most `side`; see-through places are paper.
 * @param {ImageBitmap} picture @param {Part} part @param {number} side @param {number} quality @returns {Promise<Blob | null>}
 */
export async function encoded(picture, part, side, quality) {
  const scale = min(1, side / max(part.width, part.height));
  const canvas = document.createElement("canvas");
  canvas.width = max(1, round(part.width * scale));
  canvas.height = max(1, round(part.height * scale));
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, part.x, part.y, part.width, part.height, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
}

/** @type {Record<string, readonly [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The frame on the page. `part` is what is chosen. */
export class Crop {
  /** @param {HTMLElement} section */
  constructor(section) {
    this.section = section;
    this.stage = /** @type {HTMLElement} */ (section.querySelector("[data-stage]"));
    this.canvas = /** @type {HTMLCanvasElement} */ (section.querySelector("canvas"));
    this.measure = /** @type {HTMLElement} */ (section.querySelector("[data-measure]"));
    this.aspect = 0;
    /** @type {Size} */
    this.size = { width: 1, height: 1 };
    /** @type {Part} */
    this.part = { x: 0, y: 0, width: 1, height: 1 };
    for (const handle of /** @type {NodeListOf<HTMLElement>} */ (section.querySelectorAll("[data-corner], [data-part]"))) this.#listen(handle);
    for (const shape of /** @type {NodeListOf<HTMLInputElement>} */ (section.querySelectorAll("[name=shape]"))) {
      shape.addEventListener("change", () => {
        this.aspect = Number(shape.value);
        this.#set(largest(this.size, this.aspect));
      });
    }
  }

  /** Shows a picture, all of it chosen. @param {ImageBitmap} picture */
  show(picture) {
    this.size = { width: picture.width, height: picture.height };
    const scale = min(1, 1600 / max(picture.width, picture.height));
    this.canvas.width = max(1, round(picture.width * scale));
    this.canvas.height = max(1, round(picture.height * scale));
    this.canvas.getContext("2d")?.drawImage(picture, 0, 0, this.canvas.width, this.canvas.height);
    this.stage.style.setProperty("--aspect", String(picture.width / picture.height));
    this.aspect = 0;
    /** @type {HTMLInputElement} */ (this.section.querySelector("[name=shape]")).checked = true;
    this.#set(largest(this.size, 0));
    this.section.hidden = false;
  }

  /** @param {HTMLElement} handle */
  #listen(handle) {
    const [right, down] = (handle.dataset.corner ?? "0,0").split(",").map(Number);
    /** @param {Part} from @param {number} dx @param {number} dy */
    const changed = (from, dx, dy) =>
      right ? sized(from, [right, down], dx, dy, this.size, this.aspect) : moved(from, dx, dy, this.size);
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.focus();
      handle.setPointerCapture(event.pointerId);
      const from = this.part, { clientX, clientY } = event;
      const scale = this.size.width / this.stage.getBoundingClientRect().width;
      const move = (/** @type {PointerEvent} */ now) =>
        this.#set(changed(from, (now.clientX - clientX) * scale, (now.clientY - clientY) * scale));
      const end = () => {
        handle.removeEventListener("pointermove", move);
        for (const type of ["pointerup", "pointercancel"]) handle.removeEventListener(type, end);
      };
      handle.addEventListener("pointermove", move);
      for (const type of ["pointerup", "pointercancel"]) handle.addEventListener(type, end);
    });
    handle.addEventListener("keydown", (event) => {
      const way = ARROWS[event.key];
      if (!way) return;
      event.preventDefault();
      const step = max(1, max(this.size.width, this.size.height) * (event.shiftKey ? STEP / 5 : STEP));
      this.#set(changed(this.part, way[0] * step, way[1] * step));
    });
  }

  /** @param {Part} part */
  #set(part) {
    this.part = part;
    const { width, height } = this.size;
    const shares = { left: part.x / width, top: part.y / height, right: (part.x + part.width) / width, bottom: (part.y + part.height) / height };
    for (const [name, share] of Object.entries(shares)) this.stage.style.setProperty(`--${name}`, `${100 * share}%`);
    this.measure.textContent = isWhole(part, this.size)
      ? gettext("All of it, %(size)s", { size: `${width} × ${height}` })
      : gettext("%(part)s of %(size)s", { part: `${part.width} × ${part.height}`, size: `${width} × ${height}` });
  }
}
