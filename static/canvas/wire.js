// @ts-check
/**
 * The canvas protocol's bytes (docs/protocol.md), little-endian; the counterpart of canvas/wire.py.
 * Decoding raises ProtocolError and nothing else.
 */

import { MAX_POINTS } from "./limits.js";

export const MAGIC = 0xd5;
export const VERSION = 1;

export const BATCH = 0x01, NEWS = 0x02, MARK = 0x03, REJECT = 0x04, ACK = 0x05;
export const JOIN = 0x11, INK = 0x12, SEEN = 0x13;
export const REACT = 0x14, WHO = 0x15, FOLLOW = 0x16, VIEW = 0x17, DISMISS = 0x18;

export const STROKE = 1, UNDO = 2, HIDE = 3, UNDREAM = 4; // the last is a Stroke with a frame

const HEADER = 4;
const OP_HEAD = 13;
const STROKE_HEAD = 11, UNDREAM_HEAD = 12;

/**
 * `points` is flat: x, y, diameter, x, y, diameter, ... in 1/8 px; `carry` in 1/256 px.
 * @typedef {{kind: 1, author: number, strokeId: number, piece: number, last: boolean, r: number, g: number, b: number,
 *   opacity: number, carry: number, points: ArrayLike<number>, frame?: number}} Stroke `frame`: it paints that frame's picture
 *   back (0: the bare paper) instead of its colour
 * @typedef {{kind: 2, author: number, strokeId: number}} Undo
 * @typedef {{kind: 3, author: number, strokeId: number, show: boolean, numbers: number[]}} Hide
 * @typedef {Stroke | Undo | Hide} Operation
 *
 * @typedef {{kind: 0x01, first: number, at: number, operations: Operation[]}} BatchMessage
 * @typedef {{kind: 0x02, news: {type: string} & Record<string, any>}} NewsMessage
 * @typedef {{kind: 0x03, token: bigint}} MarkMessage
 * @typedef {{kind: 0x04, strokeId: number, piece: number, code: number}} RejectMessage
 * @typedef {{kind: 0x05, strokeId: number, next: number}} AckMessage
 * @typedef {BatchMessage | NewsMessage | MarkMessage | RejectMessage | AckMessage} ServerMessage
 */

/** The bytes are not a message of this protocol; `version` when they may be one of another version. */
export class ProtocolError extends Error {
    /** @param {string} reason @param {boolean} [version] */
    constructor(reason, version = false) {
        super(reason);
        this.name = "ProtocolError";
        this.version = version;
    }
}

class Reader {
    /** @param {Uint8Array} bytes */
    constructor(bytes) {
        this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        this.at = 0;
    }

    /** @param {number} size */
    take(size) {
        const at = this.at;
        if (at + size > this.view.byteLength) {
            throw new ProtocolError(`cut short at byte ${this.view.byteLength}, expected ${at + size}`);
        }
        this.at = at + size;
        return at;
    }

    u8() {
        return this.view.getUint8(this.take(1));
    }

    u16() {
        return this.view.getUint16(this.take(2), true);
    }

    u32() {
        return this.view.getUint32(this.take(4), true);
    }

    /** A u64 that a double holds exactly. */
    u64() {
        const value = Number(this.token());
        if (!Number.isSafeInteger(value)) throw new ProtocolError(`number ${value} is past 2^53`);
        return value;
    }

    token() {
        return this.view.getBigUint64(this.take(8), true);
    }

    end() {
        const rest = this.view.byteLength - this.at;
        if (rest) throw new ProtocolError(`${rest} bytes after the end`);
    }
}

/**
 * @param {Reader} reader
 * @returns {Operation}
 */
