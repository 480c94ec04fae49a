import assert from "node:assert/strict";
import test from "node:test";

import { edgeOf } from "../../static/canvas/edges.js";
import { View } from "../../static/canvas/view.js";

const view = new View(1536, 1536);
view.windowWidth = 390;
view.windowHeight = 844;
view.centre(view.full);
const covered = { top: 60, bottom: 140 };

test("what is in the window needs no arrow", () => {
    assert.equal(edgeOf(view, 768, 768, covered), null);
});

test("an arrow stands within the window, clear of bar and dock, on the way to the place", () => {
    for (let i = 0; i < 400; i++) {
        const x = (i % 20) * 80, y = Math.floor(i / 20) * 80;
        const at = edgeOf(view, x, y, covered);
        if (!at) continue;
        assert.ok(at.left >= 33 && at.left <= 357, `${x} ${y}: ${at.left}`);
        assert.ok(at.top >= 60 && at.top <= 844 - 140, `${x} ${y}: ${at.top}`);
        const to = Math.atan2(view.y + y * view.scale - 422, view.x + x * view.scale - 195);
        assert.ok(Math.abs(to - at.angle) < 1e-9);
        assert.ok(Math.abs(Math.atan2(at.top - 422, at.left - 195) - to) < 1e-6);
    }
});
