// @ts-check
/** The moderators' panel: who drew, taking ink out, earlier pictures back, switches, and the log with its undo. */

import { gettext, ngettext } from "../i18n.js";
import { ago, ask, make, waiting } from "./panel_api.js";
import * as overlay from "./panel_overlay.js";
import { showLog, showSwitches } from "./panel_more.js";

/** @typedef {import("./panel_overlay.js").Box} Box */

const root = /** @type {HTMLElement} */ (document.querySelector('[data-mod="panel"]'));
/** @template {HTMLElement} E @param {string} name @returns {E} */
const part = (name) => /** @type {E} */ (root.querySelector(`[data-mod="${name}"]`));

const people = part("people"), message = part("message"), preview = part("preview"), frames = part("frames");
const minutes = /** @type {HTMLSelectElement} */ (part("minutes"));
const why = /** @type {HTMLInputElement} */ (part("why"));
const whole = /** @type {HTMLInputElement} */ (part("whole"));
const spoilt = /** @type {HTMLInputElement} */ (part("spoilt"));
const numbers = ["x", "y", "w", "h"].map((name) => /** @type {HTMLInputElement} */ (part(`rect-${name}`)));

/** @type {Set<number>} */
const chosen = new Set();
/** @type {Box | null} */
let box = null;
/** @type {number | null} the frame to restore; null: the newest from before the ink */
let frame = null;
/** @type {any[]} */
let listed = [];
// Where their ink lay over more than this share, dreams have carried it everywhere: patches would stay between.
const EVERYWHERE = 0.25;
let wholeDecided = false; // by the moderator

/** @param {unknown} problem */
function trouble(problem) {
    notify(problem instanceof Error ? problem.message : String(problem), true);
}

/** @param {string} text @param {boolean} [bad] */
function notify(text, bad = false) {
    message.textContent = text;
    message.classList.toggle("bad", bad);
}

const since = () => Date.now() - 60_000 * Number(minutes.value);

// --- Tabs and the sheet itself -----------------------------------------------------------------------------------

const tabs = /** @type {NodeListOf<HTMLButtonElement>} */ (root.querySelectorAll("[role=tab]"));

/** @param {string} name */
function open(name) {
    for (const tab of tabs) {
        const on = tab.dataset.tab === name;
        tab.ariaSelected = String(on);
        tab.tabIndex = on ? 0 : -1;
        const page = document.getElementById(tab.getAttribute("aria-controls") ?? "");
        if (page) page.hidden = !on;
    }
    notify("");
    part("do").hidden = name !== "ink" && name !== "restore";
    frame = name === "restore" ? frame : null;
    forget();
    if (name === "ink") void listPeople();
    if (name === "restore") void listFrames();
    if (name === "switches") void showSwitches({ notify, trouble, box: () => box });
    if (name === "log") void showLog({ notify, trouble });
}

for (const tab of tabs) tab.addEventListener("click", () => open(tab.dataset.tab ?? ""));
root.querySelector("[role=tablist]")?.addEventListener("keydown", (event) => {
    const key = /** @type {KeyboardEvent} */ (event).key;
    const at = [...tabs].findIndex((tab) => tab.ariaSelected === "true");
    const to = key === "ArrowRight" ? at + 1 : key === "ArrowLeft" ? at - 1 : -1;
    const tab = tabs[(to + tabs.length) % tabs.length];
    if (to < 0 && key !== "ArrowLeft") return;
    event.preventDefault();
    event.stopPropagation();
    open(tab.dataset.tab ?? "");
    tab.focus();
});

export const panel = {
    toggle() {
        root.hidden = !root.hidden;
        document.body.classList.toggle("moderating", !root.hidden);
        if (root.hidden) {
            overlay.release();
            overlay.clear();
            return;
        }
        open("ink");
        tabs[0].focus({ preventScroll: true });
    },
};

part("close").addEventListener("click", panel.toggle);
// Where a button that had the focus is gone with its list.
addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !root.hidden && event.target === document.body) panel.toggle();
});
root.addEventListener("keydown", (event) => {
    event.stopPropagation(); // letters here are no tools of the canvas
    const typing = event.target instanceof Element && event.target.matches("input:not([type=checkbox]), select");
    if (event.key === "Escape" && pointing) endPointing();
    else if (event.key === "Escape" || (event.key === "m" && !typing)) panel.toggle();
});

// --- Pointing: who drew here, and the rectangle --------------------------------------------------------------------

let pointing = false;

/** @param {string} text */
function beginPointing(text) {
    pointing = true;
    root.classList.add("away");
    notify(text);
}

function endPointing() {
    pointing = false;
    root.classList.remove("away");
    overlay.release();
    notify("");
}

part("cancel").addEventListener("click", endPointing);
part("point").addEventListener("click", () => {
    beginPointing(gettext("Tap a spot to see who drew there."));
    overlay.point(async (x, y, radius) => {
        endPointing();
        await lookUp(x, y, radius).catch(trouble);
    });
});

