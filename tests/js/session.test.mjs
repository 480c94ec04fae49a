import assert from "node:assert/strict";
import { test as plain } from "node:test";

import { CloseCode } from "../../static/canvas/codes.js";
import { MAX_MESSAGE } from "../../static/canvas/limits.js";
import * as wire from "../../static/canvas/wire.js";
import { FakeServer, FakeStorage, settled, SIDE, visit } from "./fakes.mjs";
import { generator, stroke } from "./random.mjs";
import * as say from "./server.mjs";

/** A test whose clock stands still until it is moved. @param {string} name @param {(pass: (ms: number) => Promise<void>) => Promise<void>} body */
function test(name, body) {
    plain(name, async (t) => {
        t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_790_000_000_000 });
        t.mock.method(performance, "now", () => Date.now() - performance.timeOrigin);
        await body(async (ms) => {
            // In steps, so that what one timer starts can be waited for too.
            const step = ms < 4000 ? 50 : 500;
            for (let left = ms; left > 0; left -= step) {
                t.mock.timers.tick(Math.min(step, left));
                await settled();
            }
        });
    });
}

/** @param {import("../../static/canvas/pixels.js").Pixels} actual @param {import("../../static/canvas/pixels.js").Pixels} expected @param {string} [message] */
function same(actual, expected, message = "the pictures differ") {
    assert.equal(Buffer.compare(actual.bytes, expected.bytes), 0, message);
}

const others = generator(42);
/** @param {number} n @returns {wire.Operation[]} */
const foreign = (n) => Array.from({ length: n }, () => stroke(others, SIDE, SIDE, { author: 2 }));
const LINE = [[10, 10, 12], [40, 30, 14], [70, 60, 10], [80, 20, 12]];

test("joining: welcome, the rest, live; the picture is the server's", async () => {
    const server = new FakeServer();
    server.append(...foreign(5));
    const { session, layers, told } = visit(server);
    await settled();
    assert.deepEqual(server.last.joins, [{ frame: 0, seq: 0 }]);
    assert.equal(session.seq, 5);
    assert.equal(told.connection.at(-1).state, "live");
    assert.deepEqual(told.you, [{ id: 7, name: "ada" }]);
    same(layers.shown, server.compose().pixels);
    server.append(...foreign(3));
    same(layers.shown, server.compose().pixels);
});

test("joining where there is a frame: its picture and what came after", async () => {
    const server = new FakeServer();
    server.append(...foreign(4));
    server.dream(3);
    server.append(...foreign(2));
    const { session, layers, told } = visit(server);
    await settled();
    assert.equal(session.seq, 6);
    assert.equal(told.frame[0].id, 100);
    same(layers.shown, server.compose().pixels);
});

test("a server's clock that is set back takes nobody's pen: the next names are of its time", async () => {
    const server = new FakeServer();
    const { session } = visit(server);
    await settled();
    const before = session.ink.newStroke();
    server.last.push(say.news({ ...server.welcome(server.last), now: Date.now() - 7 * 3_600_000 }));
    const after = session.ink.newStroke();
    assert.ok(before / 4096 - after / 4096 > 6 * 3_600_000, "as long ago as the clock was set back");
    assert.ok(session.ink.newStroke() > after);
});

test("ink that was hidden is not needed, and asked for when it is shown again", async () => {
    const server = new FakeServer();
    server.append(...foreign(3));
    /** @param {boolean} show @returns {import("../../static/canvas/wire.js").Hide} */
    const hide = (show) => ({ kind: wire.HIDE, author: 0, strokeId: 0, show, numbers: [2] });
    server.append(hide(false));
    const kept = server.journal[1];
    server.journal[1] = { ...hide(false), numbers: [] }; // as canvas/tail.py tells latecomers
    const { session, layers } = visit(server);
    await settled();
    assert.equal(session.seq, 4);
    same(layers.shown, server.compose().pixels);
    server.journal[1] = kept;
    server.append(hide(true));
    await settled();
    assert.deepEqual(server.last.joins, [{ frame: 0, seq: 0 }, { frame: 0, seq: 0 }]);
    assert.equal(session.seq, 5);
    same(layers.shown, server.compose().pixels);
    server.append(...foreign(1));
    same(layers.shown, server.compose().pixels);
});

test("ink that was hidden, shown and hidden again is not asked for", async () => {
    const server = new FakeServer();
    server.append(...foreign(3));
    for (const show of [false, true, false]) server.append({ kind: wire.HIDE, author: 0, strokeId: 0, show, numbers: [2] });
    server.journal[1] = { kind: wire.HIDE, author: 0, strokeId: 0, show: false, numbers: [] };
    const { session, layers, told } = visit(server);
    await settled();
    assert.deepEqual(server.last.joins, [{ frame: 0, seq: 0 }]);
    assert.equal(session.seq, 6);
    assert.equal(told.connection.at(-1).state, "live");
    same(layers.shown, server.compose().pixels);
});

