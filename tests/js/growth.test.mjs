/** When each place of the canvas shows a dream that arrives. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { outline } from "../../static/canvas/arrival.js";
import { delaysFrom, fillMask } from "../../static/canvas/growth.js";

/** @param {number[]} points in px */
const stroke = (...points) => /** @type {any} */ ({ points: points.map((value) => value * 8) });

test("a dream begins at the ink and is everywhere at the end", () => {
    const { columns, rows, delays } = delaysFrom([stroke(40, 40, 8, 200, 40, 8)], 640, 480);
    assert.deepEqual([columns, rows], [40, 30]);
    for (let column = 3; column <= 12; column++) assert.equal(delays[2 * columns + column], 0, `column ${column}`);
    assert.equal(Math.max(...delays), 1);
    assert.ok(delays.every((delay) => delay >= 0 && delay <= 1));
});

test("the farther from the ink, the later", () => {
    const { columns, delays } = delaysFrom([stroke(320, 240, 8)], 640, 480);
    const row = 15;
    for (let column = 20; column < columns - 1; column++) {
        assert.ok(delays[row * columns + column + 1] > delays[row * columns + column]);
    }
});

test("without ink, and with ink outside the canvas only, it comes everywhere at once", () => {
    for (const strokes of [[], [stroke(-50, -50, 8)]]) {
        const { delays } = delaysFrom(strokes, 320, 320);
        assert.ok(delays.every((delay) => delay === 0));
    }
});

test("the mask covers all at first, nothing at the end, and only ever less", () => {
    const { delays } = delaysFrom([stroke(10, 10, 8)], 320, 320);
    const rgba = new Uint8ClampedArray(4 * delays.length);
    let before = new Array(delays.length).fill(255);
    for (let part = 0; part <= 1; part += 0.1) {
        fillMask(delays, part, rgba);
        const now = Array.from(delays, (_, i) => rgba[4 * i + 3]);
        if (part === 0) assert.ok(now.every((alpha) => alpha === 255));
        assert.ok(now.every((alpha, i) => alpha <= before[i]));
        before = now;
    }
    fillMask(delays, 1, rgba);
    assert.ok(delays.every((_, i) => rgba[4 * i + 3] === 0));
});

test("the shape of a stroke turns one way everywhere, so that its parts cover each other and leave no holes", () => {
    /** @type {number[][]} */
    let corners = [];
    const areas = /** @type {number[]} */ ([]);
    outline(
        {
            moveTo: (x, y) => (corners = [[x, y]]),
            lineTo: (x, y) => corners.push([x, y]),
            arc: (_x, _y, radius, _from, _to, other) => areas.push(other ? -radius * radius * Math.PI : radius * radius * Math.PI),
            closePath: () => areas.push(corners.reduce((sum, [x, y], i) => {
                const [nextX, nextY] = corners[(i + 1) % corners.length];
                return sum + (x * nextY - nextX * y) / 2;
            }, 0)),
        },
        [stroke(10, 10, 8, 90, 10, 16, 90, 80, 4, 20, 30, 8, 20, 30, 8), stroke(20, 30, 8, 5, 90, 8)],
    );
    assert.equal(areas.length, 7 + 4); // discs at the points, and what lies between two that differ
    assert.ok(areas.every((area) => area > 0));
});
