// @ts-check
/** What the page says, in one place. */

/** @param {number} n @param {string} one @param {string} many */
const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

/** @param {number} n */
export const strokes = (n) => count(n, "stroke", "strokes");

/** Why ink was refused, by the REJECT code of docs/protocol.md. @type {Record<number, string>} */
const REFUSED = {
    1: "you are signed out now. Sign in again within ten minutes and it will still be sent",
    2: "part of it was lost on the way",
    4: "it was drawn more than ten minutes ago, and the canvas has dreamed since",
    5: "that was more ink than one person may use at once. Give it a moment",
    6: "this part of the canvas is locked",
    7: "your account may not draw at the moment",
    8: "the server could not take it",
    9: "the canvas is closed for drawing",
};

/** @param {import("./types.js").Loss} loss */
export function loss({ code, strokes: n, undo }) {
    if (undo) return "Too late to take that back: it is part of the dream.";
    const why = REFUSED[code] ?? `the server refused it (${code})`;
    return `${n === 1 ? "Your last stroke is" : `${n} of your strokes are`} not in the picture: ${why}.`;
}

/** Why there is no connection, by close code. @type {Record<number, string>} */
const CLOSED = {
    4400: "The server could not read this page's ink.",
    4401: "You have been signed out.",
    4403: "Your account may not be here.",
    4404: "There is no such canvas.",
    4406: "The site has a new version.",
    4408: "This connection was too slow to keep up.",
    4410: "The project has ended.",
    4429: "That was too much at once for the server.",
    4503: "The server is busy for a moment.",
};

/**
 * @param {import("./types.js").Connection} connection
 * @returns {{title: string, detail: string} | null} null while all is well
 */
export function connection({ state, code, waiting }) {
    const kept = waiting
        ? `${strokes(waiting)} of yours ${waiting === 1 ? "waits" : "wait"} here and will be sent.`
        : "What you draw now is kept here and sent later.";
    switch (state) {
        case "offline":
            return { title: CLOSED[code] ?? "The connection is lost.", detail: kept };
        case "over":
            return { title: CLOSED[code] ?? "The connection has ended.", detail: "Reload the page to try again." };
        case "connecting":
            return { title: "Connecting …", detail: "" };
        default:
            return null;
    }
}

/** After a loss that was told. @param {number} waiting strokes that were kept meanwhile */
export function back(waiting) {
    if (!waiting) return "Connected again.";
    return `Connected again; your ${waiting === 1 ? "stroke is" : "strokes are"} sent.`;
}

/** As it is typed in the project's folder. @param {string} command */
const manage = (command) => `.venv/bin/python manage.py ${command}`;

/**
 * @typedef {object} DreamWords
 * @property {string} label
 * @property {string} [title] what it dreams of
 * @property {string} [hint] says more, to whom it helps
 * @property {string[]} [commands] to be pasted on the server
 * @property {boolean} [busy]
 */

/**
 * What the dreamer does.
 * @param {import("./types.js").Dream} dream @param {boolean} staff
 * @param {boolean} dreamed whether the picture we see is a dream already
 * @returns {DreamWords}
 */
export function dream(dream, staff, dreamed) {
    const title = dream.title || dream.layer || "";
    switch (dream.state) {
        case "waiting":
            return { label: "Next dream", title };
        case "dreaming":
            return { label: "Dreaming of", title, busy: true };
        case "resting":
            return { label: "Resting until somebody draws", hint: "Nothing new has been drawn. The next stroke wakes it." };
        case "no-model": {
            const label = dreamed ? "Not dreaming" : "No dreams yet";
            return staff
                ? {
                    label, hint: "There is no network to dream with. On the server, fetch one, or import a file:",
                    commands: [manage("model fetch googlenet"), manage("model import PATH")],
                }
                : { label, hint: "This site has no network to dream with at the moment. Drawing works all the same." };
        }
        case "paused":
            return { label: "Dreaming is paused", hint: staff ? "Resume it in the administration." : "" };
        case "failed":
            return { label: "A dream failed", hint: staff && dream.message ? dream.message : "Another one follows with the next beat." };
        default:
            return staff
                ? { label: "The dreamer is away", hint: "No dreamer process holds this canvas. On the server, start one:", commands: [manage("dreamer")] }
                : { label: "The dreamer is away", hint: "The drawing goes on; dreams follow when it is back." };
    }
}

/** In place of the above while nobody can tell. */
export const UNKNOWN = "Dreams out of sight";

/** On a canvas that nobody has touched. @param {boolean} mayDraw @param {string} state of the dream */
export function untouched(mayDraw, state) {
    const first = mayDraw ? "The canvas is empty. Draw something" : "The canvas is empty. Sign up and draw something";
    return state === "waiting" || state === "resting" || state === "dreaming"
        ? `${first}; in half a minute it will be dreamed of.`
        : `${first}.`;
}
