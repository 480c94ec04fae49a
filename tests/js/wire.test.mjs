import assert from "node:assert/strict";
import { test } from "node:test";

import * as wire from "../../static/canvas/wire.js";
import * as server from "./server.mjs";
import { generator, stroke } from "./random.mjs";

/** @type {wire.Operation[]} */
const EVERY = [
    {
        kind: 1, author: 7, strokeId: 1_790_000_000_000 * 4096 + 4095, piece: 65535, last: true, r: 1, g: 2, b: 255,
        opacity: 102, carry: 65535, points: Int32Array.of(-2048, 32767, 8, -32768, 0, 992, 5, 6, 65535),
    },
    {
        kind: 1, author: 7, strokeId: 3, piece: 2, last: false, r: 0, g: 0, b: 0, opacity: 102, carry: 9, frame: 2 ** 32 - 1,
        points: Int32Array.of(-1, 2, 8),
    },
    { kind: 2, author: 2 ** 32 - 1, strokeId: Number.MAX_SAFE_INTEGER },
    { kind: 3, author: 1, strokeId: 0, show: true, numbers: [1, 2 ** 40, 3] },
    { kind: 3, author: 1, strokeId: 0, show: false, numbers: [] },
];

test("every operation comes back from a batch as it was", () => {
    const frame = wire.decode(server.batch(2 ** 52, EVERY, 1_790_000_000_123));
    assert.deepEqual(frame, { kind: wire.BATCH, first: 2 ** 52, at: 1_790_000_000_123, operations: EVERY });
});

test("random strokes come back as they were", () => {
    const random = generator(1);
    for (let i = 0; i < 200; i++) {
        const piece = stroke(random, 1536, 1536);
        assert.deepEqual(wire.decodeOperations(wire.encodeOperation(piece)), [piece]);
        assert.equal(wire.encodeOperation(piece).length, wire.sizeOf(piece));
    }
});