test("a gap is asked for once, and filled", async () => {
    const server = new FakeServer();
    const { session, layers } = visit(server);
    await settled();
    const socket = server.last;
    socket.told = 2; // two operations get lost between processes
    server.append(...foreign(4));
    assert.deepEqual(socket.joins, [{ frame: 0, seq: 0 }, { frame: 0, seq: 0 }]);
    assert.equal(session.seq, 4);
    same(layers.shown, server.compose().pixels);
});

test("while the answer to a gap is under way, more news of the gap asks nothing", async () => {
    const server = new FakeServer();
    visit(server);
    await settled();
    const socket = server.last;
    server.answers = false;
    for (const first of [5, 6, 7]) socket.push(say.batch(first, foreign(1)));
    assert.equal(socket.joins.length, 2);
});

test("duplicates and overlaps change nothing twice", async () => {
    const server = new FakeServer();
    const { session, layers } = visit(server);
    await settled();
    server.append(...foreign(4));
    server.last.push(say.batch(1, server.journal));
    server.last.push(say.batch(3, server.journal.slice(2)));
    server.journal.push(...foreign(2));
    server.last.push(say.batch(2, server.journal.slice(1)));
    assert.equal(session.seq, 6);
    same(layers.shown, server.compose().pixels);
});

test("our ink shows at once, goes out as INK, and moves into order with its number", async () => {
    const server = new FakeServer();
    const { session, layers, draw } = visit(server);
    await settled();
    server.deaf = true;
    const id = draw(LINE, 2);
    const wet = Buffer.from(layers.shown.bytes);
    assert.notEqual(Buffer.compare(layers.shown.bytes, layers.picture.pixels.bytes), 0);
    const inks = server.last.inks;
    assert.deepEqual(inks.map((op) => op.kind === 1 && [op.strokeId, op.piece, op.author, op.last]), [[id, 0, 0, false], [id, 1, 0, true]]);
    server.deaf = false;
    const [other] = foreign(1);
    server.append(other, { ...inks[0], author: 7 });
    assert.equal(layers.local.length, 1);
    server.append({ ...inks[1], author: 7 });
    assert.equal(layers.local.length, 0);
    assert.ok(session.ink.outbox.empty);
    same(layers.shown, server.compose().pixels);
    same(layers.shown, layers.picture.pixels);
    assert.ok(wet);
});

test("a stroke's id is the server's time and grows", async () => {
    const server = new FakeServer();
    const { session } = visit(server);
    await settled();
    const ids = [session.ink.newStroke(), session.ink.newStroke(), session.ink.newStroke()];
    assert.equal(Math.floor(ids[0] / 4096), Date.now() + 5000);
    assert.ok(ids[0] < ids[1] && ids[1] < ids[2] && Number.isSafeInteger(ids[2]));
});

test("marks are echoed at once", async () => {
    const server = new FakeServer();
    visit(server);
    await settled();
    server.last.push(say.mark(2n ** 63n + 5n));
    assert.deepEqual(server.last.messages.at(-1), { seen: 2n ** 63n + 5n });
});

test("a lost connection: back within a second, what we hold is told, unacknowledged ink is sent again", async (pass) => {
    const server = new FakeServer();
    const { session, layers, draw, told } = visit(server);
    await settled();
    server.append(...foreign(3));
    server.deaf = true;
    draw(LINE, 2);
    server.last.fail();
    assert.equal(told.connection.at(-1).state, "offline");
    assert.equal(told.connection.at(-1).waiting, 1);
    draw([[50, 50, 30]]); // offline
    assert.equal(told.connection.at(-1).waiting, 2);
    server.deaf = false;
    server.append(...foreign(2));
    await pass(1000);
    assert.equal(server.sockets.length, 2);
    assert.deepEqual(server.last.joins, [{ frame: 0, seq: 3 }]);
    assert.equal(server.last.inks.length, 3);
    assert.ok(session.ink.outbox.empty);
    assert.equal(server.head, 8);
    same(layers.shown, server.compose().pixels);
    assert.deepEqual(told.loss, []);
});

test("ink that arrived although its acknowledgement was lost is not there twice", async (pass) => {
    const server = new FakeServer();
    const { session, layers, draw } = visit(server);
    await settled();
    server.last.held = true;
    draw(LINE, 1);
    assert.equal(server.head, 4);
    server.last.fail();
    await pass(1000);
    assert.ok(session.ink.outbox.empty);
    assert.equal(server.head, 4);
    assert.equal(layers.local.length, 0);
    same(layers.shown, server.compose().pixels);
});

