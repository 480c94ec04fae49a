import assert from "node:assert/strict";
import { test } from "node:test";

import * as messages from "../../static/canvas/messages.js";

const NOW = Date.UTC(2026, 10, 21, 12);
/** @type {import("../../static/canvas/types.js").Rules} */
const OPEN = { frozen: false, why: "", slow: 1, newcomers_after: null, members_only: false, regions: [], ended: false, closed: false };
const FINE = { joined: NOW - 1000, hours: 0, trusted: false, sanctions: [], guest: false };

const MILD = { may_enter: true, may_draw: true, must_acknowledge: false };
/** As the page has them from canvas/degrees.py. @type {Object<string, import("../../static/canvas/types.js").Degree>} */
const DEGREES = {
    warn: { ...MILD, may_draw: false, must_acknowledge: true, line: "A moderator has written to you", sheet: "A message", sheet_effect: "Read it.", gravity: [true, 0] },
    cool_down: { ...MILD, line: "", sheet: "Slowly", sheet_effect: "Less ink.", gravity: [false, 1] },
    read_only: { ...MILD, may_draw: false, line: "You can watch", sheet: "You can watch", sheet_effect: "You cannot draw.", gravity: [true, 2] },
    suspend: { ...MILD, may_enter: false, may_draw: false, line: "You are suspended", sheet: "Suspended", sheet_effect: "Not here.", gravity: [true, 3] },
};

/** @param {string} degree @param {number | null} until @returns {import("../../static/canvas/types.js").Against} */
const against = (degree, until = null) => ({ id: 1, degree, reason: "painting over the whale", until, ...DEGREES[degree] });

test("an open canvas says nothing, and less ink is no closed door", () => {
    assert.equal(messages.closed(OPEN, FINE, null, NOW), null);
    assert.equal(messages.closed(OPEN, null, null, NOW), null);
    assert.equal(messages.closed(OPEN, FINE, against("cool_down"), NOW), null);
});

test("what is closed for everybody and what for us", () => {
    assert.match(messages.closed({ ...OPEN, closed: true }, FINE, null, NOW)?.title ?? "", /closed/);
    const frozen = { ...OPEN, frozen: true, why: "a raid" };
    assert.deepEqual(messages.closed(frozen, FINE, null, NOW), { title: "The canvas is frozen.", detail: "a raid.", everybody: true });
    assert.equal(messages.closed(frozen, FINE, against("suspend"), NOW)?.everybody, false);
    assert.equal(messages.closed(OPEN, FINE, against("read_only"), NOW)?.detail, "painting over the whale.");
    assert.match(messages.closed(OPEN, FINE, against("warn"), NOW)?.title ?? "", /moderator/);
    assert.match(messages.closed({ ...OPEN, newcomers_after: NOW - 2000 }, FINE, null, NOW)?.title ?? "", /New accounts/);
    assert.equal(messages.closed({ ...OPEN, newcomers_after: NOW }, FINE, null, NOW), null);
    assert.match(messages.closed({ ...frozen, ended: true }, FINE, against("suspend"), NOW)?.title ?? "", /ended/);
});

test("until when: the time today, the day with it otherwise, nothing for good", () => {
    const today = messages.closed(OPEN, FINE, against("read_only", NOW + 60_000), NOW)?.title ?? "";
    const later = messages.closed(OPEN, FINE, against("read_only", NOW + 5 * 86_400_000), NOW)?.title ?? "";
    assert.match(today, / until /);
    assert.doesNotMatch(today, /2026/);
    assert.match(later, /2026/);
    assert.doesNotMatch(messages.closed(OPEN, FINE, against("read_only"), NOW)?.title ?? "", /until/);
    assert.match(messages.sanction(against("read_only"), NOW).effect, /^You cannot draw\. This lasts until a moderator lifts it\.$/);
    assert.match(messages.sanction(against("read_only", NOW + 60_000), NOW).effect, /^You cannot draw\. This lasts until .*\.$/);
    assert.equal(messages.sanction(against("warn"), NOW).effect, "Read it.");
});

test("nothing promises a dream on what is closed", () => {
    /** @type {any} */
    const resting = { state: "resting", title: "Roses" };
    assert.match(messages.dream(resting, false, true).label, /until somebody draws/);
    for (const rules of [{ ...OPEN, closed: true }, { ...OPEN, ended: true }]) {
        const closed = messages.closed(rules, FINE, null, NOW);
        assert.equal(messages.dream(resting, false, true, closed).label, "No more dreams");
        assert.equal(messages.untouched(true, "resting", closed), "Nobody drew on this canvas.");
    }
    const frozen = messages.closed({ ...OPEN, frozen: true }, FINE, null, NOW);
    assert.match(messages.dream(resting, false, true, frozen).label, /until somebody draws/);
    assert.equal(messages.untouched(true, "resting", frozen), "The canvas is empty.");
    assert.match(messages.untouched(true, "resting"), /^The canvas is empty\. Draw something\. Soon/);
});

test("a long reason is shortened in the line; the sheet has all of it", () => {
    const long = { ...against("read_only"), reason: "x".repeat(500) };
    assert.ok((messages.closed(OPEN, FINE, long, NOW)?.detail.length ?? 0) < 110);
});

test("a loss is told with its cause", () => {
    const closed = messages.closed({ ...OPEN, frozen: true }, FINE, null, NOW);
    assert.match(messages.loss({ code: 6, strokes: 1, undo: false }, closed), /frozen/);
    assert.match(messages.loss({ code: 6, strokes: 1, undo: false }), /locked/);
    assert.match(messages.loss({ code: 6, strokes: 0, undo: true }), /could not be undone/);
    assert.match(messages.loss({ code: 5, strokes: 2, undo: false }), /^2 of your strokes.*ink/);
    assert.match(messages.loss({ code: 3, strokes: 0, undo: true }), /part of a dream/);
});

test("ink that runs low", () => {
    assert.equal(messages.ink({ left: 0.23, seconds: 40 }), "23 % ink");
    assert.equal(messages.ink({ left: 0.01, seconds: 40 }), "Out of ink. Refilled in 40 s");
    assert.equal(messages.ink({ left: 0, seconds: 200 }), "Out of ink. Refilled in 4 min");
});
