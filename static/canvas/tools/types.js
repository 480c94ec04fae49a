// @ts-check
/**
 * What a tool is. (In a file of its own: the hashed names of static files allow no two that name each other.)
 *
 * @typedef {import("../strokes.js").Colour} Colour
 *
 * @typedef {object} Gesture what follows one pointer until it is lifted
 * @property {(event: PointerEvent) => void} move
 * @property {(event?: PointerEvent) => void} end the pointer is lifted
 * @property {() => void} cancel it was part of another gesture, or a palm: nothing happens
 * @property {() => void} [confirm] it is certain now that it is this gesture
 *
 * @typedef {object} Workspace what tools work on
 * @property {(event: PointerEvent, undecided: boolean, ink: Colour | null) => Gesture | null} draw begins a stroke of
 *   that ink; null where drawing is not possible
 * @property {Colour | null} ink as it is set; null takes the colours that the brush meets
 * @property {Colour} before ink that brings back what was there before the last dream
 * @property {Colour} paper the canvas' background
 * @property {(event: PointerEvent) => number} erase takes our own strokes at a point of the window off the canvas, as far
 *   as no dream has taken them in; how many there were
 * @property {() => void} nothingToErase says what an eraser can and cannot take off
 * @property {(dx: number, dy: number) => void} pan moves the view by CSS px
 * @property {(x: number, y: number) => void} mark leaves the mark in hand at a point of the window
 * @property {(x: number, y: number) => string} magnify shows the loupe at a point of the window; the colour there, #rrggbb
 * @property {() => void} putLoupeAway
 * @property {(hex: string) => void} chooseColour
 *
 * @typedef {object} Tool
 * @property {string} name
 * @property {string} label for those who listen
 * @property {string} title for those who point at its button
 * @property {string} help what its key does, in a few words
 * @property {string} key a lower-case letter
 * @property {string} icon the path of a 24 by 24 px drawing made of lines; empty where the button shows the brush as it is set
 * @property {"brush" | "loupe" | "grab" | "mark"} cursor
 * @property {string} [options] the id of a sheet that a second press on the button opens
 * @property {boolean} inks puts something on the canvas, which needs the right to draw; one that does not gives way to
 *   a second finger at any time
 * @property {boolean} once hands over to the first tool when it has done its work
 * @property {(workspace: Workspace, event: PointerEvent, undecided: boolean) => Gesture | null} begin `undecided` while
 *   a second finger may still make another gesture of it; null: the pointer moves the view instead
 */

export {};
