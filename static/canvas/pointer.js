// @ts-check
/**
 * From pointers to gestures of the tools. A mouse or pen uses the tool in hand, and so does each finger; but where a
 * second finger comes down before the first has moved, the two move and zoom the view, a tap with both takes back, and a
 * finger that rests picks a colour. Three at once draw. A pen silences fingers (the palm): while it is down they do nothing,
 * and for a while after that they only move and zoom the view.
 */

const TOGETHER = 200; // ms within which three fingers come down at once
const STILL = 8; // CSS px a finger may shake
const LONG_PRESS = 550; // ms a finger rests to pick a colour
const TAP = 300; // ms a tap may take
const PEN = 30_000; // ms after a pen was near in which fingers do not draw
const PALM = 1000; // ms before the pen in which a finger was the palm

/**
 * @typedef {import("./tools/types.js").Gesture} Gesture
 * @typedef {import("./tools/types.js").Tool} Tool
 *
 * @typedef {object} Actions what pointers do
 * @property {() => Tool} tool the one in use
 * @property {Tool} hand
 * @property {Tool} eyedropper
 * @property {(tool: Tool, event: PointerEvent, undecided: boolean) => Gesture | null} begin null where this tool can do
 *   nothing: then the pointer moves the view
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number, x: number, y: number) => void} zoom
 * @property {() => void} undo
 * @property {(event: PointerEvent | null) => void} hover where the pointer is, null where it is not
 *
 * @typedef {object} Contact one pointer that is down
 * @property {number} id
 * @property {string} type
 * @property {Gesture | null} gesture
 * @property {boolean} pinching it is one of two fingers that move and zoom
 * @property {boolean} yields its gesture gives way to a pinch at any time
 * @property {boolean} undecided it does until it has moved
 * @property {number} startX @property {number} startY
 * @property {number} x @property {number} y
 * @property {number} at ms
 * @property {ReturnType<typeof setTimeout> | undefined} longPress
 */

export class Pointer {
    /** @param {HTMLElement} stage @param {Actions} actions */
    constructor(stage, actions) {
        this.stage = stage;
        this.actions = actions;
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
        listen("pointerleave", () => actions.hover(null));
        stage.addEventListener("contextmenu", (event) => event.preventDefault());
        stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
        // Without this iOS magnifies and selects where somebody draws.
        stage.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    }

    /** Whether something is being put on the canvas. */
    get drawing() {
        for (const { gesture, yields, undecided } of this.contacts.values()) if (gesture && !yields && !undecided) return true;
        return false;
    }

    /** Ends what is under way: the window is left, or the view jumps. */
    finish() {
        for (const contact of this.contacts.values()) {
            if (contact.yields) contact.gesture?.cancel();
            else contact.gesture?.end();
            this.#drop(contact);
        }
    }

