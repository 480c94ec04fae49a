// @ts-check
/** From the hand's movements to strokes: the nib, the rainbow well, gestures that turn out to be none, undo. */

import { mirrored, Stabiliser, straight } from "./guides.js";
import { Nib } from "./nib.js";
import { colourAt } from "./palette.js";
import { OwnStroke } from "./strokes.js";

/**
 * @typedef {object} Setup
 * @property {import("./session.js").Session} session
 * @property {import("./layers.js").Layers} layers
 * @property {import("./view.js").View} view
 * @property {import("./dock.js").Dock} dock
 * @property {(x: number, y: number) => boolean} closed whether we may not draw here (canvas px); tells why
 * @property {() => boolean} join somebody without an account draws: makes a guest of them; false where only members draw
 * @property {() => void} invite tells them how to draw then
 * @property {() => void} begun a stroke has begun
 * @property {import("./undo_stack.js").UndoStack} undoStack
 */

export class Drawing {
    /** @param {Setup} setup */
    constructor({ session, layers, view, dock, closed, join, invite, begun, undoStack }) {
        this.session = session;
        this.layers = layers;
        this.view = view;
        this.dock = dock;
        this.closed = closed;
        this.join = join;
        this.invite = invite;
        this.begun = begun;
        this.undoStack = undoStack;
        this.invited = false;
        /** @type {Set<OwnStroke>} being drawn */
        this.strokes = new Set();
        this.journal = {
            author: () => session.ink.author(),
            newStroke: () => session.ink.newStroke(),
            put: (/** @type {import("./layers.js").LocalPiece} */ piece) => session.ink.put(piece),
            undo: (/** @type {number} */ stroke) => session.ink.undo(stroke),
        };
    }

    /** Cuts what is being drawn into pieces that can be sent. @returns {boolean} whether it goes on */
    cut() {
        for (const stroke of this.strokes) {
            if (stroke.done) this.strokes.delete(stroke);
            else stroke.cut();
        }
        return this.strokes.size > 0;
    }

    /** The server takes nothing more of this stroke. @param {number} id */
    refuse(id) {
        for (const stroke of this.strokes) if (stroke.id === id) stroke.refuse();
    }

    /**
     * @param {PointerEvent} event @param {boolean} undecided
     * @param {import("./strokes.js").Colour | null} ink null is the rainbow well
     * @returns {import("./tools/types.js").Gesture | null}
     */
    begin(event, undecided, ink) {
        const { session, layers, view, dock, journal } = this;
        // Where only members draw, the first stroke is kept for the day they are one; then their pointer moves the view.
        if (!session.me && this.invited) return null;
        let x = view.canvasX(event.clientX), y = view.canvasY(event.clientY);
        if (this.closed(x, y)) return null;
        const { width, height } = layers.shown;
        const copies = (/** @type {number} */ px, /** @type {number} */ py) => mirrored(dock.symmetry, width, height, { x: px, y: py });
        const start = { x, y }, pen = new Stabiliser(dock.steady * 1.2, x, y);
        const nib = new Nib(dock.size, dock.dynamic, event.pointerType);
        const colour = ink ?? colourAt(layers.shown, x, y, 2);
        const opacity = Math.max(1, Math.round(255 * dock.opacity)), w = nib.begin(event);
        const strokes = copies(x, y).map((at) => new OwnStroke(layers, journal, colour, opacity, at.x, at.y, w));
        for (const stroke of strokes) {
            stroke.undecided = undecided;
            this.strokes.add(stroke);
        }
        let line = event.shiftKey; // held from the start: nothing is drawn before the end is known
        let end = { x, y, w };
        this.begun();
        session.ink.wake();
        return {
            move: (moved) => {
                const all = moved.getCoalescedEvents?.() ?? [];
                line &&= moved.shiftKey;
                for (const each of all.length ? all : [moved]) {
                    const to = pen.to(view.canvasX(each.clientX), view.canvasY(each.clientY));
                    const w = nib.move(each, view.scale);
                    end = { ...to, w };
                    if (line) continue;
                    if (!ink) this.#wellUp(strokes, x, y, to.x, to.y, w);
                    copies(to.x, to.y).forEach((at, i) => strokes[i].to(at.x, at.y, w));
                    ({ x, y } = to);
                }
            },
            end: () => {
                if (line) {
                    const to = straight(start, end);
                    copies(to.x, to.y).forEach((at, i) => strokes[i].to(at.x, at.y, w));
                }
                for (const stroke of strokes) stroke.end();
                if (!session.me) this.#introduce();
                this.undoStack.drawn(strokes.flatMap(({ ids }) => ids));
                session.ink.flush();
                session.ink.wake();
            },
            cancel: () => {
                for (const stroke of strokes) stroke.cancel();
            },
            confirm: () => {
                for (const stroke of strokes) stroke.confirm();
            },
        };
    }

    /** A stranger has drawn. */
    #introduce() {
        if (this.join()) return;
        this.invited = true;
        this.session.ink.store();
        this.invite();
    }

    /**
     * The rainbow well: the next piece takes half of the colour that lies just ahead of the brush.
     * @param {OwnStroke[]} strokes the same one in each mirror @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1 @param {number} w
     */
    #wellUp(strokes, x0, y0, x1, y1, w) {
        const length = Math.hypot(x1 - x0, y1 - y0);
        if (length < 0.5) return;
        const ahead = w / 2 + 2;
        const met = colourAt(this.layers.shown, x1 + ((x1 - x0) / length) * ahead, y1 + ((y1 - y0) / length) * ahead, 2);
        const { r, g, b } = strokes[0].colour;
        for (const stroke of strokes) stroke.colour = { r: (r + met.r) >> 1, g: (g + met.g) >> 1, b: (b + met.b) >> 1 };
    }
}
