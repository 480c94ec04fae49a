// @ts-check
/** What the page says, in one place. */

import { duration, gettext, locale, ngettext } from "../i18n.js";
import { CloseCode, RejectReason } from "./codes.js";

/** @param {number} n */
export const strokes = (n) => ngettext("%(n)s stroke", "%(n)s strokes", n);

/** Why ink was refused, by the REJECT code of docs/protocol.md. @type {Record<number, string>} */
const REFUSED = {
    [RejectReason.SIGN_IN]: gettext("you are signed out now. Sign in again within ten minutes and it will still be sent"),
    [RejectReason.GAP]: gettext("part of it was lost on the way"),
    [RejectReason.STALE]: gettext("it was drawn too long ago, and the canvas has changed since"),
    [RejectReason.BUDGET]: gettext("you are out of ink for now. It refills by itself; drawing over other people’s fresh strokes uses more"),
    [RejectReason.LOCKED]: gettext("this area is locked"),
    [RejectReason.SUSPENDED]: gettext("you may not draw at the moment"),
    [RejectReason.UNAVAILABLE]: gettext("the server could not take it"),
    [RejectReason.ENDED]: gettext("the project has ended"),
};

/**
 * @param {import("./types.js").Loss} loss
 * @param {Closed | null} closed why nothing can be drawn at all, where that is so
 */
export function loss({ code, strokes: n, undo }, closed = null) {
    if (undo && code === RejectReason.DREAMED) return gettext("Too late to undo: it is already part of a dream.");
    const why = REFUSED[code] ?? gettext("the server refused it (%(code)s)", { code: String(code) });
    if (closed && code >= RejectReason.LOCKED) return `${undo ? gettext("That stays as it is") : many(n)}. ${closed.title} ${closed.detail}`.trim();
    if (undo) return gettext("That could not be undone: %(why)s.", { why });
    return gettext("%(what)s: %(why)s.", { what: many(n), why });
}

/** @param {number} n */
const many = (n) => ngettext("Your last stroke is not in the picture", "%(n)s of your strokes are not in the picture", n);

/** Why there is no connection, by close code. @type {Record<number, string>} */
const CLOSED = {
    [CloseCode.MALFORMED]: gettext("The server could not read what this page sent."),
    [CloseCode.SIGNED_OUT]: gettext("You have been signed out."),
    [CloseCode.FORBIDDEN]: gettext("Your account cannot use this canvas."),
    [CloseCode.NO_CANVAS]: gettext("There is no such canvas."),
    [CloseCode.VERSION]: gettext("The site has a new version."),
    [CloseCode.BEHIND]: gettext("Your connection was too slow to keep up."),
    [CloseCode.ENDED]: gettext("The project has ended."),
    [CloseCode.TOO_FAST]: gettext("That was too much at once for the server."),
    [CloseCode.UNAVAILABLE]: gettext("The server is busy for a moment."),
};

/**
 * @param {import("./types.js").Connection} connection
 * @param {Closed | null} closed why nothing can be drawn at all, where that is so
 * @returns {{title: string, detail: string} | null} null while all is well
 */
export function connection({ state, code, waiting }, closed = null) {
    const kept = waiting
        ? ngettext("%(n)s stroke of yours waits here and will be sent.", "%(n)s strokes of yours wait here and will be sent.", waiting)
        : gettext("What you draw now is kept here and sent later.");
    switch (state) {
        case "offline":
            return { title: CLOSED[code] ?? gettext("The connection is lost."), detail: kept };
        case "over":
            if (code === CloseCode.FORBIDDEN && closed) return { title: closed.title, detail: closed.detail };
            if (code === CloseCode.ENDED) return { title: CLOSED[code], detail: gettext("What was drawn and dreamed stays in the history.") };
            return { title: CLOSED[code] ?? gettext("The connection has ended."), detail: gettext("Reload the page to try again.") };
        case "connecting":
            return { title: gettext("Connecting …"), detail: "" };
        default:
            return null;
    }
}

