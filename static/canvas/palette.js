// @ts-check
/** Colours: the curated palettes, and conversions. */

import { gettext_noop } from "../i18n.js";

/** @typedef {import("./strokes.js").Colour} Colour */

/** Five colours each; black, white and the rainbow well complete the eight. @type {[name: string, ...colours: string[]][]} */
const CURATED = [
    [gettext_noop("First light"), "#ffd9a0", "#ff9f6b", "#e8575a", "#8a3b6f", "#2f2a5a"],
    [gettext_noop("Tide pool"), "#0b3c49", "#13747d", "#32b5a6", "#f6e7cb", "#ff7b54"],
    [gettext_noop("Moss"), "#223a23", "#4c6b2f", "#8fa640", "#d6cf7a", "#a4512c"],
    [gettext_noop("Neon rain"), "#ff2e88", "#ff8a00", "#f9f871", "#16e0bd", "#3a1c8f"],
    [gettext_noop("Delft"), "#0d1b4c", "#24409a", "#5b86d6", "#b9d4f1", "#e9c46a"],
    [gettext_noop("Terracotta"), "#5b2a1e", "#a8442a", "#dd7a4a", "#f0b98d", "#5f7f73"],
    [gettext_noop("Peacock"), "#003f4f", "#007f86", "#00b29a", "#7a4fb5", "#f2b233"],
    [gettext_noop("Orchid"), "#3d0f3d", "#86206f", "#cf4fa3", "#f49ac1", "#b7e07a"],
    [gettext_noop("Harvest"), "#6b2d0c", "#b5531b", "#e79a2d", "#f6d365", "#3f5d3c"],
    [gettext_noop("Glacier"), "#123047", "#2f6f8f", "#79bcd0", "#cfeaf0", "#ef8f7a"],
    [gettext_noop("Reef"), "#0f4c81", "#2ec4b6", "#ffe1a8", "#ffb199", "#ff5e5b"],
    [gettext_noop("Night market"), "#1a1033", "#5a189a", "#e0218a", "#ff9e00", "#00c2d1"],
    [gettext_noop("Meadow"), "#2f7d32", "#86c440", "#f7e04b", "#f58fb4", "#5c9ee6"],
    [gettext_noop("Ember"), "#2a0a0a", "#7a1010", "#d62f0f", "#ff8c1a", "#ffe08a"],
    [gettext_noop("Lagoon"), "#013a63", "#0a8fb0", "#43d1c4", "#f4f1bb", "#ed6a5a"],
    [gettext_noop("Fresco"), "#7c4b3a", "#c58f5c", "#e6cfa3", "#7f9c96", "#3e5a73"],
    [gettext_noop("Sugar"), "#ff9ecf", "#ffd1e8", "#c3b1ff", "#9fe3ff", "#b9ffd9"],
    [gettext_noop("Aurora"), "#04204a", "#0b6e6e", "#27c28b", "#b6f28e", "#b455d4"],
];

export const RAINBOW = "rainbow"; // the well that picks up the colour under the pointer

/** Eight swatches each: colours as #rrggbb, and the well. */
export const PALETTES = CURATED.map(([name, ...colours]) => ({
    name,
    swatches: ["#000000", "#ffffff", RAINBOW, ...colours],
}));

/** Any palette but the last one. @param {number} last @param {() => number} [random] */
export function another(last, random = Math.random) {
    const step = 1 + Math.floor(random() * (PALETTES.length - 1));
    return (((last % PALETTES.length) + PALETTES.length) % PALETTES.length + step) % PALETTES.length;
}

/** @param {string} hex #rrggbb @returns {Colour} */
export function colourOf(hex) {
    const value = parseInt(hex.slice(1), 16);
    return { r: value >> 16, g: (value >> 8) & 255, b: value & 255 };
}

/** @param {Colour} colour */
export function hexOf({ r, g, b }) {
    return `#${((1 << 24) | (r << 16) | (g << 8) | b).toString(16).slice(1)}`;
}

/**
 * The mean colour of a small square, as the eyedropper and the rainbow well see it.
 * @param {import("./pixels.js").Pixels} pixels @param {number} x @param {number} y @param {number} [reach] px
 * @returns {Colour}
 */
export function colourAt({ bytes, width, height }, x, y, reach = 1) {
    const cx = Math.min(width - 1, Math.max(0, Math.floor(x)));
    const cy = Math.min(height - 1, Math.max(0, Math.floor(y)));
    let r = 0, g = 0, b = 0, n = 0;
    for (let j = Math.max(0, cy - reach); j <= Math.min(height - 1, cy + reach); j++) {
        for (let i = Math.max(0, cx - reach); i <= Math.min(width - 1, cx + reach); i++) {
            const at = 4 * (j * width + i);
            r += bytes[at];
            g += bytes[at + 1];
            b += bytes[at + 2];
            n += 1;
        }
    }
    return { r: Math.round(r / n), g: Math.round(g / n), b: Math.round(b / n) };
}
