import assert from "node:assert/strict";
import { test } from "node:test";

import { Layers } from "../../static/canvas/layers.js";
import { Picture } from "../../static/canvas/picture.js";
import { merged, overlap, Pixels } from "../../static/canvas/pixels.js";
import { Tiles } from "../../static/canvas/tiles.js";
import { generator, stroke } from "./random.mjs";

/** @typedef {import("../../static/canvas/wire.js").Operation} Operation */

const W = 150, H = 130;

/** @param {Pixels} pixels @param {number} x @param {number} y */
function at(pixels, x, y) {
    return [...pixels.bytes.subarray(4 * (y * pixels.width + x), 4 * (y * pixels.width + x) + 4)];
}

/** @param {Pixels} actual @param {Pixels} expected @param {string} [message] */
function same(actual, expected, message) {
    assert.equal(Buffer.compare(actual.bytes, expected.bytes), 0, message ?? "the pictures differ");
}

/** @param {() => number} random */
function noise(random) {
    const pixels = new Pixels(W, H);
    for (let i = 0; i < pixels.bytes.length; i++) if (i % 4 !== 3) pixels.bytes[i] = Math.floor(random() * 256);
    return pixels;
}

/** @param {Partial<import("../../static/canvas/wire.js").Stroke>} given @returns {import("../../static/canvas/wire.js").Stroke} */
function dot(given) {
    return {
        kind: 1, author: 1, strokeId: 1, piece: 0, last: true, r: 255, g: 0, b: 0, opacity: 255, carry: 0,
        points: [400, 400, 160], ...given,
    };
}

/** Operations of every kind, with a few strokes that are met again. @param {() => number} random @param {number} count */
function journal(random, count) {
    const int = (/** @type {number} */ n) => Math.floor(random() * n);
    const ids = Array.from({ length: 6 }, () => ({ author: 1 + int(3), strokeId: 1 + int(2 ** 30) }));
    /** @type {Operation[]} */
    const operations = [];
    for (let seq = 1; seq <= count; seq++) {
        const kind = random();
        const id = ids[int(ids.length)];
        if (kind < 0.72) operations.push(stroke(random, W, H, { ...id, carry: random() < 0.5 ? 0 : int(4000) }));
        else if (kind < 0.8) operations.push({ kind: 2, ...id });
        else operations.push({ kind: 3, author: 1, strokeId: 0, show: random() < 0.4, numbers: [1 + int(seq), 1 + int(seq)] });
    }
    return operations;
}

test("an undone stroke is gone wherever its undo stands, and what lies above it stays", () => {
    const picture = new Picture(W, H, [255, 255, 255]);
    picture.append(1, dot({ strokeId: 10 }));
    picture.append(2, dot({ strokeId: 11, author: 2, g: 200, points: [440, 400, 160] }));
    assert.deepEqual(at(picture.pixels, 48, 50)[0], 255);
    picture.append(3, { kind: 2, author: 1, strokeId: 10 });
    picture.append(4, dot({ strokeId: 10, piece: 1 })); // a piece that was under way
    const expected = new Picture(W, H, [255, 255, 255]);
    expected.append(2, dot({ strokeId: 11, author: 2, g: 200, points: [440, 400, 160] }));
    same(picture.pixels, expected.pixels);
});

test("an undo concerns its author's stroke only", () => {
    const picture = new Picture(W, H, [255, 255, 255]);
    picture.append(1, dot({ author: 2, strokeId: 10 }));
    const before = at(picture.pixels, 50, 50);
    picture.append(2, { kind: 2, author: 1, strokeId: 10 });
    assert.deepEqual(at(picture.pixels, 50, 50), before);
    assert.notDeepEqual(before, [255, 255, 255, 255]);
});

