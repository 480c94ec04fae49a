// @ts-check
/**
 * What the parts of the page tell each other (docs/protocol.md, "NEWS").
 *
 * @typedef {{id: number, name: string}} Person
 * A small copy of a frame's picture; `width` in px.
 * @typedef {{url: string, width: number}} Preview
 *
 * A picture that the undream brush may bring back.
 * @typedef {{id: number, url: string, preview: Preview | null}} Earlier
 *
 * @typedef {{id: number, number: number, seq: number, url: string, preview: Preview | null, page: string, title: string, kind: string,
 *   earlier?: Earlier[], before?: number}} Frame `before`: the frame before the last dream, which is among `earlier`; 0: the bare paper
 * @typedef {{id: number, x: number, y: number, width: number, height: number, words: string[], authors: number[],
 *   chosen: number | null, until: number}} Guess what the network sees in a drawing; in px
 * @typedef {{state: string, title: string, layer: string, channel: number | null, model: string, device: string,
 *   position: number, next_at: number | null, fraction: number, octave: number, octaves: number, message: string, guess?: Guess | null,
 *   coming?: {title: string, votes: number} | null,
 *   arriving?: {title: string, fraction: number} | null}} Dream `arriving`: a better network that is on its way
 * @typedef {{state: "connecting" | "catching-up" | "live" | "offline" | "over", code: number, retryAt: number,
 *   waiting: number}} Connection `waiting` is how many strokes of ours are not in the journal
 * @typedef {{id: number, kind: "lock" | "cover" | "request", x: number, y: number, width: number, height: number,
 *   until: number | null, why: string}} Region in px; `request`: somebody asks to cover it
 * @typedef {{frozen: boolean, why: string, slow: number, newcomers_after: number | null, members_only: boolean, reactions?: boolean, regions: Region[],
 *   ended: boolean, closed: boolean}} Rules
 * @typedef {{id: number, degree: string, reason: string, until: number | null}} Sanction
 * @typedef {{may_enter: boolean, may_draw: boolean, must_acknowledge: boolean, line: string, sheet: string,
 *   sheet_effect: string, gravity: [boolean, number]}} Degree a row of canvas/degrees.py
 * @typedef {Sanction & Degree} Against a sanction with what its degree means
 * @typedef {{joined: number, hours: number, trusted: boolean, sanctions: Sanction[], guest: boolean}} UserStatus
 * @typedef {{left: number, seconds: number}} Ink the share that is left, and in how many seconds it is plenty again
 * @typedef {{x: number, y: number, width: number, height: number, votes: number, quorum: number, until: number}} CoverRequest
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
 * @property {(rules: Rules) => void} rules
 * @property {(status: UserStatus | null) => void} status
 * @property {(ink: Ink) => void} ink
 * @property {(request: CoverRequest) => void} cover somebody asks to cover an area; only trusted people are asked
 * @property {(news: Record<string, any>) => void} together what people do beside drawing: `reaction`, `here`, `following`, `followers`, `view`
 * @property {(loss: Loss) => void} loss
 * @property {(stroke: number) => void} refused stop drawing this stroke
 * @property {(operation: import("./wire.js").Operation) => void} applied
 * @property {() => void} changed whether there is something to undo may have changed
 * @property {(reason: string) => void} reload nothing but a fresh page helps
 */

export {};
