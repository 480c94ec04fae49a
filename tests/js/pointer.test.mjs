// @ts-check
/** From streams of pointer events, as browsers send them, to what tools do: fingers, pens and palms. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Pointer } from "../../static/canvas/pointer.js";

globalThis.PointerEvent ??= /** @type {any} */ (class {
    /** @param {string} type @param {any} init */
    constructor(type, init) {
        Object.assign(this, { type, button: 0, ...init });
    }
});

/** A stage, a brush, a hand and a loupe that write down what they do. */
function table() {
    /** @type {string[]} */
    const log = [];
    /** @type {Record<string, (event: any) => void>} */
    const heard = {};
    let drawn = 0, time = 1000;
    /** @param {string} name @param {boolean} inks */
    const tool = (name, inks) => ({ name, inks });
    const brush = tool("brush", true), hand = tool("hand", false), eyedropper = tool("eyedropper", false);
    const pointer = new Pointer(/** @type {any} */ ({
        addEventListener: (/** @type {string} */ type, /** @type {any} */ handler) => (heard[type] = handler),
        setPointerCapture: () => {},
    }), /** @type {any} */ ({
        tool: () => brush, hand, eyedropper,
        begin: (/** @type {any} */ used) => {
            const name = used.inks ? `stroke ${++drawn}` : used.name;
            return {
                move: () => log.push(`${name} moves`),
                end: () => log.push(`${name} ends`),
                cancel: () => log.push(`${name} is nothing`),
                confirm: () => log.push(`${name} is meant`),
            };
        },
        pan: () => log.push("pan"),
        zoom: (/** @type {number} */ factor) => log.push(factor > 1 ? "zoom in" : "zoom out"),
        undo: () => log.push("undo"),
        hover: () => {},
    }));
    /** One event, `after` ms later than the last. @param {string} type @param {number} id @param {string} kind @param {number} x @param {number} y @param {number} [after] */
    const event = (type, id, kind, x, y, after = 8) => {
        time += after;
        heard[type]({
            pointerId: id, pointerType: kind, clientX: x, clientY: y, button: type === "pointermove" ? -1 : 0,
            pressure: kind === "pen" ? 0.6 : 0.5, timeStamp: time, altKey: false, preventDefault: () => {},
        });
    };
    return { log, event, pointer };
}

const since = (/** @type {string[]} */ log) => [...new Set(log.splice(0))];

test("two fingers that come down together zoom, and leave nothing", () => {
    const { log, event } = table();
    event("pointerdown", 2, "touch", 100, 100);
    event("pointerdown", 3, "touch", 200, 100);
    for (let step = 1; step <= 10; step++) {
        event("pointermove", 2, "touch", 100 - 4 * step, 100);
        event("pointermove", 3, "touch", 200 + 4 * step, 100);
    }
    event("pointerup", 2, "touch", 60, 100);
    event("pointerup", 3, "touch", 240, 100);
    assert.deepEqual(since(log), ["stroke 1 is nothing", "pan", "zoom in"]);
});

test("a tap with two fingers takes back once, a slow one does not", () => {
    for (const [held, wanted] of /** @type {[number, string[]][]} */ ([[60, ["stroke 1 is nothing", "undo"]], [500, ["stroke 1 is nothing"]]])) {
        const { log, event } = table();
        event("pointerdown", 2, "touch", 100, 100);
        event("pointerdown", 3, "touch", 200, 100);
        event("pointermove", 2, "touch", 102, 101);
        event("pointerup", 2, "touch", 102, 101, held);
        event("pointerup", 3, "touch", 200, 100);
        assert.deepEqual(since(log), wanted);
    }
});

test("a pen draws; a palm that came just before it is nothing, and one that comes while it is down does nothing", () => {
    const { log, event } = table();
    event("pointerdown", 5, "touch", 300, 400); // the palm lands first
    event("pointermove", 5, "touch", 320, 400);
    event("pointerdown", 1, "pen", 100, 100);
    assert.deepEqual(since(log), ["stroke 1 is meant", "stroke 1 moves", "stroke 1 is nothing", "stroke 2 is meant"]);
    event("pointerdown", 6, "touch", 330, 420);
    for (let step = 1; step <= 10; step++) {
        event("pointermove", 1, "pen", 100 + 5 * step, 100);
        event("pointermove", 5, "touch", 320 + 3 * step, 400);
        event("pointermove", 6, "touch", 330 + 3 * step, 420);
    }
    event("pointercancel", 5, "touch", 350, 400); // the system found out that it was a palm
    event("pointerup", 1, "pen", 150, 100);
    assert.deepEqual(since(log), ["stroke 2 moves", "stroke 2 ends"]);
    event("pointerup", 6, "touch", 360, 420);
    assert.deepEqual(since(log), []);
});

test("after a pen fingers move and zoom for a while, then they draw again", () => {
    const { log, event } = table();
    event("pointerdown", 1, "pen", 100, 100);
    event("pointermove", 1, "pen", 140, 100);
    event("pointerup", 1, "pen", 140, 100);
    since(log);
    event("pointerdown", 2, "touch", 100, 300, 2000);
    event("pointermove", 2, "touch", 130, 300);
    assert.deepEqual(since(log), ["hand is meant", "hand moves"]);
    event("pointerdown", 3, "touch", 200, 300, 400); // it yields to a pinch at any time
    event("pointermove", 3, "touch", 240, 300);
    event("pointerup", 3, "touch", 240, 300);
    event("pointerup", 2, "touch", 130, 300);
    assert.deepEqual(since(log), ["hand is nothing", "pan", "zoom in"]);
    event("pointerdown", 4, "touch", 100, 300, 40_000);
    event("pointermove", 4, "touch", 150, 300);
    event("pointerup", 4, "touch", 150, 300);
    assert.deepEqual(since(log), ["stroke 2 is meant", "stroke 2 moves", "stroke 2 ends"]);
});

test("a finger that the system takes away leaves what was certain, and nothing that was not", () => {
    const { log, event } = table();
    event("pointerdown", 2, "touch", 100, 100);
    event("pointercancel", 2, "touch", 101, 100);
    assert.deepEqual(since(log), ["stroke 1 is nothing"]);
    event("pointerdown", 3, "touch", 100, 100);
    event("pointermove", 3, "touch", 160, 100);
    event("pointercancel", 3, "touch", 170, 100);
    assert.deepEqual(since(log), ["stroke 2 is meant", "stroke 2 moves", "stroke 2 ends"]);
});

test("three fingers at once draw, and so do fingers one after the other", () => {
    const { log, event, pointer } = table();
    for (const id of [2, 3, 4]) event("pointerdown", id, "touch", 100 * id, 100);
    assert.equal(pointer.drawing, true);
    for (const id of [2, 3, 4]) event("pointerup", id, "touch", 100 * id, 100);
    assert.equal(log.filter((said) => said.endsWith("ends")).length, 3);
    since(log);
    event("pointerdown", 5, "touch", 100, 100, 1000);
    event("pointermove", 5, "touch", 140, 100);
    event("pointerdown", 6, "touch", 300, 100, 400);
    event("pointermove", 6, "touch", 340, 100);
    event("pointerup", 5, "touch", 140, 100);
    event("pointerup", 6, "touch", 340, 100);
    assert.equal(log.filter((said) => said.endsWith("ends")).length, 2);
    assert.ok(!log.includes("zoom in") && !log.includes("undo"));
});