test("the bytes are those of the protocol's page", () => {
    assert.deepEqual([...wire.encodeJoin(0x01020304, 5)], [0xd5, 1, 0x11, 0, 4, 3, 2, 1, 5, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual([...wire.encodeSeen(2n ** 64n - 2n)], [0xd5, 1, 0x13, 0, 254, 255, 255, 255, 255, 255, 255, 255]);
    const op = /** @type {wire.Stroke} */ ({
        kind: 1, author: 0, strokeId: 258, piece: 3, last: true, r: 10, g: 20, b: 30, opacity: 40, carry: 513, points: [-1, 2, 8],
    });
    assert.deepEqual(
        [...wire.encodeInk([op])],
        [0xd5, 1, 0x12, 0, 1, 0, 1, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 3, 0, 1, 10, 20, 30, 40, 1, 2, 1, 0, 255, 255, 2, 0, 8, 0],
    );
});

test("an undream's bytes are those of the protocol's page", () => {
    const op = /** @type {wire.Stroke} */ ({
        kind: 1, author: 0, strokeId: 258, piece: 3, last: true, r: 0, g: 0, b: 0, opacity: 40, carry: 513, frame: 0x01020304, points: [-1, 2, 8],
    });
    assert.deepEqual(
        [...wire.encodeOperation(op)],
        [4, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 3, 0, 1, 4, 3, 2, 1, 40, 1, 2, 1, 0, 255, 255, 2, 0, 8, 0],
    );
});

test("what a browser sends is read back", () => {
    assert.deepEqual(server.read(wire.encodeJoin(12, 2 ** 40)), { join: { frame: 12, seq: 2 ** 40 } });
    assert.deepEqual(server.read(wire.encodeSeen(2n ** 63n + 1n)), { seen: 2n ** 63n + 1n });
    assert.deepEqual(server.read(wire.encodeInk([EVERY[1]])), { ink: [EVERY[1]] });
    assert.deepEqual(server.read(wire.encodeInk([EVERY[2]])), { ink: [EVERY[2]] });
});

test("the server's other frames", () => {
    assert.deepEqual(wire.decode(server.mark(2n ** 64n - 1n)), { kind: wire.MARK, token: 2n ** 64n - 1n });
    assert.deepEqual(wire.decode(server.reject(77, 3, 4)), { kind: wire.REJECT, strokeId: 77, piece: 3, code: 4 });
    assert.deepEqual(wire.decode(server.ack(77, 65535)), { kind: wire.ACK, strokeId: 77, next: 65535 });
    const news = { type: "names", names: { 1: "Żółw 🐢" } };
    assert.deepEqual(wire.decode(server.news(news)), { kind: wire.NEWS, news: { type: "names", names: { 1: "Żółw 🐢" } } });
});

test("a frame that is part of a larger buffer", () => {
    const bytes = server.ack(9, 1);
    const larger = new Uint8Array(bytes.length + 10).fill(0xff);
    larger.set(bytes, 5);
    assert.equal(/** @type {wire.AckMessage} */ (wire.decode(larger.subarray(5, 5 + bytes.length))).strokeId, 9);
});

/** @param {Uint8Array} bytes @param {number} at @param {number[]} values */
function patched(bytes, at, ...values) {
    const copy = Uint8Array.from(bytes);
    copy.set(values, at);
    return copy;
}

const one = server.batch(1, [EVERY[0]]);
const malformed = {
    "nothing": new Uint8Array(0),
    "a short header": Uint8Array.of(0xd5, 1, 3),
    "another magic": patched(one, 0, 0xd4),
    "a reserved byte": patched(one, 3, 1),
    "an unknown kind": patched(one, 2, 0x06),
    "a browser's kind": patched(one, 2, 0x11),
    "more operations than bytes": patched(one, 20, 2),
    "bytes after the end": patched(new Uint8Array(one.length + 1), 0, ...one),
    "an operation of kind 0": patched(one, 22, 0),
    "an operation of kind 5": patched(one, 22, 5),
    "a stroke id past 2^53": patched(one, 27, 255, 255, 255, 255, 255, 255, 255, 255),
    "a first number past 2^53": patched(one, 4, 0, 0, 0, 0, 0, 0, 32, 0),
    "stroke flags 2": patched(one, 37, 2),
    "opacity 0": patched(one, 41, 0),
    "no points": server.batch(1, [/** @type {wire.Stroke} */ ({ ...EVERY[0], points: [] })]),
    "too many points": server.batch(1, [/** @type {wire.Stroke} */ ({ ...EVERY[0], points: new Int32Array(3 * 513) })]),
    "hide flags 2": patched(server.batch(1, [EVERY[3]]), 35, 2),
    "hide cut short": patched(server.batch(1, [EVERY[3]]), 36, 4),
    "a short mark": server.mark(1n).subarray(0, 11),
    "a long reject": patched(new Uint8Array(16), 0, ...server.reject(1, 2, 3)),
    "news that is not JSON": patched(server.news({ type: "x" }), 4, 0x7d),
    "news that is not UTF-8": patched(server.news({ type: "xx" }), 13, 0xff),
    "news that is a list": server.news([1]),
    "news that is null": patched(server.news("ab"), 4, 0x6e, 0x75, 0x6c, 0x6c),
    "news without a type": server.news({ typ: "x" }),
    "news whose type is a number": server.news({ type: 3 }),
};
for (const [name, bytes] of Object.entries(malformed)) {
    test(`malformed: ${name}`, () => {
        assert.throws(() => wire.decode(bytes), wire.ProtocolError);
    });
}

test("another version is told apart", () => {
    assert.throws(() => wire.decode(patched(one, 1, 2)), (error) => error instanceof wire.ProtocolError && error.version);
});

test("every cut of a good frame is malformed, and nothing but ProtocolError is thrown", () => {
    const whole = server.batch(3, EVERY);
    for (let size = 0; size < whole.length; size++) {
        assert.throws(() => wire.decode(whole.subarray(0, size)), wire.ProtocolError, `${size} bytes`);
    }
});

test("random damage throws ProtocolError or nothing", () => {
    const random = generator(2);
    const whole = server.batch(3, EVERY);
    for (let i = 0; i < 3000; i++) {
        const bytes = Uint8Array.from(whole);
        for (let n = 0; n < 3; n++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
        try {
            wire.decode(bytes);
        } catch (error) {
            assert.ok(error instanceof wire.ProtocolError, String(error));
        }
    }
});
