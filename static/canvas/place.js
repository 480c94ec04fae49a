// @ts-check
/** A place on the canvas as a link: `#x=768&y=300&zoom=2` has that point in the middle of anybody's window. */

/**
 * @typedef {import("./view.js").Place} Place
 * @typedef {import("./view.js").View} View
 */

/** @param {View} view @returns {Place} */
export function placeOf(view) {
    return {
        x: Math.round(view.canvasX(view.windowWidth / 2)),
        y: Math.round(view.canvasY(view.windowHeight / 2)),
        zoom: Math.round((100 * view.scale) / view.whole) / 100,
    };
}

/** The part of the canvas that is in the window, px. @param {View} view */
export function seen(view) {
    const left = Math.max(0, Math.floor(view.canvasX(0)));
    const top = Math.max(0, Math.floor(view.canvasY(0)));
    const right = Math.min(view.width, Math.ceil(view.canvasX(view.windowWidth)));
    const bottom = Math.min(view.height, Math.ceil(view.canvasY(view.windowHeight)));
    return { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
}

/** @param {Place} place */
export function hashOf({ x, y, zoom }) {
    return `#x=${x}&y=${y}&zoom=${zoom}`;
}

/** The place that an address names; null where it names none. @param {string} hash @returns {Place | null} */
export function placeFrom(hash) {
    const given = new URLSearchParams(hash.replace(/^#/, ""));
    const [x, y, zoom] = ["x", "y", "zoom"].map((name) => Number(given.get(name) ?? (name === "zoom" ? 2 : NaN)));
    return [x, y, zoom].every(Number.isFinite) && zoom > 0 ? { x, y, zoom } : null;
}
