/** What the bar says of the dream and of the connection, and when. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Bar } from "../../static/canvas/bar.js";
import * as messages from "../../static/canvas/messages.js";

const DREAM = {
    state: "waiting", title: "eyes", layer: "mixed4c", channel: null, model: "m", device: "cpu", position: 0,
    next_at: null, fraction: 0, octave: 0, octaves: 0, message: "",
};
const FRAME = { id: 5, number: 3, seq: 9, url: "/p", preview: null, page: "/f/5/", title: "eyes", kind: "dream" };
/** @param {string} state @param {number} [waiting] */
const connection = (state, waiting = 0) => ({ state, code: 1006, retryAt: Date.now() + 5000, waiting });

/** As much of an element as the bar touches. */
class Element {
    constructor() {
        /** @type {any} */
        this.dataset = {};
        this.style = {};
        this.textContent = this.title = this.href = "";
        this.hidden = false;
        this.parentElement = null;
        /** @type {Element[]} */
        this.children = [];
        this.classList = { add() {}, remove() {}, toggle() {} };
    }

    get childElementCount() {
        return this.children.length;
    }

    append(/** @type {Element} */ child) {
        this.children.push(child);
    }

    replaceChildren(/** @type {Element[]} */ ...children) {
        this.children = children;
    }

    toggleAttribute(/** @type {string} */ name, /** @type {boolean} */ on) {
        if (name === "hidden") this.hidden = on;
    }

    addEventListener() {}
}

/** @param {import("node:test").TestContext} t @param {boolean} [staff] */
function make(t, staff = false) {
    t.mock.timers.enable({ apis: ["setInterval", "Date"], now: 1_790_000_000_000 });
    t.mock.method(performance, "now", () => Date.now() - performance.timeOrigin);
    /** @type {any} */ (globalThis).document = { createElement: () => new Element() };
    /** @type {Map<string, Element>} */
    const parts = new Map();
    const part = (/** @type {string} */ name) => {
        if (!parts.has(name)) parts.set(name, new Element());
        return /** @type {Element} */ (parts.get(name));
    };
    /** @type {string[]} */
    const back = [];
    const page = { querySelector: (/** @type {string} */ selector) => part(/** @type {RegExpExecArray} */ (/"(.+)"/.exec(selector))[1]) };
    const bar = new Bar(/** @type {any} */ (page), staff, { retry: () => {}, now: () => Date.now(), back: (text) => back.push(text) });
    return { bar, part, back, pass: (/** @type {number} */ ms) => t.mock.timers.tick(ms) };
}

test("without a network: no dreams yet on a fresh canvas, not dreaming under a dream", (t) => {
    const { bar, part } = make(t, true);
    bar.showDream({ ...DREAM, state: "no-model" });
    assert.equal(part("label").textContent, "No dreams yet");
    assert.equal(part("next-style").hidden, true);
    for (const { textContent } of part("commands").children) assert.match(textContent, /^\.venv\/bin\/python manage\.py \S/);
    assert.equal(part("commands").children.length, 2);
    bar.showFrame(FRAME, true);
    assert.equal(part("label").textContent, "Not dreaming");
    bar.showDream(DREAM);
    assert.equal(part("label").textContent, "Next dream");
    assert.equal(part("next-style").hidden, false);
    assert.equal(part("commands").children.length, 0);
});

test("a network on its way is told once, shown all the time, and gone when it is here", (t) => {
    const { bar, part } = make(t);
    bar.showDream({ ...DREAM, model: "house", arriving: { title: "GoogLeNet", fraction: 0.125 } });
    assert.equal(part("arriving").hidden, false);
    assert.equal(part("arriving-text").textContent, "Dreaming with the small network while GoogLeNet arrives");
    assert.equal(part("live").textContent, "Dreaming with the small network while GoogLeNet arrives.");
    assert.equal(part("arriving").title, "12 %");
    part("live").textContent = "";
    bar.showDream({ ...DREAM, state: "no-model", model: "", arriving: { title: "GoogLeNet", fraction: 0.5 } });
    assert.match(part("arriving-text").textContent, /^GoogLeNet is on its way/);
    assert.doesNotMatch(part("live").textContent, /arrives/);
    bar.showDream({ ...DREAM, arriving: null });
    assert.equal(part("arriving").hidden, true);
    bar.showDream(DREAM); // from a server that knows of no such thing
    assert.equal(part("arriving").hidden, true);
});

test("while the connection is lost no dream is promised; a moment's loss is not told", (t) => {
    const { bar, part, back, pass } = make(t);
    bar.showConnection(/** @type {any} */ (connection("live")));
    bar.showDream({ ...DREAM, next_at: Date.now() + 2000 });
    assert.equal(part("time").textContent, "2 s");

    bar.showConnection(/** @type {any} */ (connection("offline")));
    pass(1000);
    assert.equal(part("label").textContent, "Next dream");
    bar.showConnection(/** @type {any} */ (connection("live")));
    assert.deepEqual(back, []);

    bar.showConnection(/** @type {any} */ (connection("offline", 2)));
    pass(3000);
    assert.equal(part("label").textContent, messages.UNKNOWN);
    assert.equal(part("title").textContent, "");
    assert.equal(part("time").textContent, "");
    assert.equal(part("status").hidden, false);
    bar.showConnection(/** @type {any} */ (connection("catching-up", 2)));
    bar.showConnection(/** @type {any} */ (connection("live", 2)));
    assert.deepEqual(back, ["Connected again; your strokes are sent."]);
    assert.equal(part("label").textContent, "Next dream");
    assert.equal(part("status").hidden, true);
});

test("a first connection that takes long is not called another one", (t) => {
    const { bar, back, pass } = make(t);
    bar.showConnection(/** @type {any} */ (connection("connecting")));
    pass(5000);
    bar.showConnection(/** @type {any} */ (connection("live")));
    assert.deepEqual(back, []);
});

test("an empty canvas promises a dream only where one will come", () => {
    assert.match(messages.untouched(true, "resting"), /Soon the network/);
    for (const state of ["no-model", "paused", "away", "failed", ""]) {
        assert.equal(messages.untouched(true, state), "The canvas is empty. Draw something.");
    }
    assert.match(messages.untouched(false, "waiting"), /Sign up and draw something. Soon/);
});
