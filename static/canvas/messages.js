// @ts-check
/** What the page says, in one place. */

import { CloseCode, RejectReason } from "./codes.js";

/** @param {number} n @param {string} one @param {string} many */
const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

/** @param {number} n */
export const strokes = (n) => count(n, "stroke", "strokes");

/** Why ink was refused, by the REJECT code of docs/protocol.md. @type {Record<number, string>} */
const REFUSED = {
    [RejectReason.SIGN_IN]: "you are signed out now. Sign in again within ten minutes and it will still be sent",
    [RejectReason.GAP]: "part of it was lost on the way",
    [RejectReason.STALE]: "it was drawn more than ten minutes ago, and the canvas has changed since",
    [RejectReason.BUDGET]: "you are out of ink for now. It refills by itself; drawing over other people’s fresh strokes uses more",
    [RejectReason.LOCKED]: "this area is locked",
    [RejectReason.SUSPENDED]: "you may not draw at the moment",
    [RejectReason.UNAVAILABLE]: "the server could not take it",
    [RejectReason.ENDED]: "the project has ended",
};

/**
 * @param {import("./types.js").Loss} loss
 * @param {Closed | null} closed why nothing can be drawn at all, where that is so
 */
export function loss({ code, strokes: n, undo }, closed = null) {
    if (undo && code === RejectReason.DREAMED) return "Too late to undo: it is already part of a dream.";
    const why = REFUSED[code] ?? `the server refused it (${code})`;
    if (closed && code >= RejectReason.LOCKED) return `${undo ? "That stays as it is" : many(n)}. ${closed.title} ${closed.detail}`.trim();
    if (undo) return `That could not be undone: ${why}.`;
    return `${many(n)}: ${why}.`;
}

/** @param {number} n */
const many = (n) => (n === 1 ? "Your last stroke is not in the picture" : `${n} of your strokes are not in the picture`);

/** Why there is no connection, by close code. @type {Record<number, string>} */
const CLOSED = {
    [CloseCode.MALFORMED]: "The server could not read what this page sent.",
    [CloseCode.SIGNED_OUT]: "You have been signed out.",
    [CloseCode.FORBIDDEN]: "Your account cannot use this canvas.",
    [CloseCode.NO_CANVAS]: "There is no such canvas.",
    [CloseCode.VERSION]: "The site has a new version.",
    [CloseCode.BEHIND]: "Your connection was too slow to keep up.",
    [CloseCode.ENDED]: "The project has ended.",
    [CloseCode.TOO_FAST]: "That was too much at once for the server.",
    [CloseCode.UNAVAILABLE]: "The server is busy for a moment.",
};

/**
 * @param {import("./types.js").Connection} connection
 * @param {Closed | null} closed why nothing can be drawn at all, where that is so
 * @returns {{title: string, detail: string} | null} null while all is well
 */
export function connection({ state, code, waiting }, closed = null) {
    const kept = waiting
        ? `${strokes(waiting)} of yours ${waiting === 1 ? "waits" : "wait"} here and will be sent.`
        : "What you draw now is kept here and sent later.";
    switch (state) {
        case "offline":
            return { title: CLOSED[code] ?? "The connection is lost.", detail: kept };
        case "over":
            if (code === CloseCode.FORBIDDEN && closed) return { title: closed.title, detail: closed.detail };
            if (code === CloseCode.ENDED) return { title: CLOSED[code], detail: "What was drawn and dreamed stays in the history." };
            return { title: CLOSED[code] ?? "The connection has ended.", detail: "Reload the page to try again." };
        case "connecting":
            return { title: "Connecting …", detail: "" };
        default:
            return null;
    }
}

/** After a loss. @param {number} waiting strokes that were kept meanwhile */
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
            return { label: "Resting until somebody draws", hint: "Nothing new has been drawn. The next stroke starts it again." };
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
            return { label: "A dream failed", hint: staff && dream.message ? dream.message : "It will try again shortly." };
        default:
            return staff
                ? { label: "The dreamer is away", hint: "No dreamer process holds this canvas. On the server, start one:", commands: [manage("dreamer")] }
                : { label: "The dreamer is away", hint: "You can keep drawing; dreams continue when it is back." };
    }
}

