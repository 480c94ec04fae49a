/**
 * Replays journals as the browser does, for tests that compare it with the server.
 *
 * One journal per line of standard input, as JSON:
 *
 *   {"width": 64, "height": 64, "background": [255, 255, 255],
 *    "base": "<base64 of RGB bytes, width * height * 3>",          optional: the base's picture instead of the background
 *    "seq": 0,                                                     optional: the base's number, 0 where it is not given
 *    "earlier": {"7": "<base64>"},                                 optional: pictures of frames that UNDREAMs bring back
 *    "ops": [[1, "<hex of one encoded operation>"], ...],          numbers and operations, in order
 *    "rebase": {"at": 5, "base": "<base64>", "seq": 3}}            optional: after 5 of them, a new base that holds up to 3
 *
 * One line of standard output for each: the SHA-256 of the picture's RGB bytes, in hex.
 */

import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

import { Picture } from "../../static/canvas/picture.js";
import { Pixels } from "../../static/canvas/pixels.js";
import { decodeOperations } from "../../static/canvas/wire.js";

/** @param {string} text @param {number} width @param {number} height */
function pixelsFrom(text, width, height) {
    const rgb = Buffer.from(text, "base64");
    if (rgb.length !== width * height * 3) throw new Error(`${rgb.length} bytes for ${width} × ${height} RGB`);
    const pixels = new Pixels(width, height);
    for (let i = 0; i < width * height; i++) pixels.bytes.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
    return pixels;
}

/** @param {Pixels} pixels */
export function digest(pixels) {
    const rgb = Buffer.alloc(pixels.width * pixels.height * 3);
    for (let i = 0, to = 0; i < pixels.bytes.length; i += 4) {
        rgb[to++] = pixels.bytes[i];
        rgb[to++] = pixels.bytes[i + 1];
        rgb[to++] = pixels.bytes[i + 2];
    }
    return createHash("sha256").update(rgb).digest("hex");
}

/** @param {any} journal one line, parsed; see above */
export function replay({ width, height, background, base, seq = 0, earlier = {}, ops, rebase }) {
    const picture = new Picture(width, height, background);
    const pictures = new Map(Object.entries(earlier).map(([id, text]) => [Number(id), pixelsFrom(text, width, height)]));
    picture.earlier = (id) => pictures.get(id) ?? null;
    if (base) picture.rebase(pixelsFrom(base, width, height), seq);
    ops.forEach((/** @type {[number, string]} */ [number, hex], /** @type {number} */ index) => {
        if (rebase && rebase.at === index) picture.rebase(pixelsFrom(rebase.base, width, height), rebase.seq);
        const [operation] = decodeOperations(Buffer.from(hex, "hex"));
        picture.append(number, operation);
    });
    if (rebase && rebase.at >= ops.length) picture.rebase(pixelsFrom(rebase.base, width, height), rebase.seq);
    return picture;
}

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
    for await (const line of createInterface({ input: process.stdin })) {
        if (line.trim()) console.log(digest(replay(JSON.parse(line)).pixels));
    }
}
