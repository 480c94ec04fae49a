/** Times of films, as the player reckons with them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { chapterAt, clock, cues, frameBeside } from "../../static/films/times.js";

test("times as people write them", () => {
    assert.deepEqual([0, 59.9, 60, 3725.2, -1].map(clock), ["0:00", "0:59", "1:00", "1:02:05", "0:00"]);
});

test("a step leads to the middle of each picture once, there and back, whatever rounding did before", () => {
    const fps = 24, length = 10, count = fps * length;
    const shown = (/** @type {number} */ now) => Math.floor(now * fps);
    for (let frame = 0; frame < count; frame++) {
        for (const within of [1e-6, 0.3, 0.5, 0.99]) {
            const now = (frame + within) / fps;
            assert.equal(shown(frameBeside(now, 1, fps, length)), Math.min(count - 1, frame + 1));
            assert.equal(shown(frameBeside(now, -1, fps, length)), Math.max(0, frame - 1));
        }
    }
    // Players say the time of a picture's beginning a little too early or too late.
    assert.equal(shown(frameBeside(5 / fps - 1e-5, 1, fps, length)), 6);
});

test("chapters", () => {
    assert.deepEqual([-1, 0, 3, 3.5, 99].map((at) => chapterAt([0, 3.5, 21], at)), [-1, 0, 0, 1, 2]);
});

test("previews are read from WebVTT, and nothing else is", () => {
    const text = "WEBVTT\n\n00:00:00.000 --> 00:00:02.500\nhttps://a.example/s.jpg#xywh=192,0,192,108\n\n"
        + "NOTE nothing\n\n01:00:02.500 --> 01:00:05.000\n/s.jpg#xywh=0,108,192,108\n\n00:00 --> 00:01\nwords\n";
    assert.deepEqual(cues(text), [
        { end: 2.5, address: "https://a.example/s.jpg", x: 192, y: 0, width: 192, height: 108 },
        { end: 3605, address: "/s.jpg", x: 0, y: 108, width: 192, height: 108 },
    ]);
    assert.deepEqual(cues(""), []);
});
