import assert from "node:assert/strict";
import test from "node:test";

import { hashOf, placeFrom, placeOf } from "../../static/canvas/place.js";
import { View } from "../../static/canvas/view.js";

/** @param {number} width @param {number} height */
function viewOf(width, height) {
    const view = new View(1536, 1536);
    view.windowWidth = width;
    view.windowHeight = height;
    view.centre(view.full);
    return view;
}

test("a place comes through its link and back", () => {
    const view = viewOf(1440, 900);
    view.show({ x: 400, y: 1100, zoom: 3 });
    assert.deepEqual(placeOf(view), { x: 400, y: 1100, zoom: 3 });
    assert.deepEqual(placeFrom(hashOf(placeOf(view))), placeOf(view));
});

test("another window has the same point in its middle, and sees about as much", () => {
    const [desk, phone] = [viewOf(1440, 900), viewOf(390, 844)];
    desk.show({ x: 400, y: 1100, zoom: 3 });
    const place = placeFrom(hashOf(placeOf(desk)));
    assert.ok(place);
    phone.show(place);
    assert.deepEqual(placeOf(phone), placeOf(desk));
    assert.equal(390 / phone.scale, 900 / desk.scale);
});

test("a place outside the canvas leads to its edge, not to nowhere", () => {
    const view = viewOf(1440, 900);
    view.show({ x: 1e9, y: -5, zoom: 1e9 });
    assert.ok(Number.isFinite(view.scale) && view.scale <= 24);
    assert.deepEqual([placeOf(view).x, placeOf(view).y], [1536, 0]);
});

test("what is no place is none", () => {
    for (const hash of ["", "#content", "#x=1", "#x=1&y=a", "#x=1&y=2&zoom=0", "#x=1&y=2&zoom=-3", "#x=NaN&y=1", "#x=Infinity&y=1"]) {
        assert.equal(placeFrom(hash), null, hash);
    }
    assert.deepEqual(placeFrom("#x=1&y=2"), { x: 1, y: 2, zoom: 2 });
});
