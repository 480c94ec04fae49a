// @ts-check
/**
 * The brush: a soft round stamp, placed each quarter of its size along a stroke (docs/protocol.md, "Rasterising a
 * stroke"). The same arithmetic, in the same order, runs in canvas/brush.py: doubles with + - * / and sqrt only, so
 * that every browser and the server paint the same bytes.
 *
 * @typedef {import("./wire.js").Stroke} Stroke
 * @typedef {import("./pixels.js").Pixels} Pixels
 * @typedef {import("./pixels.js").Rect} Rect
 */

const MASK_BYTES = 4 * 1024 * 1024; // of masks cached; all sizes in all phases would be 60 MB

/** @type {Map<number, Uint8Array>} */
const masks = new Map();
let maskBytes = 0;

/**
 * The stamp's coverage before opacity, 0..255, side × side.
 * @param {number} diameter in 1/2 px @param {number} phaseX in 1/4 px @param {number} phaseY in 1/4 px
 */
export function mask(diameter, phaseX, phaseY) {
    const key = (diameter << 4) | (phaseX << 2) | phaseY;
    const known = masks.get(key);
    if (known) return known;
    const radius = diameter / 4;
    const r = Math.max(radius, 1);
    const gain = Math.min(1, radius * radius); // thinner than two pixels: as wide as two, but fainter
    const c = Math.ceil(r);
    const side = 2 * c + 1;
    const coverage = new Uint8Array(side * side);
    for (let j = 0, at = 0; j < side; j++) {
        const v = j - c + 0.5 - phaseY / 4;
        for (let i = 0; i < side; i++, at++) {
            const u = i - c + 0.5 - phaseX / 4;
            const s = 1 - (u * u + v * v) / (r * r);
            if (s > 0) coverage[at] = Math.floor(255 * (gain * (s * s * (3 - 2 * s))) + 0.5);
        }
    }
    maskBytes += coverage.length;
    if (maskBytes > MASK_BYTES) {
        masks.clear();
        maskBytes = coverage.length;
    }
    masks.set(key, coverage);
    return coverage;
}

/** @type {(Uint8Array | undefined)[]} */
const alphas = new Array(256);

/** Coverage after opacity, for each coverage of a mask. @param {number} opacity */
function alphaOf(opacity) {
    const known = alphas[opacity];
    if (known) return known;
    const table = new Uint8Array(256);
    for (let m = 0; m < 256; m++) table[m] = Math.floor((m * opacity + 127) / 255);
    alphas[opacity] = table;
    return table;
}

/** Distance from a stamp of this diameter to the next, both in 1/8 px; never under one pixel. @param {number} w */
export function spacing(w) {
    return Math.max(w / 4, 8);
}

/** Paints one piece of a stroke: walks along it and stamps; `surfaces` all get the same ink.
 *
 * Ink with a frame brings its picture back; it paints nothing where that is not to be seen.
 */
export class StrokePainter {
    /**
     * @param {{r: number, g: number, b: number, opacity: number, carry: number, frame?: number}} ink
     * @param {Pixels[]} surfaces
     * @param {Rect} clip within the surfaces; nothing is painted outside
     * @param {(frame: number) => Pixels | null} [earlier] the picture of the frame that ink brings back
     */
    constructor(ink, surfaces, clip, earlier = () => null) {
        this.back = ink.frame === undefined ? null : earlier(ink.frame);
        this.surfaces = ink.frame !== undefined && !this.back ? [] : surfaces;
        this.clip = clip;
        this.r = ink.r;
        this.g = ink.g;
        this.b = ink.b;
        this.alpha = alphaOf(ink.opacity);
        this.ahead = ink.carry / 32; // from the last point to the next stamp
        this.x = 0;
        this.y = 0;
        this.w = 0;
    }

    /** The first point. @param {number} x @param {number} y @param {number} w */
    begin(x, y, w) {
        this.x = x;
        this.y = y;
        this.w = w;
        if (this.ahead === 0) {
            this.stamp(x, y, w);
            this.ahead = spacing(w);
        }
    }

    /** A further point. @param {number} x1 @param {number} y1 @param {number} w1 */
    to(x1, y1, w1) {
        const { x: x0, y: y0, w: w0 } = this;
        const dx = x1 - x0, dy = y1 - y0;
        const length = Math.sqrt(dx * dx + dy * dy);
        let ahead = this.ahead;
        while (ahead <= length) {
            const t = ahead / length;
            const w = w0 + (w1 - w0) * t;
            this.stamp(x0 + dx * t, y0 + dy * t, w);
            ahead = ahead + spacing(w);
        }
        this.ahead = ahead - length;
        this.x = x1;
        this.y = y1;
        this.w = w1;
    }

