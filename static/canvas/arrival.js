// @ts-check
/**
 * How a dream arrives. The picture from before lies above the new one; it goes away from the ink outwards, then for half
 * a minute the ink that the dream took in shines through, and whoever asks sees the picture from before again. Where less
 * motion is asked for, the picture is there at once, and the ink shines without fading.
 */

import { delaysFrom, fillMask } from "./growth.js";

/** @typedef {import("./wire.js").Stroke} Stroke */

const GROWS = 1100; // ms
const SHINES = 30_000; // ms; canvas.css fades for as long

export class Arrival {
    /** @param {HTMLCanvasElement} canvas above the picture, as large as it */
    constructor(canvas) {
        this.canvas = canvas;
        this.context = contextOf(canvas);
        /** The picture from before; null until a dream has arrived. @type {CanvasRenderingContext2D | null} */
        this.before = null;
        /** Called when a dream has arrived: nothing of the old picture need be kept up to date. @type {() => void} */
        this.arrived = () => {};
        this.peeking = false;
        this.run = 0; // the number of the animation under way
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        this.ending = undefined;
    }

    /** Puts a part of the old picture in its place. @param {ImageData} image @param {[number, number, number, number]} part */
    put(image, [x, y, width, height]) {
        this.before ??= contextOf(Object.assign(document.createElement("canvas"), { width: this.canvas.width, height: this.canvas.height }));
        this.before.putImageData(image, 0, 0, x, y, width, height);
    }

    /**
     * The old picture was put, and the new one lies below.
     * @param {readonly Stroke[]} strokes that the dream took in
     * @param {{ grows: boolean }} how where less motion is asked for, it does not grow: it is there
     */
    begin(strokes, { grows }) {
        const run = ++this.run;
        clearTimeout(this.ending);
        this.canvas.classList.remove("shining");
        this.canvas.hidden = false;
        if (!grows) return this.#shine(strokes);
        const { columns, rows, delays } = delaysFrom(strokes, this.canvas.width, this.canvas.height);
        const mask = contextOf(Object.assign(document.createElement("canvas"), { width: columns, height: rows }));
        const image = mask.createImageData(columns, rows);
        const began = performance.now();
        const draw = (/** @type {number} */ now) => {
            if (run !== this.run) return;
            const part = Math.min(1, Math.max(0, (now - began) / GROWS));
            if (!this.peeking) {
                fillMask(delays, part, image.data);
                mask.putImageData(image, 0, 0);
                this.#show((context) => context.drawImage(mask.canvas, 0, 0, this.canvas.width, this.canvas.height));
            }
            if (part < 1) requestAnimationFrame(draw);
            else this.#shine(strokes);
        };
        draw(began);
    }

    /** The ink that the dream took in shines through it. @param {readonly Stroke[]} strokes */
    #shine(strokes) {
        this.arrived();
        if (this.peeking) return;
        if (!strokes.length) return this.#end();
        this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
        /** @type {Map<number, Stroke[]>} */
        const whole = new Map();
        for (const piece of strokes) whole.set(piece.strokeId, [...(whole.get(piece.strokeId) ?? []), piece]);
        for (const pieces of whole.values()) {
            const [{ r, g, b, opacity }] = pieces;
            this.context.save();
            this.context.fillStyle = `rgb(${r} ${g} ${b} / ${Math.sqrt(opacity / 255)})`;
            this.context.beginPath();
            outline(this.context, pieces);
            this.context.fill();
            this.context.restore();
        }
        this.canvas.classList.add("shining");
        this.ending = setTimeout(() => this.#end(), SHINES);
    }

    #end() {
        clearTimeout(this.ending);
        if (this.peeking) return;
        this.canvas.hidden = true;
        this.canvas.classList.remove("shining");
    }

    /** Shows the old picture, or puts it away again. @param {boolean} on */
    peek(on) {
        if (on === this.peeking || !this.before) return;
        this.peeking = on;
        this.canvas.classList.remove("shining");
        if (on) {
            this.canvas.hidden = false;
            this.#show((context) => context.fillRect(0, 0, this.canvas.width, this.canvas.height));
        } else this.#end();
    }

    /** The old picture where a mask is painted. @param {(context: CanvasRenderingContext2D) => void} paint */
    #show(paint) {
        const { context, before } = this;
        if (!before) return;
        context.globalCompositeOperation = "source-over";
        context.clearRect(0, 0, this.canvas.width, this.canvas.height);
        paint(context);
        context.globalCompositeOperation = "source-in";
        context.drawImage(before.canvas, 0, 0);
        context.globalCompositeOperation = "source-over";
    }
}

/**
 * The pieces of a stroke as one shape of its own width, not to the bit: it is only a memory. One shape, so that nothing shows
 * where its parts lie over each other: all of them turn the same way, and each place is inside or it is not.
 * @param {Pick<Path2D, "moveTo" | "lineTo" | "arc" | "closePath">} path @param {readonly Stroke[]} pieces
 */
export function outline(path, pieces) {
    for (const { points } of pieces) {
        for (let i = 0; i < points.length; i += 3) {
            const [x, y, width] = [points[i] / 8, points[i + 1] / 8, half(points[i + 2])];
            path.moveTo(x + width, y);
            path.arc(x, y, width, 0, 2 * Math.PI);
            if (i === 0) continue;
            const [fromX, fromY, fromWidth] = [points[i - 3] / 8, points[i - 2] / 8, half(points[i - 1])];
            const length = Math.hypot(x - fromX, y - fromY);
            if (length === 0) continue;
            const [acrossX, acrossY] = [(fromY - y) / length, (x - fromX) / length];
            path.moveTo(fromX - acrossX * fromWidth, fromY - acrossY * fromWidth);
            path.lineTo(x - acrossX * width, y - acrossY * width);
            path.lineTo(x + acrossX * width, y + acrossY * width);
            path.lineTo(fromX + acrossX * fromWidth, fromY + acrossY * fromWidth);
            path.closePath();
        }
    }
}

/** Half of how wide a stroke looks, in px; a brush is soft. @param {number} width in eighths of a px */
function half(width) {
    return Math.max(0.5, (0.35 * width) / 8);
}

/** @param {HTMLCanvasElement} canvas */
function contextOf(canvas) {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("This browser gives no 2D canvas.");
    return context;
}