/** @param {number} x @param {number} y @param {number} radius */
async function lookUp(x, y, radius) {
    const { strokes } = await ask(`at?x=${x}&y=${y}&r=${radius}`);
    overlay.showLines(strokes);
    notify(strokes.length ? "" : gettext("Nobody has drawn here."));
    const states = { visible: gettext("there"), dreamed: gettext("dreamed"), hidden: gettext("taken out"), undone: gettext("taken back") };
    part("here").replaceChildren(...strokes.map((/** @type {any} */ stroke) => {
        const box = make("input", { type: "checkbox", checked: chosen.has(stroke.author) });
        box.addEventListener("change", () => choose(stroke.author, box.checked));
        const swatch = make("i", { className: "mod-swatch" });
        swatch.style.setProperty("--swatch", stroke.colour || "transparent"); // the undream brush has none
        const state = states[/** @type {keyof typeof states} */ (stroke.state)];
        return make("li", null, make("label", { className: "mod-person" }, box, swatch,
            make("b", null, stroke.name || gettext("somebody who has left")),
            make("span", null, `${ago(stroke.at)}, ${Math.round(stroke.width)} px, ${state}`)));
    }));
}

part("rect").addEventListener("click", () => {
    if (box) return setBox(null);
    beginPointing(gettext("Drag a rectangle over the canvas."));
    overlay.drag((drawn) => {
        endPointing();
        setBox(drawn);
    });
});

/** @param {Box | null} to */
function setBox(to) {
    box = to;
    overlay.showBox(to);
    numbers.forEach((input, i) => (input.value = to ? String(to[i]) : ""));
    part("rect").textContent = to ? gettext("Whole canvas again") : gettext("Draw a rectangle");
    part("rect-text").textContent = to ? gettext("%(size)s at %(place)s", { size: `${to[2]} × ${to[3]} px`, place: `${to[0]}, ${to[1]}` }) : gettext("The whole canvas");
    forget();
    if (!part("page-ink").hidden) void listPeople();
}

for (const input of numbers) {
    input.addEventListener("change", () => {
        const values = numbers.map((each) => Number(each.value || NaN));
        if (values.every((value) => Number.isFinite(value)) && values[2] > 0 && values[3] > 0) setBox(/** @type {Box} */ (values));
    });
}

// --- People --------------------------------------------------------------------------------------------------------

async function listPeople() {
    try {
        const query = box ? `&rect=${box.join(",")}` : "";
        listed = (await ask(`people?minutes=${minutes.value}${query}`)).people;
    } catch (problem) {
        return trouble(problem);
    }
    showPeople();
}

function showPeople() {
    const young = listed.filter((person) => isYoung(person)).length;
    part("young").textContent = gettext("New accounts (%(n)s)", { n: young });
    part("none").textContent = chosen.size ? gettext("None (%(n)s chosen)", { n: chosen.size }) : gettext("None");
    people.replaceChildren(...listed.map((person) => {
        const tick = make("input", { type: "checkbox", checked: chosen.has(person.id) });
        tick.addEventListener("change", () => choose(person.id, tick.checked));
        const joined = person.joined ? gettext("joined %(when)s", { when: ago(person.joined) }) : gettext("has left");
        const out = person.all - person.strokes;
        const facts = [ngettext("%(n)s stroke", "%(n)s strokes", person.strokes), out ? gettext("%(n)s out", { n: out }) : "", joined, person.sanction.replace("_", " ")];
        const name = person.name || gettext("somebody (%(id)s)", { id: String(person.id) });
        const label = make("label", { className: "mod-person" }, tick, make("b", null, name),
            make("span", null, facts.filter(Boolean).join(", ")));
        const row = make("li", null, label);
        if (person.name && root.dataset.sanction) {
            row.append(make("a", { href: `${root.dataset.sanction}?person=${person.id}`, className: "mod-link" }, gettext("Sanction")));
        }
        return row;
    }));
    if (!listed.length) people.replaceChildren(make("li", { className: "mod-empty" }, gettext("Nobody has drawn here in this time. Choose a longer one above.")));
}

/** @param {any} person */
const isYoung = (person) => person.joined && Date.now() - person.joined < 60 * 60_000;

/** @param {number} id @param {boolean} on */
function choose(id, on) {
    if (on) chosen.add(id);
    else chosen.delete(id);
    forget();
    showPeople();
    void highlight();
}

async function highlight() {
    if (!chosen.size) return overlay.showLines([]);
    try {
        overlay.showLines((await ask(`ink?people=${[...chosen].join(",")}&since=${Math.round(since())}`)).lines);
    } catch (problem) {
        trouble(problem);
    }
}