test("the same, and a frame has taken it in meanwhile: acknowledged by ACK", async (pass) => {
    const server = new FakeServer();
    const { session, layers, draw } = visit(server);
    await settled();
    server.last.held = true;
    draw(LINE, 1);
    server.last.fail();
    server.dream();
    await pass(3000);
    assert.ok(session.ink.outbox.empty);
    assert.equal(layers.local.length, 0);
    assert.equal(server.head, 4);
    same(layers.shown, server.compose().pixels);
});

test("attempts wait with full jitter, up to 5 s in the first minute and 30 s then; a stable connection starts anew", async (pass) => {
    const server = new FakeServer();
    const { told } = visit(server, { random: () => 0.999, open: false });
    await settled();
    const waits = [];
    for (let i = 0; i < 17; i++) {
        const before = Date.now();
        server.last.fail();
        waits.push(Math.round((told.connection.at(-1).retryAt - before) / 1000));
        await pass(told.connection.at(-1).retryAt - before + 100);
    }
    assert.deepEqual(waits, [1, 2, 4, ...Array(11).fill(5), 30, 30, 30]);
    server.last.open();
    await pass(11_000);
    const before = Date.now();
    server.last.fail();
    assert.ok(told.connection.at(-1).retryAt - before <= 1000);
});

test("the first wait is anywhere from nothing to a second", async () => {
    for (const random of [0, 0.25, 0.9]) {
        const server = new FakeServer();
        const { told } = visit(server, { random: () => random });
        await settled();
        server.last.fail();
        assert.equal(told.connection.at(-1).retryAt - Date.now(), 1000 * random);
    }
});

test("another version asks for a fresh page", async () => {
    const server = new FakeServer();
    const { told } = visit(server);
    await settled();
    server.last.fail(4406);
    assert.equal(told.reload.length, 1);
});

test("at the project's end everybody leaves, once and not all at the same moment", async (pass) => {
    const server = new FakeServer();
    const { told } = visit(server, { random: () => 0.5 });
    await settled();
    server.last.push(say.news({ type: "ended" }));
    server.last.fail(4410);
    assert.equal(told.reload.length, 0);
    await pass(1990);
    assert.equal(told.reload.length, 0);
    await pass(20);
    assert.equal(told.reload.length, 1);
});

test("a stroke that was cut by the gate loses what follows, and is told of once", async () => {
    const server = new FakeServer();
    const { session, told, draw } = visit(server);
    await settled();
    server.deaf = true;
    const stroke = draw([[2, 2, 4], [6, 2, 4], [10, 2, 4], [14, 2, 4]], 1);
    server.last.push(say.reject(stroke, 1, 6));
    server.last.push(say.reject(stroke, 2, 2));
    await settled();
    assert.deepEqual(told.loss, [{ code: 6, strokes: 1, undo: false }]);
    assert.deepEqual(session.ink.outbox.pending.map(({ op }) => op.piece), [0]);
});

test("an undo that is refused says so, and the stroke is there again", async () => {
    const server = new FakeServer();
    const { session, layers, told, draw } = visit(server);
    await settled();
    const stroke = draw([[2, 2, 4], [12, 12, 4]]);
    await settled();
    const drawn = layers.shown.bytes.slice();
    server.deaf = true;
    session.ink.undo(stroke);
    assert.notDeepEqual(layers.shown.bytes, drawn);
    server.last.push(say.reject(stroke, 0, 6));
    await settled();
    assert.deepEqual(layers.shown.bytes, drawn);
    assert.deepEqual(told.loss, [{ code: 6, strokes: 0, undo: true }]);
});

test("ink from a time without connection goes in bit by bit where the budget is small", async (pass) => {
    const server = new FakeServer();
    const { session, told, draw } = visit(server);
    await settled();
    server.last.fail();
    const stroke = draw([[2, 2, 4], [12, 12, 4]]);
    server.deaf = true;
    await pass(6000);
    server.last.push(say.reject(stroke, 0, 5));
    assert.equal(told.loss.length, 0);
    assert.equal(session.ink.outbox.strokes, 1);
});

test("ink that the server cannot read is given up, or it would close every connection", async (pass) => {
    const server = new FakeServer();
    const { session, layers, draw, told } = visit(server);
    await settled();
    server.deaf = true;
    draw(LINE);
    server.last.fail(4400);
    assert.equal(told.loss.length, 1);
    assert.ok(session.ink.outbox.empty);
    same(layers.shown, layers.picture.pixels);
    await pass(5000);
    assert.equal(server.sockets.length, 2);
});

test("refused as stale: the ink is withdrawn and its loss is said, once", async () => {
    const server = new FakeServer();
    const { session, layers, draw, told } = visit(server);
    await settled();
    server.append(...foreign(2));
    server.refuse = (op) => (op.kind === 1 ? say.reject(op.strokeId, op.piece, 4) : null);
    const id = draw(LINE, 1);
    assert.deepEqual(told.loss, [{ code: 4, strokes: 1, undo: false }]);
    assert.ok(told.refused.includes(id));
    assert.ok(session.ink.outbox.empty);
    same(layers.shown, server.compose().pixels);
});

