// @ts-check
/**
 * How wide a stroke is at each point, decided while it is drawn: at rest the chosen size, growing with the pen's
 * pressure, or with speed where there is none. What was decided travels with the point.
 */

const GROWTH = 124 / 11 - 1; // the widest over the size at rest, DreamCanvas' 124 and 11 px
export const WIDEST = 124;
const FAST = 5; // CSS pixels a millisecond at which the width is full
const HALF = 16; // ms in which the width goes half the way to where it should be

export class Nib {
    /** @param {number} size at rest, px @param {boolean} dynamic @param {string} pointerType */
    constructor(size, dynamic, pointerType) {
        this.size = size;
        this.dynamic = dynamic;
        this.pressed = pointerType === "pen";
        this.touch = pointerType === "touch";
        this.growth = 0;
        this.x = 0;
        this.y = 0;
        this.at = 0;
    }

    get width() {
        return Math.min(WIDEST, this.size * (1 + GROWTH * this.growth));
    }

    /** @param {PointerEvent} event */
    begin(event) {
        this.#remember(event);
        if (this.dynamic && this.pressed) this.growth = event.pressure * event.pressure * 0.5; // pens land heavily
        return this.width;
    }

    /** @param {PointerEvent} event @param {number} scale of the view @returns {number} diameter in canvas px */
    move(event, scale) {
        if (!this.dynamic) return this.width;
        const ms = Math.max(1, event.timeStamp - this.at);
        // Only some touch screens feel force; the others say 0, 0.5 or 1 whatever one does.
        this.pressed ||= this.touch && event.pressure > 0 && event.pressure < 1 && event.pressure !== 0.5;
        const speed = Math.hypot(event.clientX - this.x, event.clientY - this.y) / ms / Math.sqrt(scale);
        const wanted = this.pressed ? event.pressure * event.pressure : Math.min(1, speed / FAST);
        this.growth += (wanted - this.growth) * (1 - 0.5 ** (ms / HALF));
        this.#remember(event);
        return this.width;
    }

    /** @param {PointerEvent} event */
    #remember(event) {
        this.x = event.clientX;
        this.y = event.clientY;
        this.at = event.timeStamp;
    }
}