part("young").addEventListener("click", () => {
    for (const person of listed) if (isYoung(person)) chosen.add(person.id);
    choose(0, false);
});
part("none").addEventListener("click", () => {
    chosen.clear();
    choose(0, false);
});
minutes.addEventListener("change", () => {
    forget();
    void listPeople();
    void highlight();
});
part("again").addEventListener("click", () => void listPeople());

// --- Frames --------------------------------------------------------------------------------------------------------

async function listFrames() {
    try {
        const found = (await ask("pictures")).frames;
        frames.replaceChildren(...found.map((/** @type {any} */ each) => {
            const button = make("button", { type: "button", className: "mod-frame", ariaPressed: String(each.id === frame) },
                make("img", { src: each.thumbnail, alt: "", loading: "lazy", width: 96, height: 96 }),
                make("span", null, `${each.number}, ${ago(each.at)}`));
            button.addEventListener("click", () => {
                frame = each.id;
                for (const other of frames.querySelectorAll("button")) other.ariaPressed = String(other === button);
                forget();
            });
            return button;
        }));
        if (!found.length) frames.replaceChildren(make("p", { className: "mod-empty" }, gettext("Nothing has been dreamed yet.")));
    } catch (problem) {
        trouble(problem);
    }
}

// --- Preview and apply ---------------------------------------------------------------------------------------------

/** The request, as the server reads it (canvas/moderation/rollback/plans.py). */
function rollbackRequest() {
    return {
        people: [...chosen], since: chosen.size ? Math.round(since()) : null, rect: box, frame, why: why.value,
        area: frame !== null ? (box ? "rect" : "all") : whole.checked ? (box ? "rect" : "all") : "ink",
        hide_frames: spoilt.checked,
    };
}

function forget() {
    preview.hidden = true;
    part("apply").hidden = true;
    part("look").hidden = false;
}

for (const input of [whole, spoilt]) input.addEventListener("change", forget);
whole.addEventListener("change", () => (wholeDecided = true));

/** @param {HTMLElement} button @param {() => Promise<void>} work */
async function busy(button, work) {
    if (button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    try {
        await work();
    } catch (problem) {
        trouble(problem);
    } finally {
        button.ariaBusy = null;
    }
}

part("look").addEventListener("click", () => busy(part("look"), async () => {
    notify(gettext("Working it out …"));
    let plan = await ask("preview", rollbackRequest());
    const widened = plan.covers > EVERYWHERE && frame === null && !whole.checked && !wholeDecided;
    if (widened) {
        whole.checked = true;
        plan = await ask("preview", rollbackRequest());
    }
    const nothing = !plan.strokes && !plan.restores;
    notify(nothing ? gettext("There is nothing to change: no such strokes are in the picture now.") : "");
    overlay.showLines(plan.lines);
    if (nothing) return;
    const words = [gettext("%(strokes)s of %(people)s", { strokes: ngettext("%(n)s stroke", "%(n)s strokes", plan.strokes), people: ngettext("%(n)s person", "%(n)s people", plan.people.length) })];
    if (plan.dreamed) words.push(gettext("%(n)s of them dreamed", { n: plan.dreamed }));
    if (plan.restores) words.push(plan.source ? gettext("the picture comes from frame %(number)s, %(when)s", { number: plan.source.number, when: ago(plan.source.at) }) : gettext("the picture begins blank"));
    const wide = widened ? ` ${gettext("Their ink was nearly everywhere, so the whole area comes back, with everybody else’s strokes on it.")}` : "";
    part("count").textContent = words.join("; ") + "." + wide;
    preview.hidden = false;
    await Promise.all(["before", "after"].map((name) => {
        const image = /** @type {HTMLImageElement} */ (part(name));
        image.src = plan[name];
        return image.decode().catch(() => {}); // how tall it is decides how far the sheet scrolls
    }));
    part("look").hidden = true;
    part("apply").hidden = false;
    part("apply").focus({ preventScroll: true });
    preview.scrollIntoView({ block: "nearest" });
}));

part("apply").addEventListener("click", () => busy(part("apply"), async () => {
    notify(gettext("Putting it in order …"));
    const { act, pending } = await ask("apply", rollbackRequest());
    forget();
    chosen.clear();
    whole.checked = wholeDecided = false; // the next one is judged afresh
    overlay.showLines([]);
    await listPeople();
    notify(`${gettext("Done: %(what)s.", { what: act.what })} `);
    const back = make("button", { type: "button", className: "button button-small" }, gettext("Undo"));
    back.addEventListener("click", () => busy(back, async () => {
        const answer = await ask("undo", { act: act.id });
        notify(answer.pending ? "" : gettext("Taken back."));
        if (answer.pending) message.append(waiting(answer.pending));
        tabs[0].focus({ preventScroll: true });
        await listPeople();
    }));
    message.append(back);
    if (pending) message.append(waiting(pending));
}));