test("hidden numbers are not drawn, shown again they are", () => {
    const picture = new Picture(W, H, [255, 255, 255]);
    picture.append(1, dot({}));
    const drawn = at(picture.pixels, 50, 50);
    picture.append(2, { kind: 3, author: 9, strokeId: 0, show: false, numbers: [1] });
    assert.deepEqual(at(picture.pixels, 50, 50), [255, 255, 255, 255]);
    picture.append(3, { kind: 3, author: 9, strokeId: 0, show: true, numbers: [1] });
    assert.deepEqual(at(picture.pixels, 50, 50), drawn);
});

test("a new base keeps what came after it and forgets the rest", () => {
    const random = generator(11);
    const base = noise(random);
    const picture = new Picture(W, H, [255, 255, 255]);
    picture.append(1, dot({ strokeId: 1 }));
    picture.append(2, dot({ strokeId: 1, piece: 1, points: [100, 100, 80] }));
    picture.append(3, dot({ strokeId: 2, points: [600, 600, 80] }));
    picture.append(4, { kind: 2, author: 1, strokeId: 1 });
    picture.rebase(base, 1);
    const expected = new Picture(W, H, [0, 0, 0]);
    expected.rebase(base, 0);
    expected.append(3, dot({ strokeId: 2, points: [600, 600, 80] }));
    same(picture.pixels, expected.pixels, "the undo takes back what the base has not taken in");
    picture.rebase(base, 4);
    same(picture.pixels, base);
    picture.append(5, dot({ strokeId: 1, piece: 2 }));
    assert.notDeepEqual(at(picture.pixels, 50, 50), at(base, 50, 50), "an undo before the base is forgotten");
});

test("our own undo shows at once and comes back when it is refused", () => {
    const picture = new Picture(W, H, [255, 255, 255]);
    picture.append(1, dot({}));
    const drawn = Buffer.from(picture.pixels.bytes);
    picture.expectUndo(1, 1);
    assert.deepEqual(at(picture.pixels, 50, 50), [255, 255, 255, 255]);
    picture.rebase(picture.base, 0); // a frame in between keeps the expectation
    assert.deepEqual(at(picture.pixels, 50, 50), [255, 255, 255, 255]);
    picture.refuseUndo(1, 1);
    assert.equal(Buffer.compare(picture.pixels.bytes, drawn), 0);
    picture.expectUndo(1, 1);
    picture.append(2, { kind: 2, author: 1, strokeId: 1 });
    assert.deepEqual(picture.refuseUndo(1, 1), [], "the journal has it: too late for a refusal");
});

test("painting as it comes equals rendering everything anew, and nothing changes outside the rectangles told", () => {
    for (let seed = 0; seed < 60; seed++) {
        const random = generator(100 + seed);
        const base = noise(random);
        const picture = new Picture(W, H, [250, 240, 230]);
        for (const [index, op] of journal(random, 30).entries()) {
            const before = Buffer.from(picture.pixels.bytes);
            const rects = picture.append(index + 1, op);
            const inside = (/** @type {number} */ x, /** @type {number} */ y) =>
                rects.some((rect) => x >= rect.x0 && x < rect.x1 && y >= rect.y0 && y < rect.y1);
            for (let i = 0; i < before.length; i += 4) {
                if (before[i] === picture.pixels.bytes[i]) continue;
                const x = (i / 4) % W, y = Math.floor(i / 4 / W);
                assert.ok(inside(x, y), `seed ${seed}: ${x}, ${y} changed outside by operation ${index}`);
            }
            if (random() < 0.05) picture.rebase(base, index - 3);
        }
        const painted = Buffer.from(picture.pixels.bytes);
        picture.render(picture.bounds);
        assert.equal(Buffer.compare(painted, picture.pixels.bytes), 0, `seed ${seed}`);
    }
});