/** After a loss. @param {number} waiting strokes that were kept meanwhile */
export function back(waiting) {
    if (!waiting) return gettext("Connected again.");
    return ngettext("Connected again; your stroke is sent.", "Connected again; your strokes are sent.", waiting);
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
 * @param {Closed | null} [closed]
 * @returns {DreamWords}
 */
export function dream(dream, staff, dreamed, closed = null) {
    const title = gettext(dream.title || dream.layer || "");
    if (closed?.forGood) return { label: gettext("No more dreams"), hint: `${closed.title} ${closed.detail}` };
    switch (dream.state) {
        case "waiting":
            return { label: gettext("Next dream"), title };
        case "dreaming":
            return { label: gettext("Dreaming of"), title, busy: true };
        case "resting":
            return { label: gettext("Resting until somebody draws"), hint: gettext("Nothing new has been drawn. The next stroke starts it again.") };
        case "no-model": {
            const label = dreamed ? gettext("Not dreaming") : gettext("No dreams yet");
            return staff
                ? {
                    label, hint: gettext("There is no network to dream with. On the server, fetch one, or import a file:"),
                    commands: [manage("model fetch googlenet"), manage("model import PATH")],
                }
                : { label, hint: gettext("This site has no network to dream with at the moment. Drawing works all the same.") };
        }
        case "paused":
            return { label: gettext("Dreaming is paused"), hint: staff ? gettext("Resume it in the administration.") : "" };
        case "failed":
            return { label: gettext("A dream failed"), hint: staff && dream.message ? dream.message : gettext("It will try again shortly.") };
        default:
            return staff
                ? { label: gettext("The dreamer is away"), hint: gettext("No dreamer process holds this canvas. On the server, start one:"), commands: [manage("dreamer")] }
                : { label: gettext("The dreamer is away"), hint: gettext("You can keep drawing; dreams continue when it is back.") };
    }
}

/** While a better network is on its way. @param {import("./types.js").Dream} dream */
export function arriving({ state, model, arriving }) {
    if (!arriving) return "";
    if (state === "no-model") return gettext("%(network)s is on its way, and dreams as soon as it is here", { network: arriving.title });
    const now = model && model !== "house" ? model : gettext("the small network");
  return gettext("Dreaming with %(now)s while %(network)s arrives", { now, network: arriving.title });
}

/** What people have voted for. @param {import("./types.js").Dream} dream */
export function coming({ coming }) {
    if (!coming) return "";
    return ngettext("Next style: %(title)s, %(n)s vote", "Next style: %(title)s, %(n)s votes", coming.votes, { title: gettext(coming.title) });
}

/** Instead of the above while nothing is known. */
export const UNKNOWN = gettext("Can’t reach the dreamer");

/** A stranger has become a guest. @param {string} name */
export function guest(name) {
    return gettext("You draw as %(name)s. To keep the name and your strokes, sign up when you like.", { name });
}

/** On a canvas that nobody has touched. @param {boolean} mayDraw @param {string} state of the dream @param {Closed | null} [closed] */
export function untouched(mayDraw, state, closed = null) {
    if (closed) return closed.forGood ? gettext("Nobody drew on this canvas.") : gettext("The canvas is empty.");
    const first = mayDraw ? gettext("The canvas is empty. Draw something.") : gettext("The canvas is empty. Sign up and draw something.");
    return state === "waiting" || state === "resting" || state === "dreaming"
        ? `${first} ${gettext("Soon the network will dream on it.")}`
        : first;
}

// --- What we may do ----------------------------------------------------------------------------------------------------

/**
 * @typedef {object} Closed
 * @property {string} title @property {string} detail
 * @property {boolean} everybody it is not about us
 * @property {boolean} [forGood] nothing will be drawn or dreamed here any more, unless somebody opens it again
 */

/** @param {number} at ms @param {number} now ms @returns {string} the time of day, with the date where it is another */
function moment(at, now) {
    const then = new Date(at);
    const time = then.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
    if (new Date(now).toDateString() === then.toDateString()) return time;
    return `${then.toLocaleDateString(locale, { day: "numeric", month: "long", year: "numeric" })}, ${time}`;
}

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
    if (rules.ended) return { title: gettext("The project has ended."), detail: gettext("What was drawn and dreamed stays in the history."), everybody: true, forGood: true };
    const ours = against && {
        title: against.until === null
            ? gettext("%(what)s.", { what: gettext(against.line) })
            : gettext("%(what)s until %(moment)s.", { what: gettext(against.line), moment: moment(against.until, now) }),
        detail: against.must_acknowledge ? gettext("You can draw again once you have read it.") : short(against.reason),
        everybody: false,
    };
    if (against && !against.may_enter) return ours;
    if (rules.frozen) return { title: gettext("The canvas is frozen."), detail: sentence(rules.why) || gettext("Nobody can draw for the moment."), everybody: true };
    if (rules.closed) return { title: gettext("This canvas is closed."), detail: gettext("Nobody draws here any more; its history stays."), everybody: true, forGood: true };
    if (against && !against.may_draw) return ours;
    if (rules.members_only && status?.guest) {
        return { title: gettext("Only members can draw here just now."), detail: gettext("Keep your name, from the menu, and draw on."), everybody: false };
    }
    if (rules.newcomers_after !== null && status && status.joined > rules.newcomers_after) {
        return { title: gettext("New accounts cannot draw just now."), detail: gettext("Moderators are at work; you can draw again soon."), everybody: true };
    }
    return null;
}

/** @param {import("./types.js").Against} against @param {number} now ms */
export function sanction({ must_acknowledge, sheet, sheet_effect, until }, now) {
    let end = "";
    if (until !== null) end = gettext("This lasts until %(moment)s.", { moment: moment(until, now) });
    else if (!must_acknowledge) end = gettext("This lasts until a moderator lifts it.");
    return { title: gettext(sheet), effect: `${gettext(sheet_effect)} ${end}`.trim() };
}

/** @param {import("./types.js").Region} region @param {number} now ms */
export function region({ kind, until, why }, now) {
    if (kind === "request") return gettext("Cover this area?");
    const end = until === null ? null : { moment: moment(until, now) };
    if (kind === "cover") {
        return end ? gettext("Covered until a moderator has looked, until %(moment)s at the latest.", end) : gettext("Covered until a moderator has looked.");
    }
    return `${end ? gettext("Locked until %(moment)s.", end) : gettext("Locked.")} ${sentence(why)}`.trim();
}

/** @param {string} word */
export const asked = (word) => gettext("%(word)s?", { word });

/** What the network sees. @param {string[]} words */
export const guess = (words) => gettext("The network sees: %(words)s", { words: words.map(asked).join(" ") });

/** @param {string} word */
export const agree = (word) => gettext("Yes: let the next dreams make it more of a %(word)s", { word });

/** @param {string} word */
export const agreed = (word) => gettext("Agreed: %(word)s. The next dreams go that way here.", { word });

/** @param {import("./types.js").Ink} ink */
export function ink({ left, seconds }) {
    if (left >= 0.05) return gettext("%(n)s % ink", { n: Math.round(100 * left) });
    return seconds > 1 ? gettext("Out of ink. Refilled in %(time)s", { time: duration(seconds < 90 ? seconds : 60 * Math.ceil(seconds / 60)) }) : gettext("Out of ink");
}
