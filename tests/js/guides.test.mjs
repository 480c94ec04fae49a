/** What helps a hand: straight lines, a steady pen, mirrors. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { mirrored, Stabiliser, straight } from "../../static/canvas/guides.js";

test("a line close to one of 24 directions goes there, and is as long as it was drawn", () => {
    const level = straight({ x: 10, y: 10 }, { x: 110, y: 13 });
    assert.ok(Math.abs(level.y - 10) < 1e-9 && Math.abs(level.x - 10 - Math.hypot(100, 3)) < 1e-9);
    const free = straight({ x: 0, y: 0 }, { x: 100, y: 13 });
    assert.deepEqual(free, { x: 100, y: 13 });
});

test("a steady pen stays within its string, and takes the shake out of a line", () => {
    const pen = new Stabiliser(20, 0, 0);
    let most = 0;
    for (let x = 0; x <= 400; x += 4) {
        const shaken = 6 * Math.sin(x);
        const at = pen.to(x, shaken);
        assert.ok(Math.hypot(at.x - x, at.y - shaken) <= 20 + 1e-9);
        if (x > 100) most = Math.max(most, Math.abs(at.y));
    }
    assert.ok(most < 3, `${most} px`);
    assert.deepEqual(new Stabiliser(0, 0, 0).to(7, 8), { x: 7, y: 8 });
});

test("mirrors keep the distance to the middle, and itself comes first", () => {
    for (let fold = 1; fold <= 8; fold++) {
        const places = mirrored(fold, 200, 100, { x: 130, y: 20 });
        assert.equal(places.length, fold);
        assert.deepEqual(places[0].x, 130);
        const far = places.map(({ x, y }) => Math.hypot(x - 100, y - 50));
        assert.ok(far.every((one) => Math.abs(one - far[0]) < 1e-9), `${fold}-fold`);
        assert.equal(new Set(places.map(({ x, y }) => `${x.toFixed(3)} ${y.toFixed(3)}`)).size, fold);
    }
    assert.deepEqual(mirrored(2, 200, 100, { x: 130, y: 20 })[1], { x: 70, y: 20 });
});
