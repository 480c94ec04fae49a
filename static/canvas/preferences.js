// @ts-check
/**
 * The brush as it was left: its size from visit to visit, palette and colour while one browser session lasts. And what a
 * viewer has switched off.
 */

import { another, PALETTES, RAINBOW } from "./palette.js";

const STORE = "dreamsite:brush";

/**
 * @typedef {{size: number, opacity: number, dynamic: boolean, symmetry: number, steady: number, recent: string[],
 *   palette: number, chosen: string}} Brush
 */

/** @param {() => Storage} storage */
function read(storage) {
    try {
        const stored = JSON.parse(storage().getItem(STORE) ?? "{}");
        return typeof stored === "object" && stored !== null ? stored : {};
    } catch {
        return {}; // Storage is forbidden or holds something else.
    }
}

/** @param {() => Storage} storage @param {object} stored */
function write(storage, stored) {
    try {
        storage().setItem(STORE, JSON.stringify(stored));
    } catch {
        // As above: then the next page starts from the defaults.
    }
}

// Where the browser forbids storage, already naming it throws.
const visits = () => localStorage;
const visit = () => sessionStorage;

/**
 * What is known of the brush. A new session brings another palette than the last one had, with one of its colours.
 * @param {() => number} [random] @returns {Partial<Brush> & {palette: number, chosen: string}}
 */
export function recall(random = Math.random) {
    const { size, opacity, dynamic, symmetry, steady, recent, palette: last } = read(visits);
    /** @type {Partial<Brush>} */
    const brush = {};
    if (Number.isFinite(size)) brush.size = size;
    if (Number.isFinite(opacity)) brush.opacity = opacity;
    if (typeof dynamic === "boolean") brush.dynamic = dynamic;
    if (Number.isInteger(symmetry)) brush.symmetry = symmetry;
    if (Number.isFinite(steady)) brush.steady = steady;
    if (Array.isArray(recent)) brush.recent = recent.filter((hex) => /^#[0-9a-f]{6}$/.test(hex));
    const now = read(visit);
    const same = Number.isInteger(now.palette) && PALETTES[now.palette] !== undefined;
    const palette = same ? now.palette : another(Number.isInteger(last) ? last : -1, random);
    const known = same && (now.chosen === RAINBOW || /^#[0-9a-f]{6}$/.test(now.chosen));
    return { ...brush, palette, chosen: known ? now.chosen : PALETTES[palette].swatches[3] };
}

/** @param {Brush} brush */
export function remember({ size, opacity, dynamic, symmetry, steady, recent, palette, chosen }) {
    write(visits, { size, opacity, dynamic, symmetry, steady, recent, palette });
    write(visit, { palette, chosen });
}

/** Whether this browser shows what is stored under this name; it does until it was switched off. @param {string} store */
export function wants(store) {
    try {
        return visits().getItem(store) !== "off";
    } catch {
        return true; // Storage is forbidden.
    }
}

/** @param {string} store @param {boolean} wanted */
export function setWants(store, wanted) {
    try {
        visits().setItem(store, wanted ? "on" : "off");
    } catch {
        // As above: it holds for this page only.
    }
}
