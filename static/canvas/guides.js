// @ts-check
/** Drawing aids: a straight line while Shift is held, a pen that follows on a string, and mirrors. Arithmetic only. */

/** @typedef {{x: number, y: number}} Point */

/** The pen trails behind the pointer on a string, which takes the shake out of a line. */
export class Stabiliser {
    /** @param {number} string its length in canvas px; 0 follows at once @param {number} x @param {number} y */
    constructor(string, x, y) {
        this.string = string;
        this.x = x;
        this.y = y;
    }

    /** Where the pen goes when the pointer is here. @param {number} x @param {number} y @returns {Point} */
    to(x, y) {
        const dx = x - this.x, dy = y - this.y, far = Math.hypot(dx, dy);
        if (far > this.string) {
            const part = (far - this.string) / far;
            this.x += dx * part;
            this.y += dy * part;
        }
        return { x: this.x, y: this.y };
    }
}

/**
 * The end of a line from a point, turned to the nearest of 24 directions where it is close to one.
 * @param {Point} from @param {Point} to @returns {Point}
 */
export function straight(from, to) {
    const dx = to.x - from.x, dy = to.y - from.y;
    const step = Math.PI / 12, angle = Math.atan2(dy, dx), nearest = Math.round(angle / step) * step;
    if (Math.abs(angle - nearest) > 0.06) return to;
    const length = Math.hypot(dx, dy);
    return { x: from.x + length * Math.cos(nearest), y: from.y + length * Math.sin(nearest) };
}

/**
 * A point and its copies in a picture of so many mirrors; the point itself first. Two: left and right. More: around the
 * middle, as in a kaleidoscope.
 * @param {number} fold 1 to 8 @param {number} width @param {number} height of the canvas, px @param {Point} point
 * @returns {Point[]}
 */
export function mirrored(fold, width, height, { x, y }) {
    if (fold <= 1) return [{ x, y }];
    if (fold === 2) return [{ x, y }, { x: width - x, y }];
    const cx = width / 2, cy = height / 2, dx = x - cx, dy = y - cy;
    return Array.from({ length: fold }, (_, k) => {
        const angle = (2 * Math.PI * k) / fold, cos = Math.cos(angle), sin = Math.sin(angle);
        return { x: cx + dx * cos - dy * sin, y: cy + dx * sin + dy * cos };
    });
}