test("refused halfway: what the journal has stays", async () => {
    const server = new FakeServer();
    const { layers, draw, told } = visit(server);
    await settled();
    server.refuse = (op) => (op.kind === 1 && op.piece >= 1 ? say.reject(op.strokeId, op.piece, 5) : null);
    draw(LINE, 1);
    assert.equal(server.head, 1);
    assert.equal(told.loss.length, 1);
    same(layers.shown, server.compose().pixels);
});

test("unavailable: the ink is kept and offered again, in order", async (pass) => {
    const server = new FakeServer();
    const { session, layers, draw, told } = visit(server);
    await settled();
    let troubled = true;
    server.refuse = (op) => (troubled && op.kind === 1 ? say.reject(op.strokeId, op.piece, op.piece === 0 ? 8 : 2) : null);
    draw(LINE, 1);
    assert.equal(session.ink.outbox.pending.length, 4);
    assert.deepEqual(told.loss, []);
    troubled = false;
    await pass(4000);
    assert.ok(session.ink.outbox.empty);
    assert.deepEqual(server.journal.map((op) => op.kind === 1 && op.piece), [0, 1, 2, 3]);
    same(layers.shown, server.compose().pixels);
});

test("when trouble is over, everything unacknowledged is sent again", async () => {
    const server = new FakeServer();
    const { session, draw, told } = visit(server);
    await settled();
    server.deaf = true;
    draw(LINE);
    server.last.push(say.news({ type: "trouble", message: "The ink cannot be saved." }));
    assert.equal(told.trouble.at(-1), "The ink cannot be saved.");
    server.deaf = false;
    server.last.push(say.news({ type: "trouble", message: null }));
    assert.equal(told.trouble.at(-1), null);
    assert.ok(session.ink.outbox.empty);
    assert.equal(server.head, 1);
});

test("a new frame is the new base; later ink and wet ink stay on top", async (pass) => {
    const server = new FakeServer();
    const { session, layers, draw } = visit(server);
    await settled();
    server.append(...foreign(3));
    server.dream(2);
    await pass(2000);
    assert.equal(session.bases.base?.id, 100);
    same(layers.shown, server.compose().pixels);
    server.deaf = true;
    draw(LINE);
    server.append(...foreign(1));
    server.dream();
    await pass(2000);
    same(layers.picture.pixels, server.compose().pixels);
    assert.notEqual(Buffer.compare(layers.shown.bytes, layers.picture.pixels.bytes), 0, "the wet ink is still to be seen");
});

/** Ink that brings a frame's picture back, over most of the canvas. @param {number} frame @returns {wire.Operation} */
const undream = (frame) => ({
    kind: 1, author: 9, strokeId: 5 + frame, piece: 0, last: true, r: 0, g: 0, b: 0, opacity: 255, carry: 0, frame,
    points: Int32Array.of(40 * 8, 40 * 8, 600, 60 * 8, 50 * 8, 600),
});

test("an undream shows the earlier frame as soon as that is here, and again on the next base", async (pass) => {
    const server = new FakeServer();
    const { layers, told } = visit(server);
    await settled();
    for (let i = 0; i < 3; i++) {
        server.append(...foreign(2));
        server.dream();
    }
    await pass(2000);
    assert.ok(!told.loaded.includes(101), "nothing is loaded that nobody asks for");
    server.append(undream(101));
    await pass(100);
    assert.ok(told.loaded.includes(101));
    same(layers.shown, server.compose().pixels);
    server.dream(server.head - 1);
    await pass(2000);
    same(layers.shown, server.compose().pixels);
    const late = visit(server);
    await pass(2000);
    same(late.layers.shown, server.compose().pixels);
});

test("an earlier frame is hidden: what was brought back of it goes", async (pass) => {
    const server = new FakeServer();
    const { layers } = visit(server);
    await settled();
    for (let i = 0; i < 3; i++) server.dream();
    await pass(2000);
    server.append(...foreign(1), undream(101));
    await pass(100);
    const shown = Buffer.from(layers.shown.bytes);
    const frame = /** @type {import("../../static/canvas/types.js").Frame} */ (server.frame);
    server.frame = { ...frame, before: 100, earlier: frame.earlier?.filter(({ id }) => id !== 101) };
    server.last.push(say.news({ type: "frame", frame: server.frame }));
    await pass(100);
    same(layers.shown, server.compose().pixels);
    assert.notEqual(Buffer.compare(layers.shown.bytes, shown), 0);
});

