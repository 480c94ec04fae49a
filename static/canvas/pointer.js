// @ts-check
/**
 * What hands do on the canvas. A mouse or pen draws; each finger draws, but where a second one comes down before the
 * first has moved, the two move and zoom the view, a tap with both takes back, and a finger that rests picks a colour.
 * Three at once draw. A pen silences fingers (the palm): for a while they only move the view.
 */

const TOGETHER = 200; // ms within which three fingers come down at once
const STILL = 8; // CSS px a finger may shake
const REST = 550; // ms a finger rests to pick a colour
const TAP = 300; // ms a tap may take
const PEN = 30_000; // ms after a pen was near in which fingers do not draw
const PALM = 1000; // ms before the pen in which a finger was the palm

/**
 * @typedef {object} Drawing a stroke that follows one pointer
 * @property {(event: PointerEvent) => void} move
 * @property {() => void} end
 * @property {() => void} cancel it was a gesture or a palm: no ink
 * @property {() => void} release it is certain to be a stroke
 *
 * @typedef {object} Hands what the gestures do
 * @property {() => "draw" | "pick" | "hand"} tool what one pointer means
 * @property {(event: PointerEvent, held: boolean) => Drawing | null} draw null where drawing is not possible: then it moves the view
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number, x: number, y: number) => void} zoom
 * @property {(x: number, y: number, done: boolean) => void} pick the colour at a point of the window
 * @property {() => void} unpick no colour after all
 * @property {() => void} undo
 * @property {(event: PointerEvent | null) => void} hover where the brush is, null where it is not
 *
 * @typedef {{id: number, type: string, mode: "draw" | "pan" | "pick" | "pinch" | "idle", drawing: Drawing | null,
 *   undecided: boolean, startX: number, startY: number, x: number, y: number, at: number,
 *   rest: ReturnType<typeof setTimeout> | undefined}} Contact
 */

export class Pointer {
    /** @param {HTMLElement} stage @param {Hands} hands */
    constructor(stage, hands) {
        this.stage = stage;
        this.hands = hands;
        /** @type {Map<number, Contact>} */
        this.contacts = new Map();
        this.penAt = -Infinity;
        this.space = false; // held down: one pointer moves the view
        this.pinchAt = 0;
        this.pinchMoved = false;
        const listen = /** @type {(type: "pointerdown" | "pointermove" | "pointerup" | "pointercancel" | "pointerleave",
            handler: (event: PointerEvent) => void) => void} */ (type, handler) => stage.addEventListener(type, handler);
        listen("pointerdown", (event) => this.#down(event));
        listen("pointermove", (event) => this.#move(event));
        listen("pointerup", (event) => this.#up(event, false));
        listen("pointercancel", (event) => this.#up(event, true));
        listen("pointerleave", () => hands.hover(null));
        stage.addEventListener("contextmenu", (event) => event.preventDefault());
        stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
        // Without this iOS magnifies and selects where somebody draws.
        stage.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    }

    /** Whether a stroke is being drawn. */
    get drawing() {
        for (const { mode, undecided } of this.contacts.values()) if (mode === "draw" && !undecided) return true;
        return false;
    }

    /** Ends what is under way: the window is left, or the view jumps. */
    finish() {
        for (const contact of this.contacts.values()) {
            clearTimeout(contact.rest);
            contact.drawing?.end();
            contact.drawing = null;
            contact.mode = "idle";
        }
    }

    /** @param {PointerEvent} event */
    #down(event) {
        const { clientX: x, clientY: y, pointerType: type, pointerId: id } = event;
        this.stage.setPointerCapture(id);
        /** @type {Contact} */
        const contact = {
            id, type, mode: "idle", drawing: null, undecided: false, startX: x, startY: y, x, y, at: event.timeStamp, rest: undefined,
        };
        this.contacts.set(id, contact);
        const tool = this.hands.tool();
        if (type === "pen") this.#pen(event);
        if (event.button === 1 || (event.button === 0 && (this.space || tool === "hand") && type !== "touch")) contact.mode = "pan";
        else if (event.button === 2 || (event.button === 0 && (event.altKey || tool === "pick"))) this.#pick(contact, false);
        else if (event.button !== 0) return;
        else if (type === "touch") this.#touch(event, contact, tool);
        else this.#draw(event, contact, false);
        if (contact.mode === "pan") event.preventDefault(); // the middle button's own scrolling
    }

    /** A pen comes down: whatever fingers drew a moment ago was the palm. @param {PointerEvent} event */
    #pen(event) {
        this.penAt = event.timeStamp;
        for (const other of this.contacts.values()) {
            if (other.type !== "touch") continue;
            clearTimeout(other.rest);
            if (event.timeStamp - other.at < PALM) other.drawing?.cancel();
            else other.drawing?.end();
            other.drawing = null;
            other.mode = "idle";
        }
    }

    /** @param {PointerEvent} event @param {Contact} contact @param {string} tool */
    #touch(event, contact, tool) {
        const others = [...this.contacts.values()].filter((other) => other.type === "touch" && other !== contact);
        const [first] = others;
        const together = first && event.timeStamp - first.at < TOGETHER;
        if (others.length === 2 && together && this.#pinching() && !this.pinchMoved && tool === "draw") {
            // Three at once are a hand that draws.
            for (const each of [...others, contact]) this.#draw(event, each, false);
            return;
        }
        if (this.#pinching()) return; // a further finger does nothing
        if (others.length === 1 && (first.mode === "pan" || first.mode === "pick" || first.undecided)) {
            this.#pinch(first, contact);
            this.pinchAt = first.at;
            return;
        }
        if (tool === "hand" || event.timeStamp - this.penAt < PEN) contact.mode = "pan";
        else this.#draw(event, contact, true);
    }

    /** @param {Contact} a @param {Contact} b */
    #pinch(a, b) {
        for (const contact of [a, b]) {
            clearTimeout(contact.rest);
            contact.drawing?.cancel();
            contact.drawing = null;
            contact.undecided = false;
            contact.mode = "pinch";
        }
        this.hands.unpick();
        this.pinchMoved = false;
    }

    #pinching() {
        for (const { mode } of this.contacts.values()) if (mode === "pinch") return true;
        return false;
    }

