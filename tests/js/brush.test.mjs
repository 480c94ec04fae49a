import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as brush from "../../static/canvas/brush.js";
import { Layers } from "../../static/canvas/layers.js";
import { Picture } from "../../static/canvas/picture.js";
import { Pixels } from "../../static/canvas/pixels.js";
import { OwnStroke } from "../../static/canvas/strokes.js";
import { generator, stroke } from "./random.mjs";
import { digest, replay } from "./replay.mjs";

test("dividing by 255 without dividing, for every value a blend can have", () => {
    for (let v = 0; v < 65535; v++) assert.equal((v + 1 + (v >> 8)) >> 8, Math.floor(v / 255));
});

test("a stamp is symmetric, full in its middle, and ends within its square", () => {
    const side = 2 * 31 + 1;
    const disc = brush.mask(124, 0, 0);
    assert.equal(disc.length, side * side);
    for (let j = 0; j < side; j++) {
        for (let i = 0; i < side - 1; i++) {
            const value = disc[j * side + i];
            assert.equal(value, disc[i * side + j], "the diagonal");
            assert.equal(value, disc[j * side + (side - 2 - i)], "left and right of the middle between two pixels");
        }
    }
    assert.ok(disc[31 * side + 31] >= 254);
    assert.equal(disc[0], 0);
});

test("thinner than two pixels is fainter, not thinner", () => {
    const sum = (/** @type {number} */ d) => brush.mask(d, 0, 0).reduce((a, b) => a + b, 0);
    assert.ok(sum(2) < sum(3) && sum(3) < sum(4) && sum(4) < sum(6));
    assert.equal(brush.mask(2, 0, 0).length, brush.mask(4, 0, 0).length);
});

test("bounds hold every pixel a piece touches", () => {
    const random = generator(3);
    for (let i = 0; i < 100; i++) {
        const piece = stroke(random, 120, 120, { opacity: 255, r: 0, g: 0, b: 0 });
        const pixels = new Pixels(120, 120);
        brush.draw(pixels, pixels.bounds, piece);
        const bounds = brush.boundsOf(piece);
        for (let at = 0; at < pixels.words.length; at++) {
            if (pixels.words[at] === 0xffffffff) continue;
            const x = at % 120, y = Math.floor(at / 120);
            assert.ok(x >= bounds.x0 && x < bounds.x1 && y >= bounds.y0 && y < bounds.y1, `${x}, ${y}`);
        }
    }
});

test("a clip paints the same pixels inside and none outside", () => {
    const random = generator(4);
    for (let i = 0; i < 60; i++) {
        const piece = stroke(random, 100, 100);
        const whole = new Pixels(100, 100), part = new Pixels(100, 100);
        const clip = { x0: 20, y0: 30, x1: 71, y1: 64 };
        brush.draw(whole, whole.bounds, piece);
        brush.draw(part, clip, piece);
        const expected = new Pixels(100, 100);
        expected.copy(whole, clip);
        assert.equal(Buffer.compare(part.bytes, expected.bytes), 0);
    }
});

/** A pen that moves at random, cut into pieces at random. @param {number} seed */
function drawn(seed) {
    const random = generator(seed);
    const layers = new Layers(new Picture(300, 200, [255, 255, 255]));
    /** @type {import("../../static/canvas/layers.js").LocalPiece[]} */
    const put = [];
    const journal = { author: () => 4, newStroke: () => 77, put: (/** @type {any} */ piece) => put.push(piece), undo: () => {} };
    let x = 150, y = 100, w = 11;
    const pen = new OwnStroke(layers, journal, { r: 200, g: 30, b: 60 }, 102, x, y, w);
    for (let i = 0; i < 80; i++) {
        x += 30 * (random() - 0.5);
        y += 30 * (random() - 0.5);
        w = Math.min(124, Math.max(1, w + 12 * (random() - 0.5)));
        pen.to(x, y, w);
        if (random() < 0.3) pen.cut();
    }
    pen.end();
    return { layers, put };
}

test("ink painted while the pen moves is the ink its pieces paint", () => {
    for (let seed = 0; seed < 20; seed++) {
        const { layers, put } = drawn(seed);
        const picture = new Picture(300, 200, [255, 255, 255]);
        put.forEach(({ op }, index) => picture.append(index + 1, op));
        assert.equal(Buffer.compare(layers.shown.bytes, picture.pixels.bytes), 0, `seed ${seed}`);
        assert.deepEqual(put.map(({ op }) => op.piece), put.map((_, index) => index));
        assert.deepEqual(put.map(({ op }) => op.last), put.map((_, index) => index === put.length - 1));
    }
});

test("cutting a stroke leaves no seam: its stamps stay a spacing apart", () => {
    const { put } = drawn(3);
    for (let i = 1; i < put.length; i++) {
        const before = put[i - 1].op, after = put[i].op;
        assert.deepEqual(after.points.slice(0, 3), before.points.slice(-3), "begins where the last one ended");
        const trace = brush.draw(new Pixels(300, 200), { x0: 0, y0: 0, x1: 300, y1: 200 }, before);
        assert.equal(after.carry, trace.carry);
    }
});

test("moving the settled pieces into the picture changes nothing one sees", () => {
    const { layers, put } = drawn(9);
    const before = Buffer.from(layers.shown.bytes);
    put.forEach((piece, index) => layers.append(index + 1, piece.op, piece));
    layers.freshen();
    assert.equal(layers.local.length, 0);
    assert.equal(Buffer.compare(layers.shown.bytes, before), 0);
    assert.equal(Buffer.compare(layers.picture.pixels.bytes, before), 0);
});

// Made by canvas/brush.py and canvas/picture.py; the same journals are replayed in tests/canvas.
const golden = JSON.parse(readFileSync(new URL("../golden/brush.json", import.meta.url), "utf8"));
for (const [index, journal] of golden.entries()) {
    test(`golden journal ${index}`, () => {
        assert.equal(digest(replay(journal).pixels), journal.sha256);
    });
}