    /** What the next piece's `carry` must be, in 1/256 px. */
    get carry() {
        return Math.min(65535, Math.max(1, Math.ceil(this.ahead * 32)));
    }

    /** @param {number} x @param {number} y @param {number} w */
    stamp(x, y, w) {
        const qx = Math.floor(x / 2 + 0.5);
        const qy = Math.floor(y / 2 + 0.5);
        const diameter = Math.max(2, Math.floor(w / 4 + 0.5));
        const c = Math.ceil(Math.max(diameter / 4, 1));
        const left = (qx >> 2) - c, top = (qy >> 2) - c, side = 2 * c + 1;
        const { clip, surfaces } = this;
        const x0 = Math.max(left, clip.x0), x1 = Math.min(left + side, clip.x1);
        const y0 = Math.max(top, clip.y0), y1 = Math.min(top + side, clip.y1);
        if (x0 >= x1 || y0 >= y1) return;
        const coverage = mask(diameter, qx & 3, qy & 3);
        for (let s = 0; s < surfaces.length; s++) {
            this.blend(surfaces[s], coverage, left, top, side, x0, y0, x1, y1);
        }
    }

    /**
     * @param {Pixels} surface @param {Uint8Array} coverage @param {number} left @param {number} top
     * @param {number} side @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1
     */
    blend(surface, coverage, left, top, side, x0, y0, x1, y1) {
        if (this.back) return this.#bringBack(surface, this.back.bytes, coverage, left, top, side, x0, y0, x1, y1);
        const { alpha, r, g, b } = this;
        const { bytes, width } = surface;
        for (let y = y0; y < y1; y++) {
            let from = (y - top) * side + (x0 - left);
            let at = 4 * (y * width + x0);
            for (const end = at + 4 * (x1 - x0); at < end; at += 4, from++) {
                const a = alpha[coverage[from]];
                if (a === 0) continue;
                const keep = 255 - a;
                // (v + 1 + (v >> 8)) >> 8 is floor(v / 255) for 0 <= v < 65535
                const vr = bytes[at] * keep + r * a + 127;
                const vg = bytes[at + 1] * keep + g * a + 127;
                const vb = bytes[at + 2] * keep + b * a + 127;
                bytes[at] = (vr + 1 + (vr >> 8)) >> 8;
                bytes[at + 1] = (vg + 1 + (vg >> 8)) >> 8;
                bytes[at + 2] = (vb + 1 + (vb >> 8)) >> 8;
            }
        }
    }

    /**
     * As `blend`, with the colour that the earlier picture has at each pixel.
     * @param {Pixels} surface @param {Uint8Array} from @param {Uint8Array} coverage @param {number} left @param {number} top
     * @param {number} side @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1
     */
    #bringBack({ bytes, width }, from, coverage, left, top, side, x0, y0, x1, y1) {
        for (let y = y0; y < y1; y++) {
            let covered = (y - top) * side + (x0 - left);
            let at = 4 * (y * width + x0);
            for (const end = at + 4 * (x1 - x0); at < end; at += 4, covered++) {
                const a = this.alpha[coverage[covered]];
                if (a === 0) continue;
                for (let channel = at; channel < at + 3; channel++) {
                    const value = bytes[channel] * (255 - a) + from[channel] * a + 127;
                    bytes[channel] = (value + 1 + (value >> 8)) >> 8;
                }
            }
        }
    }
}

/**
 * Draws one piece of a stroke inside `clip`.
 * @param {Pixels} surface @param {Rect} clip @param {Stroke} piece
 * @param {(frame: number) => Pixels | null} [earlier] as for StrokePainter
 */
export function draw(surface, clip, piece, earlier) {
    const { points } = piece;
    const painter = new StrokePainter(piece, [surface], clip, earlier);
    painter.begin(points[0], points[1], points[2]);
    for (let i = 3; i < points.length; i += 3) painter.to(points[i], points[i + 1], points[i + 2]);
    return painter;
}

/**
 * A rectangle that holds every pixel the piece can touch, inside the canvas or not.
 * @param {Stroke} piece @returns {Rect}
 */
export function boundsOf(piece) {
    const { points } = piece;
    let x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity, w = 0;
    for (let i = 0; i < points.length; i += 3) {
        x0 = Math.min(x0, points[i]);
        x1 = Math.max(x1, points[i]);
        y0 = Math.min(y0, points[i + 1]);
        y1 = Math.max(y1, points[i + 1]);
        w = Math.max(w, points[i + 2]);
    }
    const reach = Math.max(w >> 4, 1) + 2; // the radius, and the rounding of position and size
    return { x0: (x0 >> 3) - reach, y0: (y0 >> 3) - reach, x1: (x1 >> 3) + reach + 1, y1: (y1 >> 3) + reach + 1 };
}