test("one's own undream: the hand paints what the journal will", async (pass) => {
    const server = new FakeServer();
    const { session, layers } = visit(server);
    await settled();
    for (let i = 0; i < 2; i++) {
        server.append(...foreign(2));
        server.dream();
    }
    await pass(2000);
    server.deaf = true;
    const { kind, author, ...ink } = /** @type {wire.Stroke} */ (undream(100));
    session.ink.put(layers.add({ ...ink, kind, author: 7, points: Array.from(ink.points) }));
    await pass(100);
    const wet = Buffer.from(layers.shown.bytes);
    server.deaf = false;
    session.ink.again();
    await pass(100);
    assert.equal(server.head, 5);
    same(layers.picture.pixels, server.compose().pixels);
    assert.equal(Buffer.compare(layers.shown.bytes, wet), 0);
});

test("the fetch of a frame is spread over a second and a half", async (pass) => {
    const server = new FakeServer();
    const { session } = visit(server, { random: () => 0.9 });
    await settled();
    server.append(...foreign(1));
    server.dream();
    await pass(1300);
    assert.equal(session.bases.base?.id, 0);
    await pass(100);
    assert.equal(session.bases.base?.id, 100);
});

test("a slow connection finishes a picture before it takes the newest, and skips those between", async (pass) => {
    const server = new FakeServer();
    const { session, layers, told } = visit(server, { loadMs: 3000, random: () => 0 });
    await pass(4000);
    for (let i = 0; i < 3; i++) {
        server.append(...foreign(1));
        server.dream();
        await pass(1000);
    }
    await pass(6000);
    assert.deepEqual(told.frame.map(({ id }) => id), [0, 100, 102]);
    assert.equal(session.seq, 3);
    same(layers.shown, server.compose().pixels);
});

test("a picture that cannot be loaded is tried again", async (pass) => {
    const server = new FakeServer();
    const { session, layers } = visit(server);
    await settled();
    server.append(...foreign(1));
    server.dream();
    const picture = /** @type {any} */ (server.pictures.get(100));
    server.pictures.delete(100);
    await pass(4000);
    assert.equal(session.bases.base?.id, 0);
    server.pictures.set(100, picture);
    await pass(8000);
    assert.equal(session.bases.base?.id, 100);
    same(layers.shown, server.compose().pixels);
});

test("who watches gets small copies; who draws or looks closely the picture itself, once", async (pass) => {
    const server = new FakeServer();
    server.append(...foreign(3));
    server.dream();
    let exact = false;
    const { session, layers, told, draw } = visit(server, { exact: () => exact });
    await settled();
    server.append(...foreign(2));
    server.dream(4);
    await pass(1500);
    assert.deepEqual(told.loaded, [-100, -101]);
    assert.notEqual(Buffer.compare(layers.shown.bytes, server.compose().pixels.bytes), 0);
    session.bases.sharpen();
    await settled();
    assert.deepEqual(told.loaded, [-100, -101], "a small copy is still enough");

    exact = true;
    session.bases.sharpen();
    session.bases.sharpen();
    draw(LINE);
    await settled();
    assert.deepEqual(told.loaded, [-100, -101, 101]);
    assert.equal(told.frame.length, 2, "the same frame does not arrive again");
    same(layers.shown, server.compose().pixels, "with the ink above it");
    server.dream();
    await pass(1500);
    assert.deepEqual(told.loaded, [-100, -101, 101, 102]);
    same(layers.shown, server.compose().pixels);
});

test("drawing begins while a small copy is on its way: the picture itself follows it", async (pass) => {
    const server = new FakeServer();
    server.append(...foreign(3));
    server.dream();
    let exact = false;
    const { session, layers, told } = visit(server, { exact: () => exact, loadMs: 400 });
    await pass(200);
    exact = true;
    session.bases.sharpen();
    await pass(1000);
    assert.deepEqual(told.loaded, [-100, 100]);
    same(layers.shown, server.compose().pixels);
});

test("a picture that cannot be had is not asked for again at once", async (pass) => {
    const server = new FakeServer();
    server.append(...foreign(3));
    server.dream();
    let exact = false;
    const { session, layers, told } = visit(server, { exact: () => exact });
    await settled();
    const picture = /** @type {import("../../static/canvas/pixels.js").Pixels} */ (server.pictures.get(100));
    server.pictures.delete(100);
    exact = true;
    for (let moves = 0; moves < 60; moves++) {
        session.bases.sharpen();
        await pass(16);
    }
    assert.deepEqual(told.loaded, [-100, 100]);
    server.pictures.set(100, picture);
    await pass(6000);
    session.bases.sharpen();
    await settled();
    assert.deepEqual(told.loaded, [-100, 100, 100]);
    same(layers.shown, server.compose().pixels);
});