/** While a better network is on its way. @param {import("./types.js").Dream} dream */
export function arriving({ state, model, arriving }) {
    if (!arriving) return "";
    if (state === "no-model") return `${arriving.title} is on its way, and dreams as soon as it is here`;
    return `Dreaming with ${model && model !== "house" ? model : "the small network"} while ${arriving.title} arrives`;
}

/** Instead of the above while nothing is known. */
export const UNKNOWN = "Can’t reach the dreamer";

/** A stranger has become a guest. @param {string} name */
export function guest(name) {
    return `You draw as ${name}. To keep the name and your strokes, sign up when you like.`;
}

/** On a canvas that nobody has touched. @param {boolean} mayDraw @param {string} state of the dream */
export function untouched(mayDraw, state) {
    const first = mayDraw ? "The canvas is empty. Draw something" : "The canvas is empty. Sign up and draw something";
    return state === "waiting" || state === "resting" || state === "dreaming"
        ? `${first}. Soon the network will dream on it.`
        : `${first}.`;
}

// --- What we may do ----------------------------------------------------------------------------------------------------

/** @typedef {{title: string, detail: string, everybody: boolean}} Closed */

/** @param {number} at ms @param {number} now ms @returns {string} the time of day, with the date where it is another */
function moment(at, now) {
    const then = new Date(at);
    const time = then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    if (new Date(now).toDateString() === then.toDateString()) return time;
    return `${then.toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" })}, ${time}`;
}

/** @param {number | null} until @param {number} now */
const ending = (until, now) => (until === null ? "" : ` until ${moment(until, now)}`);

/** @param {string} why somebody's own words */
const sentence = (why) => (why && !/[.!?…]$/.test(why) ? `${why}.` : why);

/** The reason as far as a line has room for it; the sheet has all of it. @param {string} reason */
const short = (reason) => (reason.length > 100 ? `${reason.slice(0, 97).trimEnd()} …` : sentence(reason));

/**
 * Why nothing can be drawn; null where it can. `everybody`: it is not about us.
 * @param {import("./types.js").Rules} rules @param {import("./types.js").UserStatus | null} status
 * @param {import("./types.js").Against | null} against @param {number} now ms
 * @returns {Closed | null}
 */
export function closed(rules, status, against, now) {
    if (rules.ended) return { title: "The project has ended.", detail: "What was drawn and dreamed stays in the history.", everybody: true };
    const ours = against && {
        title: `${against.line}${ending(against.until, now)}.`,
        detail: against.must_acknowledge ? "You can draw again once you have read it." : short(against.reason),
        everybody: false,
    };
    if (against && !against.may_enter) return ours;
    if (rules.frozen) return { title: "The canvas is frozen.", detail: sentence(rules.why) || "Nobody can draw for the moment.", everybody: true };
    if (against && !against.may_draw) return ours;
    if (rules.members_only && status?.guest) {
        return { title: "Only members can draw here just now.", detail: "Keep your name, from the menu, and draw on.", everybody: false };
    }
    if (rules.newcomers_after !== null && status && status.joined > rules.newcomers_after) {
        return { title: "New accounts cannot draw just now.", detail: "Moderators are at work; you can draw again soon.", everybody: true };
    }
    return null;
}

/** @param {import("./types.js").Against} against @param {number} now ms */
export function sanction({ must_acknowledge, sheet, sheet_effect, until }, now) {
    const open = until === null && !must_acknowledge ? " Until a moderator lifts it." : "";
    return { title: sheet, effect: sheet_effect.replace("{until}", ending(until, now)) + open };
}

/** @param {import("./types.js").Region} region @param {number} now ms */
export function region({ kind, until, why }, now) {
    if (kind === "request") return "Cover this area?";
    if (kind === "cover") return `Covered${ending(until, now)}, until a moderator has looked.`;
    return `Locked${ending(until, now)}. ${sentence(why)}`.trim();
}

/** What the network sees. @param {string[]} words */
export const guess = (words) => `The network sees: ${words.map((word) => `${word}?`).join(" ")}`;

/** @param {string} word */
export const agree = (word) => `Yes: let the next dreams make it more of a ${word}`;

/** @param {string} word */
export const agreed = (word) => `Agreed: ${word}. The next dreams go that way here.`;

/** @param {import("./types.js").Ink} ink */
export function ink({ left, seconds }) {
    if (left >= 0.05) return `${Math.round(100 * left)} % ink`;
    return seconds > 1 ? `Out of ink. Refilled in ${seconds < 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`}` : "Out of ink";
}
