// @ts-check
/**
 * The canvas at any time between two frames, painted here from the lower frame's picture and the ink that came on it,
 * by the same code as the living canvas: to the bit what everybody saw.
 */

import { gettext } from "../i18n.js";
import { loadFrame } from "../canvas/frames.js";
import { colourOf } from "../canvas/palette.js";
import { Picture } from "../canvas/picture.js";
import { Pixels } from "../canvas/pixels.js";
import { BATCH, decode, STROKE } from "../canvas/wire.js";

/** @typedef {{seq: number, at: number, op: import("../canvas/wire.js").Operation}} Drawn `at` in ms since 1970 */

export class Replay {
  /**
   * @param {Pixels} base @param {number} seq what is in the base @param {Drawn[]} ink
   * @param {(frame: number) => Pixels | null} [earlier] what the undream brush brings back
   */
  constructor(base, seq, ink, earlier = () => null) {
    this.base = base;
    this.seq = seq;
    this.ink = ink;
    this.picture = new Picture(base.width, base.height, [255, 255, 255]);
    this.picture.earlier = earlier;
    this.picture.rebase(base, seq);
    this.painted = 0; // operations
  }

  /** The canvas with the first `count` operations. @param {number} count */
  paint(count) {
    if (count < this.painted) {
      this.picture.restart();
      this.picture.rebase(this.base, this.seq);
      this.painted = 0;
    }
    for (; this.painted < count; this.painted++) {
      const { seq, op } = this.ink[this.painted];
      this.picture.append(seq, op);
    }
    return this.picture.pixels;
  }

  /** How many operations there were at a time. @param {number} ms */
  until(ms) {
    let count = this.ink.findIndex(({ at }) => at > ms);
    if (count < 0) count = this.ink.length;
    return count;
  }

  /** How many went into the frame that has everything up to `seq`. @param {number} seq */
  upTo(seq) {
    const count = this.ink.findIndex((drawn) => drawn.seq > seq);
    return count < 0 ? this.ink.length : count;
  }
}

/**
 * @param {{picture: string, seq: number} | null} frame the base; null for the blank canvas
 * @param {{width: number, height: number, background: string, ink: string, earlier?: Record<string, string>}} canvas `earlier`:
 *   pictures that the undream brush may bring back, by the frame's id
 * @param {AbortSignal} [signal]
 */
export async function load(frame, { width, height, background, ink, earlier = {} }, signal) {
  const [base, answer] = await Promise.all([
    frame ? loadFrame(frame.picture, width, height) : blank(width, height, background),
    fetch(ink, { signal: AbortSignal.any([...(signal ? [signal] : []), AbortSignal.timeout(60_000)]) }),
  ]);
  if (!answer.ok) throw new Error(await answer.text());
  const drawn = read(await answer.arrayBuffer());
  const named = new Set(drawn.flatMap(({ op }) => (op.kind === STROKE && op.frame !== undefined ? [op.frame] : [])));
  /** @type {Map<number, Pixels>} */
  const pictures = new Map();
  await Promise.all([...named].map(async (id) => {
    if (id === 0) pictures.set(id, blank(width, height, background));
    else if (earlier[id]) pictures.set(id, await loadFrame(earlier[id], width, height));
  }));
  return new Replay(base, frame?.seq ?? 0, drawn, (id) => pictures.get(id) ?? null);
}

/** @param {number} width @param {number} height @param {string} background */
function blank(width, height, background) {
  const { r, g, b } = colourOf(background);
  const pixels = new Pixels(width, height);
  pixels.fill(pixels.bounds, r, g, b);
  return pixels;
}

/** BATCH frames, each after its length as u32. @param {ArrayBuffer} data @returns {Drawn[]} */
function read(data) {
  const view = new DataView(data);
  /** @type {Drawn[]} */
  const found = [];
  for (let at = 0; at < data.byteLength;) {
    const size = view.getUint32(at, true);
    const batch = decode(new Uint8Array(data, at + 4, size));
    if (batch.kind === BATCH) batch.operations.forEach((op, index) => found.push({ seq: batch.first + index, at: batch.at, op }));
    at += 4 + size;
  }
  return found;
}

/** @param {Pixels} pixels @param {HTMLCanvasElement} canvas */
export function put(pixels, canvas) {
  if (canvas.width !== pixels.width || canvas.height !== pixels.height) {
    canvas.width = pixels.width;
    canvas.height = pixels.height;
  }
  canvas.getContext("2d", { alpha: false })?.putImageData(new ImageData(pixels.clamped, pixels.width, pixels.height), 0, 0);
}

/** As a picture that an image element can show. @param {Pixels} pixels @returns {Promise<string>} to be revoked */
export async function urlOf(pixels) {
  const canvas = document.createElement("canvas");
  put(pixels, canvas);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  canvas.width = canvas.height = 0; // Safari counts the memory of canvases that nobody holds
  if (!(blob instanceof Blob)) throw new Error(gettext("This browser makes no PNG."));
  return URL.createObjectURL(blob);
}
