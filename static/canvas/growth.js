// @ts-check
/** How far each point of the canvas lies from ink: what a dream's arrival is timed by. Arithmetic only. */

/** @typedef {import("./wire.js").Stroke} Stroke */

const CELL = 16; // px of the canvas; the map is enlarged smoothly afterwards

/**
 * When each cell of the canvas shows a dream, as a share of the time it takes to arrive: 0 at the ink, 1 where it is
 * farthest away, all 0 where there is no ink.
 * @param {readonly Stroke[]} strokes @param {number} width @param {number} height of the canvas, px
 * @returns {{columns: number, rows: number, delays: Float32Array}}
 */
export function delaysFrom(strokes, width, height) {
    const columns = Math.ceil(width / CELL), rows = Math.ceil(height / CELL);
    const delays = new Float32Array(columns * rows).fill(Infinity);
    for (const { points } of strokes) {
        for (let i = 0; i < points.length; i += 3) {
            const from = Math.max(0, i - 3);
            const x = points[i] / 8, y = points[i + 1] / 8, dx = points[from] / 8 - x, dy = points[from + 1] / 8 - y;
            const steps = Math.max(1, Math.ceil(Math.hypot(dx, dy) / CELL));
            for (let step = 0; step < steps; step++) {
                const column = Math.floor((x + (dx * step) / steps) / CELL), row = Math.floor((y + (dy * step) / steps) / CELL);
                if (column >= 0 && row >= 0 && column < columns && row < rows) delays[row * columns + column] = 0;
            }
        }
    }
    spread(delays, columns, rows);
    let most = 0;
    for (const delay of delays) if (delay !== Infinity) most = Math.max(most, delay);
    if (most === 0) delays.fill(0);
    // The square root: a wave that starts fast at the strokes and is gentle in the distance.
    else for (let i = 0; i < delays.length; i++) delays[i] = Math.sqrt(delays[i] / most);
    return { columns, rows, delays };
}

/**
 * Distances from the cells that are 0, in place: two passes with steps of 1 and the square root of 2 (Borgefors 1986).
 * @param {Float32Array} far @param {number} columns @param {number} rows
 */
function spread(far, columns, rows) {
    const reach = (/** @type {number} */ at, /** @type {number} */ column, /** @type {number} */ row, /** @type {number} */ step) => {
        for (const [dx, dy] of [[-1, 0], [-1, -1], [0, -1], [1, -1]]) {
            const x = column + dx * step, y = row + dy * step;
            if (x < 0 || y < 0 || x >= columns || y >= rows) continue;
            const through = far[y * columns + x] + (dx && dy ? Math.SQRT2 : 1);
            if (through < far[at]) far[at] = through;
        }
    };
    for (let at = 0; at < far.length; at++) reach(at, at % columns, Math.floor(at / columns), 1);
    for (let at = far.length - 1; at >= 0; at--) reach(at, at % columns, Math.floor(at / columns), -1);
}

const SOFT = 0.35; // the width of the wave's edge, as a share of its whole way

/**
 * How much of the old picture each cell still shows, as alpha in RGBA pixels.
 * @param {Float32Array} delays @param {number} part of the arrival that is over, 0..1
 * @param {Uint8ClampedArray} rgba 4 bytes a cell; only alpha is written
 */
export function fillMask(delays, part, rgba) {
    const front = part * (1 + SOFT);
    for (let i = 0; i < delays.length; i++) {
        const gone = Math.min(1, Math.max(0, (front - delays[i]) / SOFT));
        rgba[4 * i + 3] = 255 * (1 - gone * gone * (3 - 2 * gone));
    }
}