    /** @param {PointerEvent} event @param {Contact} contact @param {boolean} undecided */
    #draw(event, contact, undecided) {
        const start = contact.id === event.pointerId ? event : new PointerEvent("pointerdown", {
            pointerId: contact.id, pointerType: contact.type, clientX: contact.x, clientY: contact.y, pressure: 0.5,
        });
        contact.drawing = this.hands.draw(start, undecided);
        contact.mode = contact.drawing ? "draw" : "pan";
        contact.undecided = undecided && contact.drawing !== null;
        if (!undecided) contact.drawing?.release();
        else if (contact.drawing) contact.rest = setTimeout(() => this.#rested(contact), REST);
    }

    /** @param {Contact} contact */
    #rested(contact) {
        if (contact.mode !== "draw" || !contact.undecided) return;
        contact.drawing?.cancel();
        contact.drawing = null;
        this.#pick(contact, false);
    }

    /** @param {Contact} contact @param {boolean} done */
    #pick(contact, done) {
        contact.mode = "pick";
        this.hands.pick(contact.x, contact.y, done);
    }

    /** @param {PointerEvent} event */
    #move(event) {
        const contact = this.contacts.get(event.pointerId);
        if (event.pointerType === "pen") this.penAt = event.timeStamp;
        if (event.pointerType !== "touch") this.hands.hover(event);
        if (!contact) return;
        const { clientX: x, clientY: y } = event;
        const dx = x - contact.x, dy = y - contact.y;
        switch (contact.mode) {
            case "draw":
                if (contact.undecided && Math.hypot(x - contact.startX, y - contact.startY) > STILL) this.#decide(contact);
                contact.drawing?.move(event);
                break;
            case "pan":
                this.hands.pan(dx, dy);
                break;
            case "pinch":
                this.#pinched(contact, x, y);
                break;
        }
        contact.x = x;
        contact.y = y;
        if (contact.mode === "pick") this.#pick(contact, false);
    }

    /** @param {Contact} contact */
    #decide(contact) {
        clearTimeout(contact.rest);
        contact.undecided = false;
        contact.drawing?.release();
    }

    /** @param {Contact} contact @param {number} x @param {number} y where it goes */
    #pinched(contact, x, y) {
        const other = [...this.contacts.values()].find((each) => each.mode === "pinch" && each !== contact);
        if (!other) return;
        if (!this.pinchMoved) {
            const far = Math.hypot(x - contact.startX, y - contact.startY) > STILL;
            if (!far) return;
            this.pinchMoved = true;
        }
        const before = Math.hypot(contact.x - other.x, contact.y - other.y);
        const after = Math.hypot(x - other.x, y - other.y);
        this.hands.pan((x - contact.x) / 2, (y - contact.y) / 2);
        if (before > 0 && after > 0) this.hands.zoom(after / before, (x + other.x) / 2, (y + other.y) / 2);
    }

    /** @param {PointerEvent} event @param {boolean} cancelled */
    #up(event, cancelled) {
        const contact = this.contacts.get(event.pointerId);
        if (!contact) return;
        this.contacts.delete(event.pointerId);
        clearTimeout(contact.rest);
        if (contact.mode === "draw") {
            // The system took the finger (its own gesture, a palm): what was certain stays, the rest was not meant.
            if (cancelled && contact.undecided) contact.drawing?.cancel();
            else contact.drawing?.end();
        } else if (contact.mode === "pick" && !cancelled) {
            this.hands.pick(event.clientX, event.clientY, true);
        } else if (contact.mode === "pinch") {
            for (const other of this.contacts.values()) if (other.mode === "pinch") other.mode = "idle";
            if (!cancelled && !this.pinchMoved && event.timeStamp - this.pinchAt < TAP) this.hands.undo();
        }
    }

    /** @param {WheelEvent} event */
    #wheel(event) {
        event.preventDefault();
        const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? 400 : 1;
        if (event.shiftKey) return this.hands.pan(-(event.deltaX || event.deltaY) * lines, 0);
        // A pinch on a touchpad arrives as a wheel with the control key and small steps.
        const speed = event.ctrlKey ? 0.01 : 0.0015;
        const step = Math.max(-0.5, Math.min(0.5, -event.deltaY * lines * speed));
        this.hands.zoom(Math.exp(step), event.clientX, event.clientY);
    }
}