    /** @param {PointerEvent} event */
    #down(event) {
        const { clientX: x, clientY: y, pointerType: type, pointerId: id } = event;
        this.stage.setPointerCapture(id);
        /** @type {Contact} */
        const contact = {
            id, type, gesture: null, pinching: false, yields: false, undecided: false,
            startX: x, startY: y, x, y, at: event.timeStamp, longPress: undefined,
        };
        this.contacts.set(id, contact);
        if (type === "pen") this.#pen(event);
        const tool = this.#toolOf(event);
        if (!tool) return;
        if (type === "touch") this.#touch(event, contact, tool);
        else this.#begin(contact, tool, false, event);
        if (event.button === 1) event.preventDefault(); // the middle button's own scrolling
    }

    /** @param {PointerEvent} event @returns {Tool | null} */
    #toolOf({ button, altKey }) {
        const { actions } = this;
        if (button === 1 || (button === 0 && this.space)) return actions.hand;
        if (button === 2 || (button === 0 && altKey)) return actions.eyedropper;
        return button === 0 ? actions.tool() : null;
    }

    /** A pen comes down: whatever fingers drew a moment ago was the palm. @param {PointerEvent} event */
    #pen(event) {
        this.penAt = event.timeStamp;
        for (const other of this.contacts.values()) {
            if (other.type !== "touch") continue;
            if (other.yields || event.timeStamp - other.at < PALM) other.gesture?.cancel();
            else other.gesture?.end();
            this.#drop(other);
        }
    }

    /** @param {PointerEvent} event @param {Contact} contact @param {Tool} tool */
    #touch(event, contact, tool) {
        if (this.#penDown()) return; // the palm of a hand that draws
        const others = [...this.contacts.values()].filter((other) => other.type === "touch" && other !== contact);
        const [first] = others;
        const together = first && event.timeStamp - first.at < TOGETHER;
        if (others.length === 2 && together && this.#pinching() && !this.pinchMoved && tool.inks) {
            // Three at once are a hand that draws.
            for (const each of [...others, contact]) this.#begin(each, tool, false);
            return;
        }
        if (this.#pinching()) return; // a further finger does nothing
        if (others.length === 1 && first.gesture && (first.yields || first.undecided)) {
            this.#pinch(first, contact);
            this.pinchAt = first.at;
            return;
        }
        if (tool.inks && event.timeStamp - this.penAt < PEN) this.#begin(contact, this.actions.hand, false, event);
        else this.#begin(contact, tool, tool.inks, event);
    }

    #penDown() {
        for (const { type } of this.contacts.values()) if (type === "pen") return true;
        return false;
    }

    /** @param {Contact} a @param {Contact} b */
    #pinch(a, b) {
        for (const contact of [a, b]) {
            contact.gesture?.cancel();
            this.#drop(contact);
            contact.pinching = true;
        }
        this.pinchMoved = false;
    }

    #pinching() {
        for (const { pinching } of this.contacts.values()) if (pinching) return true;
        return false;
    }

    /** @param {Contact} contact @param {Tool} tool @param {boolean} undecided @param {PointerEvent} [event] */
    #begin(contact, tool, undecided, event) {
        const { actions } = this;
        const start = event ?? new PointerEvent("pointerdown", {
            pointerId: contact.id, pointerType: contact.type, clientX: contact.x, clientY: contact.y, pressure: 0.5,
        });
        const own = actions.begin(tool, start, undecided);
        contact.pinching = false;
        contact.gesture = own ?? actions.begin(actions.hand, start, false);
        contact.yields = own === null || !tool.inks;
        contact.undecided = undecided && !contact.yields;
        if (contact.undecided) contact.longPress = setTimeout(() => this.#longPressed(contact), LONG_PRESS);
        else contact.gesture?.confirm?.();
    }

    /** Whatever it did is over. @param {Contact} contact */
    #drop(contact) {
        clearTimeout(contact.longPress);
        contact.gesture = null;
        contact.pinching = contact.yields = contact.undecided = false;
    }

    /** @param {Contact} contact */
    #longPressed(contact) {
        if (!contact.undecided) return;
        contact.gesture?.cancel();
        this.#begin(contact, this.actions.eyedropper, false);
    }

    /** @param {PointerEvent} event */
    #move(event) {
        const contact = this.contacts.get(event.pointerId);
        if (event.pointerType === "pen") this.penAt = event.timeStamp;
        if (event.pointerType !== "touch") this.actions.hover(event);
        if (!contact) return;
        const { clientX: x, clientY: y } = event;
        if (contact.pinching) this.#pinched(contact, x, y);
        else {
            if (contact.undecided && Math.hypot(x - contact.startX, y - contact.startY) > STILL) this.#decide(contact);
            contact.gesture?.move(event);
        }
        contact.x = x;
        contact.y = y;
    }

    /** @param {Contact} contact */
    #decide(contact) {
        clearTimeout(contact.longPress);
        contact.undecided = false;
        contact.gesture?.confirm?.();
    }

    /** @param {Contact} contact @param {number} x @param {number} y where it goes */
    #pinched(contact, x, y) {
        const other = [...this.contacts.values()].find((each) => each.pinching && each !== contact);
        if (!other) return;
        if (!this.pinchMoved) {
            const far = Math.hypot(x - contact.startX, y - contact.startY) > STILL;
            if (!far) return;
            this.pinchMoved = true;
        }
        const before = Math.hypot(contact.x - other.x, contact.y - other.y);
        const after = Math.hypot(x - other.x, y - other.y);
        this.actions.pan((x - contact.x) / 2, (y - contact.y) / 2);
        if (before > 0 && after > 0) this.actions.zoom(after / before, (x + other.x) / 2, (y + other.y) / 2);
    }

    /** @param {PointerEvent} event @param {boolean} cancelled */
    #up(event, cancelled) {
        const contact = this.contacts.get(event.pointerId);
        if (!contact) return;
        this.contacts.delete(event.pointerId);
        const { gesture, pinching, yields, undecided } = contact;
        this.#drop(contact);
        if (pinching) {
            for (const other of this.contacts.values()) other.pinching = false;
            if (!cancelled && !this.pinchMoved && event.timeStamp - this.pinchAt < TAP) this.actions.undo();
        } else if (cancelled && (undecided || yields)) {
            // The system took the finger (its own gesture, a palm): what was certain stays, the rest was not meant.
            gesture?.cancel();
        } else {
            gesture?.end(event);
        }
    }

    /** @param {WheelEvent} event */
    #wheel(event) {
        event.preventDefault();
        const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? 400 : 1;
        if (event.shiftKey) return this.actions.pan(-(event.deltaX || event.deltaY) * lines, 0);
        // A pinch on a touchpad arrives as a wheel with the control key and small steps.
        const speed = event.ctrlKey ? 0.01 : 0.0015;
        const step = Math.max(-0.5, Math.min(0.5, -event.deltaY * lines * speed));
        this.actions.zoom(Math.exp(step), event.clientX, event.clientY);
    }
}
