/** Undo and redo of what was drawn and erased, against a server that keeps the journal. */

import assert from "node:assert/strict";
import { test as plain } from "node:test";

import { UndoStack } from "../../static/canvas/undo_stack.js";
import * as wire from "../../static/canvas/wire.js";
import { FakeServer, settled, visit } from "./fakes.mjs";

const LINE = [[10, 10, 12], [40, 30, 14], [70, 60, 10], [80, 20, 12]];
const DOT = [[50, 90, 30]];

/** @param {string} name @param {(page: ReturnType<typeof visit> & {server: FakeServer, stack: UndoStack, pixels: () => Buffer, pass: (ms: number) => Promise<void>}) => void | Promise<void>} body */
function test(name, body) {
    plain(name, async (t) => {
        t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_790_000_000_000 });
        const server = new FakeServer();
        const page = visit(server);
        await settled();
        const pass = async (/** @type {number} */ ms) => {
            t.mock.timers.tick(ms);
            await settled();
        };
        await body({ ...page, server, pass, stack: new UndoStack(page.session.ink), pixels: () => Buffer.from(page.layers.shown.bytes) });
        page.session.ink.flush();
        assert.equal(Buffer.compare(page.layers.shown.bytes, server.compose().pixels.bytes), 0, "page and server differ");
    });
}

test("what is undone comes back as it was, by a name that the journal does not know yet", ({ draw, stack, session, server, pixels }) => {
    const id = draw(LINE, 1), drawn = pixels();
    stack.drawn([id]);
    assert.ok(stack.canUndo && !stack.canRedo);
    assert.ok(stack.undo());
    session.ink.flush();
    assert.notEqual(Buffer.compare(pixels(), drawn), 0);
    assert.ok(stack.canRedo);
    assert.ok(stack.redo());
    assert.equal(Buffer.compare(pixels(), drawn), 0);
    const names = new Set(server.journal.filter(({ kind }) => kind === wire.STROKE).map(({ strokeId }) => strokeId));
    assert.equal(names.size, 2);
    assert.ok(stack.undo() && stack.redo() && stack.undo());
});

test("mirrors go and come together", ({ draw, stack, pixels }) => {
    const blank = pixels();
    stack.drawn([draw(LINE), draw(DOT)]);
    const both = pixels();
    stack.undo();
    assert.equal(Buffer.compare(pixels(), blank), 0);
    stack.redo();
    assert.equal(Buffer.compare(pixels(), both), 0);
});

test("a new stroke ends what could be done again", ({ draw, stack }) => {
    stack.drawn([draw(LINE)]);
    stack.undo();
    stack.drawn([draw(DOT)]);
    assert.ok(!stack.canRedo);
    assert.ok(!stack.redo());
});

test("erasing finds the stroke at a point, and can be undone", ({ draw, stack, session, pixels }) => {
    const blank = pixels();
    const line = draw(LINE);
    stack.drawn([line]);
    const drawn = pixels();
    assert.deepEqual(session.ink.near(25, 20, 2), [line]);
    assert.deepEqual(session.ink.near(10, 90, 2), []);
    stack.erase(session.ink.near(25, 20, 2));
    assert.equal(Buffer.compare(pixels(), blank), 0);
    assert.deepEqual(session.ink.near(25, 20, 2), []);
    stack.undo();
    assert.equal(Buffer.compare(pixels(), drawn), 0);
});

test("what a dream has taken in stays, and undo goes to what is left", async ({ draw, stack, session, server, pass }) => {
    stack.drawn([draw(LINE)]);
    server.dream();
    assert.deepEqual(session.ink.near(25, 20, 2), []);
    assert.equal(stack.undo(), false);
    await pass(2000);
});

test("another's stroke is no eraser's business", ({ session, server }) => {
    const op = { kind: wire.STROKE, author: 2, strokeId: 9, piece: 0, last: true, r: 0, g: 0, b: 0, opacity: 255, carry: 0, points: [200, 200, 80] };
    server.append(/** @type {any} */ (op));
    assert.deepEqual(session.ink.near(25, 25, 4), []);
});

test("what was drawn before this page was loaded can be undone and done again", async ({ stack, session, server, pixels, pass }) => {
    const blank = pixels();
    const op = { kind: wire.STROKE, author: 7, strokeId: 4096, piece: 0, last: true, r: 9, g: 9, b: 9, opacity: 255, carry: 0, points: [200, 200, 80] };
    server.append(/** @type {any} */ (op));
    const drawn = pixels();
    assert.ok(stack.canUndo);
    assert.ok(stack.undo());
    assert.equal(Buffer.compare(pixels(), blank), 0);
    await pass(100);
    assert.ok(!stack.canUndo && stack.canRedo);
    assert.ok(stack.redo());
    assert.equal(Buffer.compare(pixels(), drawn), 0);
    session.ink.flush();
});