test("a connection that ended for good is not said to catch up when the tab is hidden", async () => {
    const server = new FakeServer();
    const { session, told } = visit(server);
    await settled();
    server.last.fail(CloseCode.FORBIDDEN);
    session.sleep();
    assert.equal(told.connection.at(-1).state, "over");
});

test("a tab that nobody sees loads nothing, and then the newest; left for long it has no connection", async (pass) => {
    const server = new FakeServer();
    server.append(...foreign(2));
    server.dream();
    /** @type {(() => void) | null} */
    let wake = null;
    let hidden = false;
    const awake = () => (hidden ? new Promise((/** @type {(value: void) => void} */ done) => (wake = done)) : Promise.resolve());
    const { session, layers, told } = visit(server, { awake });
    await settled();
    hidden = true;
    for (let dreams = 0; dreams < 3; dreams++) {
        server.append(...foreign(2));
        server.dream();
        await pass(30_000);
    }
    assert.deepEqual(told.loaded, [100]);
    hidden = false;
    /** @type {any} */ (wake)();
    await pass(1000);
    assert.deepEqual(told.loaded, [100, 103]);
    same(layers.shown, server.compose().pixels);

    session.sleep();
    await pass(120_000);
    assert.equal(server.sockets.length, 1, "nothing connects again by itself");
    assert.equal(server.last.readyState, 3);
    server.append(...foreign(2));
    session.net.hurry();
    await pass(1000);
    assert.equal(told.connection.at(-1).state, "live");
    same(layers.shown, server.compose().pixels);
});

test("a frame that is taken away: back to the one before it, and the journal from there", async (pass) => {
    const server = new FakeServer();
    const { session, layers } = visit(server);
    await settled();
    server.append(...foreign(2));
    server.dream();
    await pass(2000);
    const earlier = server.frame;
    server.append(...foreign(3));
    server.dream();
    server.append(...foreign(1));
    await pass(2000);
    server.frame = earlier;
    const socket = server.last;
    socket.told = /** @type {any} */ (earlier).seq;
    socket.push(say.news(server.welcome(socket)));
    server.sendMissing(socket);
    await pass(2000);
    assert.equal(session.bases.base?.id, 100);
    assert.equal(session.seq, 6);
    same(layers.shown, server.compose().pixels);
});

test("the very first frame taken away: back to the empty canvas", async (pass) => {
    const server = new FakeServer();
    const { session, layers } = visit(server);
    await settled();
    server.append(...foreign(2));
    server.dream();
    await pass(2000);
    server.frame = null;
    server.position = 0;
    const socket = server.last;
    socket.told = 0;
    socket.push(say.news(server.welcome(socket)));
    server.sendMissing(socket);
    await pass(2000);
    assert.equal(session.bases.base?.id, 0);
    same(layers.shown, server.compose().pixels);
});

test("a stranger's ink waits, and goes out once they are somebody", async (pass) => {
    const server = new FakeServer();
    server.person = /** @type {any} */ (null);
    const storage = new FakeStorage();
    const { session, layers, draw, told } = visit(server, { storage });
    await settled();
    draw(LINE, 1);
    await pass(1000);
    assert.equal(server.journal.length, 0);
    assert.equal(told.loss.length, 0);
    server.person = { id: 7, name: "amber-otter-4" };
    session.renew();
    await pass(2000);
    assert.equal(told.you.at(-1).id, 7);
    assert.ok(server.journal.length > 0 && session.ink.outbox.empty);
    same(layers.shown, server.compose().pixels);
    assert.notEqual(session.ink.undoable(), null);
});

test("what a stranger tried is drawn after they signed up, whenever that is", async (pass) => {
    const server = new FakeServer();
    server.person = /** @type {any} */ (null);
    const storage = new FakeStorage();
    const before = visit(server, { storage });
    await settled();
    before.draw(LINE, 1);
    before.session.ink.store();
    before.session.net.stop();
    await pass(60 * 60 * 1000); // a confirmation mail takes its time
    server.person = { id: 7, name: "ada" };
    const after = visit(server, { storage });
    await pass(2000);
    assert.equal(after.told.loss.length, 0);
    assert.ok(server.journal.length > 0);
    same(after.layers.shown, server.compose().pixels);
    same(after.layers.shown, before.layers.shown, "it is not what was tried");
    assert.equal(storage.kept.size, 0);
});

