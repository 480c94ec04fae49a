// @ts-check
/** Loads a frame's picture, or its small copy, as pixels. */

import { Pixels } from "./pixels.js";

/**
 * Through an image element, so that frames may lie on another host without more than `img-src` for it.
 * @param {string} url @param {number} width of the result, px @param {number} height
 * @param {number} [has] px that the file is wide: another size than the result's is scaled
 * @returns {Promise<Pixels>} rejected where it cannot be had, or has another size
 */
export async function loadFrame(url, width, height, has = width) {
    const image = new Image();
    image.crossOrigin = "anonymous";
    image.src = url;
    await image.decode();
    if (image.naturalWidth !== has || (has === width && image.naturalHeight !== height)) {
        throw new Error(`${url} is ${image.naturalWidth} × ${image.naturalHeight}, expected ${has} px wide, of ${width} × ${height}`);
    }
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    if (!context) throw new Error("This browser gives no 2D canvas.");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    canvas.width = canvas.height = 0; // Safari counts the memory of canvases that nobody holds
    return new Pixels(width, height, /** @type {ArrayBuffer} */ (data.buffer));
}