function readOperation(reader) {
    const kind = reader.u8();
    const author = reader.u32();
    const strokeId = reader.u64();
    switch (kind) {
        case STROKE:
        case UNDREAM: {
            const piece = reader.u16();
            const flags = reader.u8();
            const frame = kind === UNDREAM ? reader.u32() : undefined;
            let r = 0, g = 0, b = 0;
            if (kind === STROKE) [r, g, b] = [reader.u8(), reader.u8(), reader.u8()];
            const opacity = reader.u8();
            const carry = reader.u16();
            const n = reader.u16();
            if (flags > 1) throw new ProtocolError(`stroke flags ${flags}, expected 0 or 1`);
            if (n < 1 || n > MAX_POINTS) throw new ProtocolError(`${n} points, expected 1 to ${MAX_POINTS}`);
            if (opacity === 0) throw new ProtocolError("opacity 0, expected 1 to 255");
            const points = new Int32Array(3 * n);
            let at = reader.take(6 * n);
            for (let i = 0; i < 3 * n; i += 3, at += 6) {
                points[i] = reader.view.getInt16(at, true);
                points[i + 1] = reader.view.getInt16(at + 2, true);
                points[i + 2] = reader.view.getUint16(at + 4, true);
            }
            /** @type {Stroke} */
            const stroke = { kind: STROKE, author, strokeId, piece, last: flags === 1, r, g, b, opacity, carry, points };
            return frame === undefined ? stroke : { ...stroke, frame };
        }
        case UNDO:
            return { kind, author, strokeId };
        case HIDE: {
            const flags = reader.u8();
            if (flags > 1) throw new ProtocolError(`hide flags ${flags}, expected 0 or 1`);
            const n = reader.u16();
            const numbers = [];
            for (let i = 0; i < n; i++) numbers.push(reader.u64());
            return { kind, author, strokeId, show: flags === 1, numbers };
        }
        default:
            throw new ProtocolError(`operation kind ${kind}, expected 1 to 4`);
    }
}

/** @param {Reader} reader @param {number} count */
function readOperations(reader, count) {
    const operations = [];
    for (let i = 0; i < count; i++) operations.push(readOperation(reader));
    return operations;
}

/**
 * Opens a message: checks the header and gives a reader behind it.
 * @param {ArrayBuffer | Uint8Array} data
 */
function open(data) {
    const reader = new Reader(data instanceof Uint8Array ? data : new Uint8Array(data));
    const magic = reader.u8();
    if (magic !== MAGIC) throw new ProtocolError(`first byte 0x${magic.toString(16)}, expected 0x${MAGIC.toString(16)}`);
    const version = reader.u8();
    if (version !== VERSION) throw new ProtocolError(`protocol version ${version}, expected ${VERSION}`, true);
    const kind = reader.u8();
    const reserved = reader.u8();
    if (reserved) throw new ProtocolError(`reserved byte ${reserved}, expected 0`);
    return { kind, reader };
}

