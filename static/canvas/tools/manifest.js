// @ts-check
/**
 * The tools of the canvas, in the order of the dock. A new one is a module beside this file and a row in TOOLS: its
 * button, its key, its cursor and its line in the help are made from that.
 */

import { brush } from "./brush.js";
import { eraser } from "./eraser.js";
import { eyedropper } from "./eyedropper.js";
import { hand } from "./hand.js";
import { mark } from "./mark.js";
import { undream } from "./undream.js";

/** @type {readonly import("./types.js").Tool[]} */
export const TOOLS = [brush, eraser, undream, eyedropper, mark, hand];
