// @ts-check
/**
 * What the parts of the page tell each other (docs/protocol.md, "NEWS").
 *
 * @typedef {{id: number, name: string}} Person
 * @typedef {{id: number, number: number, seq: number, url: string, page: string, title: string, kind: string}} Frame
 * @typedef {{state: string, title: string, layer: string, channel: number | null, model: string, device: string,
 *   position: number, next_at: number | null, fraction: number, octave: number, octaves: number, message: string}} Dream
 * @typedef {{state: "connecting" | "catching-up" | "live" | "offline" | "over", code: number, retryAt: number,
 *   waiting: number}} Connection `waiting` is how many strokes of ours are not in the journal
 * @typedef {{code: number, strokes: number, undo: boolean}} Loss ink of ours that will not be in the picture, by REJECT code
 *
 * What a session tells the page.
 * @typedef {object} Ui
 * @property {(connection: Connection) => void} connection
 * @property {(you: Person | null) => void} you
 * @property {(count: number, drawing: number[]) => void} people
 * @property {(dream: Dream) => void} dream
 * @property {(frame: Frame, install: () => void, first: boolean) => void} frame must call `install` once, at once
 * @property {(message: string | null) => void} trouble
 * @property {(loss: Loss) => void} loss
 * @property {(stroke: number) => void} refused stop drawing this stroke
 * @property {(operation: import("./wire.js").Operation) => void} applied
 * @property {() => void} changed whether there is something to undo may have changed
 * @property {(reason: string) => void} reload nothing but a fresh page helps
 */

export {};