test("undo: gone at once, in the journal a moment later, one stroke after the other", async () => {
    const server = new FakeServer();
    const { session, layers, draw } = visit(server);
    await settled();
    const blank = Buffer.from(layers.shown.bytes);
    const first = draw(LINE, 1), second = draw([[50, 50, 30]]);
    assert.equal(session.ink.undoable(), second);
    server.last.held = true;
    session.ink.undo(second);
    session.ink.flush();
    assert.equal(session.ink.undoable(), first);
    session.ink.undo(first);
    session.ink.flush();
    assert.equal(Buffer.compare(layers.shown.bytes, blank), 0, "before the server has answered");
    server.last.held = false;
    server.last.deliver();
    assert.equal(session.ink.undoable(), null);
    assert.ok(session.ink.outbox.empty);
    assert.deepEqual(server.journal.slice(-2).map(({ kind, strokeId: id }) => [kind, id]), [[2, second], [2, first]]);
    same(layers.shown, server.compose().pixels);
});

test("undo of what was never sent sends nothing", async () => {
    const server = new FakeServer();
    const { session, layers, draw } = visit(server);
    await settled();
    const blank = Buffer.from(layers.shown.bytes);
    server.last.fail();
    const id = draw(LINE, 1);
    session.ink.undo(id);
    assert.ok(session.ink.outbox.empty);
    assert.equal(session.ink.undoable(), null);
    assert.equal(Buffer.compare(layers.shown.bytes, blank), 0);
});

test("undo of ink under way, and the connection breaks: taken back after the return", async (pass) => {
    const server = new FakeServer();
    const { session, layers, draw } = visit(server);
    await settled();
    server.last.held = true;
    const id = draw(LINE, 1);
    session.ink.undo(id);
    server.last.fail();
    await pass(2000);
    assert.equal(server.journal.filter(({ kind }) => kind === 2).length, 1);
    assert.ok(session.ink.outbox.empty);
    same(layers.shown, server.compose().pixels);
});

test("too late to undo: the stroke comes back and that is said", async () => {
    const server = new FakeServer();
    const { session, layers, draw, told } = visit(server);
    await settled();
    const id = draw(LINE);
    server.position = server.head; // the dream has begun, its news is under way
    session.ink.undo(id);
    session.ink.flush();
    assert.deepEqual(told.loss, [{ code: 3, strokes: 0, undo: true }]);
    assert.ok(session.ink.outbox.empty);
    same(layers.shown, server.compose().pixels);
    server.last.push(say.news({ type: "dream", dream: { state: "dreaming", position: server.head } }));
    assert.equal(session.ink.undoable(), null);
});

test("other people's strokes are not ours to undo", async () => {
    const server = new FakeServer();
    const { session } = visit(server);
    await settled();
    server.append(...foreign(3));
    assert.equal(session.ink.undoable(), null);
});

test("ink outlives a reload, for the same person, unless it is stale", async (pass) => {
    const server = new FakeServer();
    const storage = new FakeStorage();
    const before = visit(server, { storage });
    await settled();
    server.deaf = true;
    before.draw(LINE, 1);
    server.last.fail();
    assert.equal(storage.kept.size, 1);
    before.session.net.stop();
    server.deaf = false;

    server.person = { id: 8, name: "bob" };
    const bob = visit(server, { storage });
    await settled();
    assert.equal(server.head, 0, "not in another's name");
    bob.session.net.stop();

    server.person = { id: 7, name: "ada" };
    const after = visit(server, { storage });
    await settled();
    assert.equal(server.head, 4);
    assert.equal(storage.kept.size, 0);
    same(after.layers.shown, server.compose().pixels);

    server.deaf = true;
    after.draw(LINE);
    server.last.fail();
    after.session.net.stop();
    server.deaf = false;
    await pass(11 * 60_000);
    const late = visit(server, { storage });
    await settled();
    assert.equal(server.head, 4);
    assert.deepEqual(late.told.loss, [{ code: 4, strokes: 1, undo: false }]);
});

test("signed out meanwhile: the ink is withdrawn, said, and kept for the return", async (pass) => {
    const server = new FakeServer();
    const storage = new FakeStorage();
    const { session, layers, draw, told } = visit(server, { storage });
    await settled();
    server.deaf = true;
    draw(LINE);
    server.last.fail(4401);
    server.person = /** @type {any} */ (null);
    await pass(1500);
    assert.equal(told.you.at(-1), null);
    assert.deepEqual(told.loss, [{ code: 1, strokes: 1, undo: false }]);
    assert.ok(session.ink.outbox.empty);
    assert.equal(storage.kept.size, 1);
    same(layers.shown, server.compose().pixels);
});

test("a frame that cannot be read drops the connection and joins again", async (pass) => {
    const server = new FakeServer();
    const { session } = visit(server);
    await settled();
    const errors = console.error;
    console.error = () => {};
    server.last.push(Uint8Array.of(0xd5, 1, 0x77, 0));
    console.error = errors;
    await pass(1000);
    assert.equal(server.sockets.length, 2);
    assert.ok(session.live);
});

test("a frame of another version asks for a fresh page", async () => {
    const server = new FakeServer();
    const { told } = visit(server);
    await settled();
    const errors = console.error;
    console.error = () => {};
    server.last.push(Uint8Array.of(0xd5, 2, 0x77, 0));
    console.error = errors;
    assert.equal(told.reload.length, 1);
});

