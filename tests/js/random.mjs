/** A seeded generator (mulberry32) and random operations made with it. */

/** @param {number} seed @returns {() => number} in [0, 1) */
export function generator(seed) {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let t = Math.imul(state ^ (state >>> 15), state | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
}

/**
 * @param {() => number} random @param {number} width @param {number} height
 * @param {Partial<import("../../static/canvas/wire.js").Stroke>} [given]
 * @returns {import("../../static/canvas/wire.js").Stroke}
 */
export function stroke(random, width, height, given = {}) {
    const int = (/** @type {number} */ a, /** @type {number} */ b) => a + Math.floor(random() * (b - a + 1));
    const points = [];
    let x = int(-64, 8 * width + 64), y = int(-64, 8 * height + 64), w = int(8, 300);
    for (let n = int(1, 8); n > 0; n--) {
        points.push(x, y, w);
        x += int(-160, 160);
        y += int(-160, 160);
        w = Math.min(992, Math.max(8, w + int(-60, 60)));
    }
    return {
        kind: 1, author: int(1, 3), strokeId: int(1, 2 ** 40), piece: 0, last: true,
        r: int(0, 255), g: int(0, 255), b: int(0, 255), opacity: int(1, 255), carry: 0,
        points: Int32Array.from(points), ...given,
    };
}
