// @ts-check
/** What the panel lays over the canvas: people's lines, a rectangle; and pointing at a spot or drawing the rectangle. */

const stage = /** @type {HTMLElement} */ (document.querySelector("#canvas"));
const world = /** @type {HTMLElement} */ (document.querySelector(".world"));
const SVG = "http://www.w3.org/2000/svg";
const width = Number(stage.dataset.width), height = Number(stage.dataset.height);

/** @typedef {[number, number, number, number]} Box x, y, width, height; canvas px */
/** @typedef {{author: number, width: number, state: string, line: number[]}} Line */

/** @param {string} name @param {Record<string, string | number>} what */
function shape(name, what) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(what)) element.setAttribute(key, String(value));
    return element;
}

const overlay = shape("svg", { class: "mod-ink", viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" });
const drawn = shape("g", {});
const frame = shape("rect", { class: "mod-rect", visibility: "hidden" });
overlay.append(drawn, frame);
world.append(overlay);

/** @param {Line[]} lines */
export function showLines(lines) {
    drawn.replaceChildren(...lines.flatMap(({ line, width: wide, state }) => {
        const points = line.join(" ");
        const at = { points, "stroke-width": Math.max(3, wide) };
        return [shape("polyline", { ...at, class: `mod-line mod-${state}` })];
    }));
}

/** @param {Box | null} box */
export function showBox(box) {
    frame.setAttribute("visibility", box ? "visible" : "hidden");
    if (box) ["x", "y", "width", "height"].forEach((name, i) => frame.setAttribute(name, String(box[i])));
}

export function clear() {
    showLines([]);
    showBox(null);
}

/** @param {PointerEvent} event @returns {[number, number]} on the canvas */
function canvasPoint(event) {
    const matrix = new DOMMatrix(getComputedStyle(world).transform);
    const { left, top } = stage.getBoundingClientRect();
    return [(event.clientX - left - matrix.e) / matrix.a, (event.clientY - top - matrix.f) / matrix.a];
}

const catcher = document.createElement("div");
catcher.className = "mod-catch";
catcher.hidden = true;
document.body.append(catcher);
/** @type {(() => void) | null} */
let stop = null;

/** Ends pointing. */
export function release() {
    stop?.();
    stop = null;
    catcher.hidden = true;
}

/** One tap. @param {(x: number, y: number, radius: number) => void} done */
export function point(done) {
    release();
    catcher.hidden = false;
    const listener = (/** @type {PointerEvent} */ event) => {
        const [x, y] = canvasPoint(event);
        const scale = new DOMMatrix(getComputedStyle(world).transform).a;
        done(x, y, (event.pointerType === "mouse" ? 3 : 10) / scale);
    };
    catcher.addEventListener("pointerup", listener);
    stop = () => catcher.removeEventListener("pointerup", listener);
}

/** A rectangle by dragging. @param {(box: Box) => void} done */
export function drag(done) {
    release();
    catcher.hidden = false;
    /** @type {[number, number] | null} */
    let from = null;
    /** @param {PointerEvent} event @returns {Box} */
    const box = (event) => {
        const to = canvasPoint(event), at = from ?? to;
        const x0 = Math.max(0, Math.floor(Math.min(at[0], to[0]))), y0 = Math.max(0, Math.floor(Math.min(at[1], to[1])));
        const x1 = Math.min(width, Math.ceil(Math.max(at[0], to[0]))), y1 = Math.min(height, Math.ceil(Math.max(at[1], to[1])));
        return [x0, y0, Math.max(1, x1 - x0), Math.max(1, y1 - y0)];
    };
    const down = (/** @type {PointerEvent} */ event) => {
        catcher.setPointerCapture(event.pointerId);
        from = canvasPoint(event);
    };
    const move = (/** @type {PointerEvent} */ event) => from && showBox(box(event));
    const up = (/** @type {PointerEvent} */ event) => {
        if (!from) return;
        const chosen = box(event);
        from = null;
        if (chosen[2] < 4 || chosen[3] < 4) return showBox(null); // a tap: no rectangle yet
        release();
        done(chosen);
    };
    catcher.addEventListener("pointerdown", down);
    catcher.addEventListener("pointermove", move);
    catcher.addEventListener("pointerup", up);
    stop = () => {
        catcher.removeEventListener("pointerdown", down);
        catcher.removeEventListener("pointermove", move);
        catcher.removeEventListener("pointerup", up);
    };
}