/** @param {Reader} reader @returns {NewsMessage["news"]} */
function readNews(reader) {
    const size = reader.view.byteLength - reader.at;
    const bytes = new Uint8Array(reader.view.buffer, reader.view.byteOffset + reader.take(size), size);
    let news;
    try {
        news = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch (error) {
        throw new ProtocolError(`news is not JSON: ${error}`);
    }
    if (typeof news !== "object" || news === null || typeof news.type !== "string") {
        throw new ProtocolError("news without a type");
    }
    return news;
}

/**
 * A message from the server.
 * @param {ArrayBuffer | Uint8Array} data
 * @returns {ServerMessage}
 */
export function decode(data) {
    const { kind, reader } = open(data);
    /** @type {ServerMessage} */
    let message;
    switch (kind) {
        case BATCH: {
            const first = reader.u64(), at = reader.u64();
            message = { kind, first, at, operations: readOperations(reader, reader.u16()) };
            break;
        }
        case NEWS:
            message = { kind, news: readNews(reader) };
            break;
        case MARK:
            message = { kind, token: reader.token() };
            break;
        case REJECT:
            message = { kind, strokeId: reader.u64(), piece: reader.u16(), code: reader.u8() };
            break;
        case ACK:
            message = { kind, strokeId: reader.u64(), next: reader.u16() };
            break;
        default:
            throw new ProtocolError(`message kind 0x${kind.toString(16)} from the server`);
    }
    reader.end();
    return message;
}

/**
 * Operations one after another, without a message around them: ink that was stored.
 * @param {Uint8Array} data
 */
export function decodeOperations(data) {
    const reader = new Reader(data);
    const operations = [];
    while (reader.at < data.length) operations.push(readOperation(reader));
    return operations;
}

/** @param {Operation} op @returns {number} bytes it takes */
export function sizeOf(op) {
    switch (op.kind) {
        case STROKE:
            return OP_HEAD + (op.frame === undefined ? STROKE_HEAD : UNDREAM_HEAD) + 2 * op.points.length;
        case UNDO:
            return OP_HEAD;
        case HIDE:
            return OP_HEAD + 3 + 8 * op.numbers.length;
    }
}

class Writer {
    /** @param {number} size */
    constructor(size) {
        this.bytes = new Uint8Array(size);
        this.view = new DataView(this.bytes.buffer);
        this.at = 0;
    }

    /** @param {number} value */
    u8(value) {
        this.view.setUint8(this.at, value);
        this.at += 1;
    }

    /** @param {number} value */
    u16(value) {
        this.view.setUint16(this.at, value, true);
        this.at += 2;
    }

    /** @param {number} value */
    u32(value) {
        this.view.setUint32(this.at, value, true);
        this.at += 4;
    }

    /** @param {number | bigint} value */
    u64(value) {
        this.view.setBigUint64(this.at, BigInt(value), true);
        this.at += 8;
    }

    /** @param {number} kind */
    header(kind) {
        this.u8(MAGIC);
        this.u8(VERSION);
        this.u8(kind);
        this.u8(0);
    }

    /** @param {Operation} op */
    operation(op) {
        this.u8(op.kind === STROKE && op.frame !== undefined ? UNDREAM : op.kind);
        this.u32(op.author);
        this.u64(op.strokeId);
        switch (op.kind) {
            case STROKE:
                this.u16(op.piece);
                this.u8(op.last ? 1 : 0);
                if (op.frame !== undefined) this.u32(op.frame);
                else for (const channel of [op.r, op.g, op.b]) this.u8(channel);
                this.u8(op.opacity);
                this.u16(op.carry);
                this.u16(op.points.length / 3);
                // The two signed coordinates have the same bits as unsigned ones: setUint16 wraps.
                for (let i = 0; i < op.points.length; i++) this.u16(op.points[i]);
                break;
            case HIDE:
                this.u8(op.show ? 1 : 0);
                this.u16(op.numbers.length);
                for (const number of op.numbers) this.u64(number);
                break;
        }
    }
}

/** @param {Operation[]} operations */
function sizeOfAll(operations) {
    let size = 0;
    for (const op of operations) size += sizeOf(op);
    return size;
}

/** @param {Operation} op */
export function encodeOperation(op) {
    const writer = new Writer(sizeOf(op));
    writer.operation(op);
    return writer.bytes;
}

/** What the browser holds: the id of its base frame and its last number.
 * @param {number} frame @param {number} seq */
export function encodeJoin(frame, seq) {
    const writer = new Writer(HEADER + 12);
    writer.header(JOIN);
    writer.u32(frame);
    writer.u64(seq);
    return writer.bytes;
}

/** @param {Operation[]} operations */
export function encodeInk(operations) {
    const writer = new Writer(HEADER + 2 + sizeOfAll(operations));
    writer.header(INK);
    writer.u16(operations.length);
    for (const op of operations) writer.operation(op);
    return writer.bytes;
}

/** @param {bigint} token */
export function encodeSeen(token) {
    const writer = new Writer(HEADER + 8);
    writer.header(SEEN);
    writer.u64(token);
    return writer.bytes;
}

/** A mark at a place of the canvas, px. @param {number} x @param {number} y @param {number} mark */
export function encodeReact(x, y, mark) {
    const writer = new Writer(HEADER + 5);
    writer.header(REACT);
    writer.u16(x);
    writer.u16(y);
    writer.u8(mark);
    return writer.bytes;
}

/** Asks who is here. */
export function encodeWho() {
    const writer = new Writer(HEADER);
    writer.header(WHO);
    return writer.bytes;
}

/** Follows somebody; 0: nobody any more. @param {number} who */
export function encodeFollow(who) {
    const writer = new Writer(HEADER + 4);
    writer.header(FOLLOW);
    writer.u32(who);
    return writer.bytes;
}

/** What our window shows of the canvas: its middle and its sides, px. @param {number} x @param {number} y @param {number} width @param {number} height */
export function encodeView(x, y, width, height) {
    const writer = new Writer(HEADER + 8);
    writer.header(VIEW);
    for (const value of [x, y, width, height]) writer.u16(value); // the first two may be negative: setUint16 wraps
    return writer.bytes;
}

/** Wants nobody to follow. */
export function encodeDismiss() {
    const writer = new Writer(HEADER);
    writer.header(DISMISS);
    return writer.bytes;
}
