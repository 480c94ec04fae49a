// @ts-check
/** Loads a frame's picture as pixels. */

import { Pixels } from "./pixels.js";

/**
 * Through an image element, so that frames may lie on another host without more than `img-src` for it.
 * @param {string} url @param {number} width @param {number} height
 * @returns {Promise<Pixels>} rejected where it cannot be had, or has another size
 */
export async function loadFrame(url, width, height) {
    const image = new Image();
    image.crossOrigin = "anonymous";
    image.src = url;
    await image.decode();
    if (image.naturalWidth !== width || image.naturalHeight !== height) {
        throw new Error(`${url} is ${image.naturalWidth} × ${image.naturalHeight}, expected ${width} × ${height}`);
    }
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    if (!context) throw new Error("This browser gives no 2D canvas.");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    canvas.width = canvas.height = 0; // Safari counts the memory of canvases that nobody holds
    return new Pixels(width, height, /** @type {ArrayBuffer} */ (data.buffer));
}
