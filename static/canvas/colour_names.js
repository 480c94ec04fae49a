// @ts-check
/** Colours in words, for those who listen and for those to whom two swatches look alike: "dark blue", "pale orange". */

import { gettext, gettext_noop } from "../i18n.js";
import { colourOf } from "./palette.js";

/** Where each hue ends, in degrees; the last one goes on with the first. @type {[number, string][]} */
const HUES = [
    [12, gettext_noop("red")], [38, gettext_noop("orange")], [66, gettext_noop("yellow")], [90, gettext_noop("lime")], [155, gettext_noop("green")], [188, gettext_noop("turquoise")], [210, gettext_noop("sky blue")], [252, gettext_noop("blue")],
    [285, gettext_noop("violet")], [318, gettext_noop("magenta")], [347, gettext_noop("pink")], [360, gettext_noop("red")],
];

/**
 * Hue in degrees, saturation and value from 0 to 1.
 * @param {import("./strokes.js").Colour} colour @returns {{h: number, s: number, v: number}}
 */
export function hsvOf({ r, g, b }) {
    const most = Math.max(r, g, b), range = most - Math.min(r, g, b);
    let h = 0;
    if (range) {
        if (most === r) h = ((g - b) / range + 6) % 6;
        else if (most === g) h = (b - r) / range + 2;
        else h = (r - g) / range + 4;
    }
    return { h: h * 60, s: most ? range / most : 0, v: most / 255 };
}

/** @param {{h: number, s: number, v: number}} hsv @returns {import("./strokes.js").Colour} */
export function colourOfHsv({ h, s, v }) {
    const part = (/** @type {number} */ n) => {
        const k = (n + h / 60) % 6;
        return Math.round(255 * (v - v * s * Math.max(0, Math.min(k, 4 - k, 1))));
    };
    return { r: part(5), g: part(3), b: part(1) };
}

/** @param {string} hex #rrggbb */
export function nameOf(hex) {
    const colour = colourOf(hex), { h, s, v } = hsvOf(colour);
    const light = (0.2126 * colour.r + 0.7152 * colour.g + 0.0722 * colour.b) / 255;
    if (v < 0.09) return gettext("black");
    if (s < 0.08) return light > 0.96 ? gettext("white") : light > 0.7 ? gettext("light grey") : light > 0.35 ? gettext("grey") : gettext("dark grey");
    let hue = HUES.find(([end]) => h < end)?.[1] ?? "red";
    // Dark orange and dark yellow have names of their own.
    if ((hue === "orange" || hue === "red") && h >= 8 && v < 0.72 && s > 0.25) hue = gettext_noop("brown");
    if (hue === "yellow" && v < 0.6) hue = gettext_noop("olive");
    if (hue === "red" && s < 0.55 && v > 0.75) hue = "pink";
    const name = gettext(hue);
    if (s < 0.25) return v > 0.8 ? gettext("pale %(hue)s", { hue: name }) : v > 0.5 ? gettext("greyish %(hue)s", { hue: name }) : gettext("dark greyish %(hue)s", { hue: name });
    if (v < (hue === "brown" || hue === "olive" ? 0.4 : 0.55)) return gettext("dark %(hue)s", { hue: name });
    if (s < 0.5 && v > 0.8) return gettext("light %(hue)s", { hue: name });
    return s > 0.8 && v > 0.85 ? gettext("bright %(hue)s", { hue: name }) : name;
}