test("a canvas of another size, or one that was set back, asks for a fresh page", async () => {
    const server = new FakeServer();
    const { told } = visit(server);
    await settled();
    server.append(...foreign(3));
    server.last.push(say.news({ ...server.welcome(server.last), head: 1 }));
    assert.equal(told.reload.length, 1);
    server.last.push(say.news({ ...server.welcome(server.last), canvas: { width: 10, height: 10 } }));
    assert.equal(told.reload.length, 2);
});

test("a silent line is asked, and given up where no answer comes", async (pass) => {
    const server = new FakeServer();
    const { session } = visit(server);
    await settled();
    await pass(41_000);
    assert.equal(server.last.joins.length, 2, "asked once");
    assert.equal(server.sockets.length, 1, "and the answer was enough");
    assert.ok(session.live);
    server.answers = false;
    await pass(52_000);
    assert.ok(server.sockets.length > 1);
});

test("ink without an acknowledgement for long makes the line suspect", async (pass) => {
    const server = new FakeServer();
    const { session, layers, draw } = visit(server);
    await settled();
    server.answers = false;
    draw(LINE);
    await pass(16_000);
    assert.ok(server.sockets.length > 1);
    server.answers = true;
    await pass(60_000);
    assert.ok(session.ink.outbox.empty);
    same(layers.shown, server.compose().pixels);
});

test("after hours offline the ink goes out within the server's allowances", async (pass) => {
    const server = new FakeServer();
    const { session, draw } = visit(server);
    await settled();
    server.last.fail();
    const zigzag = Array.from({ length: 500 }, (_, i) => [10 + (i % 2), 10 + (i % 3), 4]);
    for (let i = 0; i < 100; i++) draw(zigzag); // 50,000 points
    await pass(2000);
    const points = () => server.last.inks.reduce((sum, op) => sum + (op.kind === 1 ? op.points.length / 3 : 0), 0);
    assert.ok(points() < 40_000, `${points()} points at once`);
    assert.ok(server.last.sent.every((bytes) => bytes.length <= MAX_MESSAGE));
    await pass(15_000);
    assert.ok(session.ink.outbox.empty);
});

test("random lives: drops, lost news, duplicates, dreams and undos; everybody ends with the same picture", async (pass) => {
    for (let seed = 1; seed <= 25; seed++) {
        const random = generator(seed);
        const server = new FakeServer();
        const int = (/** @type {number} */ n) => Math.floor(random() * n);
        const visitors = [];
        for (const [id, name] of /** @type {[number, string][]} */ ([[7, "ada"], [8, "bob"]])) {
            server.person = { id, name };
            const visitor = visit(server, { random, loadMs: int(400) });
            const Socket = visitor.session.net.Socket;
            visitor.session.net.Socket = /** @type {any} */ (function (/** @type {string} */ url) {
                server.person = { id, name };
                return new Socket(url);
            });
            visitors.push(visitor);
            await settled();
        }
        for (let step = 0; step < 40; step++) {
            const { session, draw } = visitors[int(2)];
            const socket = server.sockets[server.sockets.length - 1 - int(2)];
            const dice = random();
            if (dice < 0.45) {
                const points = Array.from({ length: 2 + int(6) }, () => [int(SIDE), int(SIDE), 2 + int(20)]);
                draw(points, 1 + int(3));
            } else if (dice < 0.55) {
                const id = session.ink.undoable();
                if (id !== null) session.ink.undo(id);
            } else if (dice < 0.65) socket.fail();
            else if (dice < 0.72) socket.told = Math.min(server.head, socket.told + int(3)); // news that get lost
            else if (dice < 0.78 && socket.joined) socket.push(say.batch(1 + int(server.head), server.journal.slice(-1)));
            else if (dice < 0.84) socket.held = !socket.held;
            else if (dice < 0.92) server.dream(Math.max(server.frame?.seq ?? 0, server.head - int(3)));
            if (!socket.held) socket.deliver();
            if (random() < 0.4) await pass(int(1500));
        }
        for (const socket of server.sockets) {
            socket.held = false;
            socket.deliver();
        }
        await pass(1000);
        server.append(...foreign(1)); // whoever has a gap hears of it
        await pass(50_000);
        const expected = server.compose().pixels;
        for (const { session, layers } of visitors) {
            assert.ok(session.ink.outbox.empty, `seed ${seed}: ${session.ink.outbox.pending.length} pieces left`);
            assert.equal(session.seq, server.head, `seed ${seed}`);
            assert.equal(layers.local.length, 0, `seed ${seed}`);
            same(layers.shown, expected, `seed ${seed}`);
            session.net.stop();
        }
    }
});
