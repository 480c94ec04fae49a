/** The manifest of tools: complete, and its rows do not get in each other's way. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { TOOLS } from "../../static/canvas/tools/manifest.js";

const folder = new URL("../../static/canvas/tools/", import.meta.url);

test("every module of the folder is a row of the manifest, under its own name", () => {
    const modules = readdirSync(folder).filter((name) => !["manifest.js", "types.js"].includes(name)).map((name) => name.replace(".js", ""));
    assert.deepEqual(TOOLS.map(({ name }) => name).sort(), modules.sort());
});

test("names and keys are each one tool's alone, and no key is taken by another command", () => {
    assert.equal(new Set(TOOLS.map(({ name }) => name)).size, TOOLS.length);
    const keyboard = readFileSync(new URL("../keys.js", folder), "utf8");
    const taken = [...keyboard.matchAll(/^ {8}"(.)": /gm)].map(([, key]) => key);
    const page = ["m", "r"]; // the moderators' panel and reports
    const keys = TOOLS.map(({ key }) => key);
    assert.ok(taken.length > 10);
    assert.equal(new Set([...keys, ...taken, ...page]).size, keys.length + taken.length + page.length);
    for (const key of keys) assert.match(key, /^[a-z]$/);
});

test("the first tool puts ink on the canvas: it is the one in hand when the page opens", () => {
    assert.ok(TOOLS[0].inks && !TOOLS[0].once);
});

/** @param {number} clientX @param {number} clientY */
const at = (clientX, clientY) => /** @type {any} */ ({ clientX, clientY });

test("the hand moves the view by what the pointer moves", () => {
    /** @type {number[][]} */
    const moves = [];
    const workspace = /** @type {any} */ ({ pan: (/** @type {number[]} */ ...by) => moves.push(by) });
    const gesture = TOOLS.find(({ name }) => name === "hand")?.begin(workspace, at(10, 10), false);
    gesture?.move(at(15, 8));
    gesture?.move(at(15, 18));
    assert.deepEqual(moves, [[5, -2], [0, 10]]);
});

test("the eyedropper takes the colour where the pointer is lifted, and none when it is cancelled", () => {
    /** @type {string[]} */
    const chosen = [];
    const workspace = /** @type {any} */ ({
        magnify: (/** @type {number} */ x) => `#0000${x}`, putLoupeAway: () => {}, chooseColour: (/** @type {string} */ hex) => chosen.push(hex),
    });
    const tool = TOOLS.find(({ name }) => name === "eyedropper");
    tool?.begin(workspace, at(10, 0), false)?.cancel();
    const gesture = tool?.begin(workspace, at(10, 0), false);
    gesture?.move(at(25, 0));
    gesture?.end();
    assert.deepEqual(chosen, ["#000025"]);
});
