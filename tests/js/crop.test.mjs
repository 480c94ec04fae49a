/** The part of a picture that is sent: it stays inside the picture and keeps its proportions, wherever it is dragged. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { isWhole, largest, LEAST, moved, sized } from "../../static/studio/crop.js";
import { generator } from "./random.mjs";

const SIZE = { width: 1600, height: 1200 };

test("the largest part of given proportions is in the middle", () => {
    assert.deepEqual(largest(SIZE, 0), { x: 0, y: 0, width: 1600, height: 1200 });
    assert.deepEqual(largest(SIZE, 1), { x: 200, y: 0, width: 1200, height: 1200 });
    assert.deepEqual(largest(SIZE, 16 / 9), { x: 0, y: 150, width: 1600, height: 900 });
    assert.ok(isWhole(largest(SIZE, 0), SIZE) && !isWhole(largest(SIZE, 1), SIZE));
});

test("a corner moves, the opposite one stays", () => {
    const part = { x: 100, y: 200, width: 400, height: 300 };
    assert.deepEqual(sized(part, [1, 1], 50, -40, SIZE, 0), { x: 100, y: 200, width: 450, height: 260 });
    assert.deepEqual(sized(part, [-1, -1], 50, -40, SIZE, 0), { x: 150, y: 160, width: 350, height: 340 });
    assert.deepEqual(sized(part, [-1, 1], 9000, -9000, SIZE, 0), { x: 500 - LEAST, y: 200, width: LEAST, height: LEAST });
    assert.deepEqual(sized(part, [1, 1], 100, 0, SIZE, 1), { x: 100, y: 200, width: 500, height: 500 });
});

test("whatever is done to it, a part lies inside the picture, is no smaller than it may be and keeps its proportions", () => {
    const random = generator(7), below = (/** @type {number} */ n) => Math.floor(random() * n);
    for (let round = 0; round < 2000; round++) {
        const size = { width: 1 + below(4000), height: 1 + below(4000) };
        const aspect = [0, 1, 4 / 3, 3 / 4, 16 / 9][below(5)];
        let part = largest(size, aspect);
        for (let step = 0; step < 6; step++) {
            const dx = below(6000) - 3000, dy = below(6000) - 3000;
            const corner = /** @type {const} */ ([below(2) ? 1 : -1, below(2) ? 1 : -1]);
            part = below(2) ? moved(part, dx, dy, size) : sized(part, corner, dx, dy, size, aspect);
            const said = JSON.stringify({ size, aspect, part });
            assert.ok(part.x >= 0 && part.y >= 0 && part.x + part.width <= size.width && part.y + part.height <= size.height, said);
            assert.ok([part.x, part.y, part.width, part.height].every(Number.isInteger) && part.width > 0 && part.height > 0, said);
            if (!aspect) assert.ok(part.width >= Math.min(LEAST, size.width) && part.height >= Math.min(LEAST, size.height), said);
            else if (part.height >= LEAST) assert.ok(Math.abs(part.width / part.height / aspect - 1) < 0.03, said);
        }
    }
});
