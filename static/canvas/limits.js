// @ts-check
/** The server's limits that the browser keeps to, as in canvas/limits.py with their reasons. A test holds them equal. */

export const MARGIN = 256; // px a stroke may leave the canvas
export const MIN_WIDTH = 8; // diameters, in 1/8 px
export const MAX_WIDTH = 992;

export const MAX_MESSAGE = 64 * 1024; // bytes
export const MAX_OPS = 256; // operations in one INK
export const MAX_POINTS = 512; // points in one piece

export const POINTS_RATE = 3000, POINTS_BURST = 40_000; // points a second, and at once
export const AREA_RATE = 8_000_000, AREA_BURST = 120_000_000; // stamped pixels a second, and at once
export const STAMP_AREA = 1000; // what a stamp costs besides its pixels

export const STALE_MS = 10 * 60 * 1000; // ms after which the server refuses a stroke it does not know
export const INK_LOW = 0.4; // the share of one's ink below which it is shown how much is left
