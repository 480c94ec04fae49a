// @ts-check
/** Which parts of a picture have changed since they were last put on the screen, in squares of 64 pixels. */

const SHIFT = 6;

/** @typedef {import("./pixels.js").Rect} Rect */

export class Tiles {
    /** @param {number} width @param {number} height in pixels */
    constructor(width, height) {
        this.width = width;
        this.height = height;
        this.columns = ((width - 1) >> SHIFT) + 1;
        this.rows = ((height - 1) >> SHIFT) + 1;
        this.dirty = new Uint8Array(this.columns * this.rows);
        this.any = false;
        /** Called when the first part changes after a flush. @type {() => void} */
        this.dirtied = () => {};
    }

    /** @param {Rect} rect it may reach beyond the picture */
    add(rect) {
        const { columns, dirty } = this;
        const x0 = Math.max(rect.x0 >> SHIFT, 0), x1 = Math.min((rect.x1 - 1) >> SHIFT, columns - 1);
        const y0 = Math.max(rect.y0 >> SHIFT, 0), y1 = Math.min((rect.y1 - 1) >> SHIFT, this.rows - 1);
        for (let y = y0; y <= y1; y++) {
            for (let x = x0; x <= x1; x++) dirty[y * columns + x] = 1;
        }
        if (this.any || x0 > x1 || y0 > y1) return;
        this.any = true;
        this.dirtied();
    }

    /**
     * Hands out the changed parts, side by side in one go, and forgets them.
     * @param {(x: number, y: number, width: number, height: number) => void} put
     */
    flush(put) {
        if (!this.any) return;
        const { columns, dirty } = this;
        for (let row = 0; row < this.rows; row++) {
            const y = row << SHIFT;
            for (let column = 0; column < columns; column++) {
                if (!dirty[row * columns + column]) continue;
                const first = column;
                while (column < columns && dirty[row * columns + column]) column++;
                const x = first << SHIFT;
                put(x, y, Math.min(column << SHIFT, this.width) - x, Math.min(this.height - y, 1 << SHIFT));
            }
        }
        dirty.fill(0);
        this.any = false;
    }
}
