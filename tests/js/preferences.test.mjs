/** What is remembered of the brush, and for how long. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { recall, remember } from "../../static/canvas/preferences.js";
import { PALETTES, RAINBOW } from "../../static/canvas/palette.js";
import { FakeStorage } from "./fakes.mjs";

/** @param {string} name @param {() => any} get */
const define = (name, get) => Object.defineProperty(globalThis, name, { get, configurable: true });
const BRUSH = { size: 30, opacity: 0.7, dynamic: false, symmetry: 3, steady: 10, recent: ["#123456"], palette: 4, chosen: "#123456" };
const newSession = () => {
    const storage = new FakeStorage();
    define("sessionStorage", () => storage);
};

beforeEach(() => {
    const storage = new FakeStorage();
    define("localStorage", () => storage);
    newSession();
});

test("another page of the same session has the brush as it was left, colour and all", () => {
    for (const chosen of ["#123456", RAINBOW, PALETTES[4].swatches[6]]) {
        remember({ ...BRUSH, chosen });
        assert.deepEqual(recall(), { ...BRUSH, chosen });
    }
});

test("a new session has the same brush and never the same palette", () => {
    remember(BRUSH);
    for (const random of [0, 0.3, 0.6, 0.999]) {
        newSession();
        const { palette, chosen, ...brush } = recall(() => random);
        assert.deepEqual(brush, { size: 30, opacity: 0.7, dynamic: false, symmetry: 3, steady: 10, recent: ["#123456"] });
        assert.notEqual(palette, 4);
        assert.equal(chosen, PALETTES[palette].swatches[3]);
    }
});

test("a first visit, nonsense in the storage, and no storage at all leave a usable brush", () => {
    const usable = () => {
        const { palette, chosen, ...brush } = recall();
        assert.deepEqual(brush, {});
        assert.ok(PALETTES[palette].swatches.includes(chosen));
    };
    usable();
    for (const nonsense of ["{", "null", "3", '{"palette": 99, "chosen": 5, "size": "big", "dynamic": 1}', '{"palette": -1}']) {
        localStorage.setItem("dreamsite:brush", nonsense);
        sessionStorage.setItem("dreamsite:brush", nonsense);
        usable();
    }
    sessionStorage.setItem("dreamsite:brush", JSON.stringify({ palette: 3, chosen: "url(x)" }));
    assert.deepEqual(recall(), { palette: 3, chosen: PALETTES[3].swatches[3] });
    const forbidden = () => {
        throw new Error("SecurityError");
    };
    define("localStorage", forbidden);
    define("sessionStorage", forbidden);
    usable();
    remember(BRUSH);
});
