/** The server's half of the protocol, for tests that play the server: frames to send, a browser's frames read. */

import * as wire from "../../static/canvas/wire.js";

/** @param {number} kind @param {...(Uint8Array | [size: number, value: number | bigint])} parts */
function frame(kind, ...parts) {
    const bytes = [wire.MAGIC, wire.VERSION, kind, 0];
    for (const part of parts) {
        if (part instanceof Uint8Array) bytes.push(...part);
        else for (let i = 0n; i < part[0]; i++) bytes.push(Number((BigInt(part[1]) >> (8n * i)) & 255n));
    }
    return Uint8Array.from(bytes);
}

/** @param {number} first @param {wire.Operation[]} operations @param {number} [at] */
export function batch(first, operations, at = 1_700_000_000_000) {
    return frame(wire.BATCH, [8, first], [8, at], [2, operations.length], ...operations.map(wire.encodeOperation));
}

/** @param {unknown} message */
export function news(message) {
    return frame(wire.NEWS, new TextEncoder().encode(JSON.stringify(message)));
}

/** @param {bigint} token */
export function mark(token) {
    return frame(wire.MARK, [8, token]);
}

/** @param {number} stroke @param {number} piece @param {number} code */
export function reject(stroke, piece, code) {
    return frame(wire.REJECT, [8, stroke], [2, piece], [1, code]);
}

/** @param {number} stroke @param {number} next */
export function ack(stroke, next) {
    return frame(wire.ACK, [8, stroke], [2, next]);
}

/**
 * A browser's frame.
 * @param {Uint8Array} bytes
 * @returns {{join: {frame: number, seq: number}} | {ink: wire.Operation[]} | {seen: bigint}}
 */
export function read(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (view.getUint8(0) !== wire.MAGIC || view.getUint8(1) !== wire.VERSION || view.getUint8(3) !== 0) {
        throw new Error(`not a frame: ${bytes}`);
    }
    const body = bytes.subarray(4);
    switch (view.getUint8(2)) {
        case wire.JOIN:
            if (body.length !== 12) throw new Error(`JOIN of ${body.length} bytes`);
            return { join: { frame: view.getUint32(4, true), seq: Number(view.getBigUint64(8, true)) } };
        case wire.INK: {
            const ink = wire.decodeOperations(body.subarray(2));
            if (ink.length !== view.getUint16(4, true)) throw new Error(`INK says ${view.getUint16(4, true)} operations`);
            return { ink };
        }
        case wire.SEEN:
            if (body.length !== 8) throw new Error(`SEEN of ${body.length} bytes`);
            return { seen: view.getBigUint64(4, true) };
        default:
            throw new Error(`frame kind ${view.getUint8(2)}`);
    }
}