test("rendering any rectangle leaves a finished picture as it is", () => {
    const random = generator(5);
    const picture = new Picture(W, H, [255, 255, 255]);
    journal(random, 60).forEach((op, index) => picture.append(index + 1, op));
    const painted = Buffer.from(picture.pixels.bytes);
    for (let i = 0; i < 60; i++) {
        const x0 = Math.floor(random() * W), y0 = Math.floor(random() * H);
        picture.render({ x0, y0, x1: x0 + 1 + Math.floor(random() * (W - x0)), y1: y0 + 1 + Math.floor(random() * (H - y0)) });
        assert.equal(Buffer.compare(painted, picture.pixels.bytes), 0);
    }
});

test("what is shown is the picture with the wet ink on top, whatever comes in between", () => {
    for (let seed = 0; seed < 30; seed++) {
        const random = generator(900 + seed);
        const layers = new Layers(new Picture(W, H, [255, 255, 255]));
        let seq = 0, piece = 0;
        for (let step = 0; step < 40; step++) {
            const dice = random();
            if (dice < 0.4) {
                const op = stroke(random, W, H, { author: 5, strokeId: 1, piece: piece++ });
                layers.add({ ...op, points: [...Array.from(op.points)] });
            } else if (dice < 0.6 && layers.local.length) {
                const own = layers.local[0];
                layers.append(++seq, own.op, own);
            } else if (dice < 0.7 && layers.local.length) layers.lift(new Set([layers.local[layers.local.length - 1]]));
            else layers.append(++seq, stroke(random, W, H), null);
            if (random() < 0.5) layers.freshen();
        }
        layers.freshen();
        const expected = new Layers(new Picture(W, H, [255, 255, 255]));
        for (const { seq: number, op } of layers.picture.entries) expected.append(number, op, null);
        expected.freshen();
        same(layers.picture.pixels, expected.picture.pixels, `seed ${seed}: the picture`);
        for (const { op } of layers.local) expected.add(op);
        same(layers.shown, expected.shown, `seed ${seed}: what is shown`);
    }
});

test("merged rectangles cover the same", () => {
    const random = generator(8);
    const whole = { x0: 0, y0: 0, x1: 500, y1: 500 };
    for (let trial = 0; trial < 50; trial++) {
        const rects = Array.from({ length: 1 + Math.floor(random() * 200) }, () => {
            const x0 = Math.floor(random() * 490), y0 = Math.floor(random() * 490);
            return { x0, y0, x1: x0 + 1 + Math.floor(random() * 10), y1: y0 + 1 + Math.floor(random() * 10) };
        });
        const fewer = merged(rects, whole);
        assert.ok(fewer.length <= rects.length);
        for (const rect of rects) {
            assert.ok(fewer.some((m) => m.x0 <= rect.x0 && m.y0 <= rect.y0 && m.x1 >= rect.x1 && m.y1 >= rect.y1));
        }
    }
});

test("tiles hand out what changed, once, within the picture", () => {
    const tiles = new Tiles(150, 130);
    /** @type {number[][]} */
    let put = [];
    const take = () => {
        put = [];
        tiles.flush((...rect) => put.push(rect));
        return put;
    };
    assert.deepEqual(take(), []);
    tiles.add({ x0: -50, y0: -50, x1: 1, y1: 1 });
    tiles.add({ x0: 149, y0: 129, x1: 400, y1: 400 });
    assert.deepEqual(take(), [[0, 0, 64, 64], [128, 128, 22, 2]]);
    assert.deepEqual(take(), []);
    tiles.add({ x0: 10, y0: 70, x1: 140, y1: 72 });
    assert.deepEqual(take(), [[0, 64, 150, 64]]);
    tiles.add({ x0: -50, y0: 10, x1: 0, y1: 20 });
    assert.deepEqual(take(), [], "what lies outside changes nothing");
});

test("rectangles that only touch do not overlap", () => {
    const a = { x0: 0, y0: 0, x1: 10, y1: 10 };
    assert.equal(overlap(a, { x0: 10, y0: 0, x1: 20, y1: 10 }), false);
    assert.equal(overlap(a, { x0: 9, y0: 9, x1: 20, y1: 10 }), true);
});
