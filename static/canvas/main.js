// @ts-check
/** The canvas' page: makes the parts and ties them together. */

import { Bar } from "./bar.js";
import { loadFrame } from "./frames.js";
import { listen } from "./keys.js";
import { Layers } from "./layers.js";
import { Nib } from "./nib.js";
import { BRIEF, Notices } from "./notices.js";
import { colourAt, colourOf, hexOf } from "./palette.js";
import { Picture } from "./picture.js";
import { Pixels } from "./pixels.js";
import { Pointer } from "./pointer.js";
import { Screen } from "./screen.js";
import { Session } from "./session.js";
import { OwnStroke } from "./strokes.js";
import { Tags } from "./tags.js";
import { Tools } from "./tools.js";
import { View } from "./view.js";
import { STROKE } from "./wire.js";
import * as words from "./words.js";

/** @template {HTMLElement} E @param {string} selector @returns {E} */
function find(selector) {
    const element = document.querySelector(selector);
    if (!element) throw new Error(`The page lacks ${selector}.`);
    return /** @type {E} */ (element);
}

const stage = find("#canvas");
const world = find(".world");
const cursor = find(".cursor");
const loupe = find(".loupe");
const hint = find(".stage-hint");
const invitation = find(".invitation");
const dock = find(".dock");
const undoButton = /** @type {HTMLButtonElement} */ (find('[data-does="undo"]'));
const welcome = /** @type {HTMLDialogElement} */ (find('[data-dialog="welcome"]'));
const invite = /** @type {HTMLDialogElement} */ (find('[data-dialog="invite"]'));

const { dataset } = stage;
const width = Number(dataset.width), height = Number(dataset.height);
const background = colourOf(dataset.background || "#ffffff");
const me = dataset.userId ? { id: Number(dataset.userId), name: dataset.userName ?? "" } : null;

const layers = new Layers(new Picture(width, height, [background.r, background.g, background.b]));
const screen = new Screen(find("canvas.picture"), find("canvas.leaving"), layers);
const view = new View(width, height);
const tags = new Tags(find(".tags"), view);
const notices = new Notices(find(".notices"));
const bar = new Bar(document, dataset.staff === "yes", {
    retry: () => session.net.hurry(),
    now: () => session.now(),
    back: (text) => notices.show(text, BRIEF), // a live region too: said and shown at once
});
const tools = new Tools(document, (text) => bar.say(text));

// --- The journal -------------------------------------------------------------------------------------------------

/** @param {{id: number, url: string}} frame */
async function load({ id, url }) {
    if (id) return loadFrame(url, width, height);
    const blank = new Pixels(width, height);
    blank.fill(blank.bounds, background.r, background.g, background.b);
    return blank;
}

/** @type {Storage | null} */
let storage = null;
try {
    storage = sessionStorage;
} catch {
    // Forbidden by the browser: ink does not outlive the page then.
}

const session = new Session({
    url: new URL(dataset.socket ?? "", location.href.replace(/^http/, "ws")).href,
    layers, load, me, storage,
    storageKey: `dreamsite:ink:${dataset.slug}`,
    pictureUrl: (id) => (dataset.picture ?? "").replace("/0/", `/${id}/`),
    ui: {
        connection: (connection) => {
            stage.dataset.connection = connection.state;
            bar.showConnection(connection);
            showHint();
        },
        you: (you) => {
            invitation.hidden = you !== null;
            dock.hidden = you === null;
            if (you) tools.use(tools.tool);
        },
        people: (count, drawing) => {
            const names = drawing.filter((id) => id !== session.me?.id).map((id) => session.names.get(id)).filter((name) => name);
            bar.showPeople(count, /** @type {string[]} */ (names));
        },
        dream: (dream) => {
            bar.showDream(dream);
            showHint();
        },
        frame: (frame, install, first) => {
            screen.change(install, !first);
            stage.classList.add("ready");
            bar.showFrame(frame, first);
            showHint();
        },
        trouble: (message) => bar.showTrouble(message),
        loss: (loss) => notices.show(words.loss(loss)),
        refused: (id) => {
            for (const stroke of strokes) if (stroke.id === id) stroke.refuse();
        },
        applied: (op) => {
            hint.hidden = true;
            if (op.kind !== STROKE || op.author === session.me?.id) return;
            const name = session.names.get(op.author);
            const { points } = op;
            if (name) tags.show(op.author, name, points[points.length - 3] / 8, points[points.length - 2] / 8);
        },
        changed: () => {
            undoButton.disabled = session.ink.undoable() === null;
        },
        reload,
    },
});

/** What to do with a canvas that nobody has touched; gone with the first ink, whoever's it is. */
function showHint() {
    const { connection, seq, me, dream, bases } = session;
    hint.hidden = !(connection.state === "live" && bases.base?.id === 0 && seq === 0 && connection.waiting === 0 && strokes.size === 0);
    const text = words.untouched(me !== null, dream?.state ?? "");
    if (hint.textContent !== text) hint.textContent = text;
}

// Dark on a light canvas, light on a dark one.
stage.classList.toggle("dark", 0.3 * background.r + 0.59 * background.g + 0.11 * background.b < 128);

/** A fresh page, but never one after another. @param {string} reason */
function reload(reason) {
    session.ink.store();
    session.net.stop();
    const last = Number(storage?.getItem("dreamsite:reloaded") ?? 0);
    if (!storage || Date.now() - last < 20_000) {
        bar.showTrouble(`${reason} Please reload the page in a moment.`);
        return;
    }
    storage.setItem("dreamsite:reloaded", String(Date.now()));
    location.reload();
}

// --- Drawing -----------------------------------------------------------------------------------------------------

/** @type {Set<OwnStroke>} */
const strokes = new Set();
session.ink.beforeTick = () => {
    for (const stroke of strokes) {
        if (stroke.done) strokes.delete(stroke);
        else stroke.cut();
    }
    document.body.classList.toggle("drawing", pointer.drawing);
    return strokes.size > 0;
};

const journal = {
    author: () => session.ink.author(),
    newStroke: () => session.ink.newStroke(),
    put: (/** @type {import("./layers.js").Wet} */ wet) => session.ink.put(wet),
    undo: (/** @type {number} */ stroke) => session.ink.undo(stroke),
};

let invited = false;

/** Whoever wants to draw without an account is told how; afterwards their pointer moves the view. */
function inviteOnce() {
    invited = true;
    invite.showModal();
}

/** @param {PointerEvent} event @param {boolean} held @returns {import("./pointer.js").Drawing | null} */
function draw(event, held) {
    if (!stage.classList.contains("ready")) return null;
    if (!session.me) {
        if (invited) return null;
        return { move: () => {}, end: inviteOnce, cancel: () => {}, release: () => {} };
    }
    const nib = new Nib(tools.size, tools.dynamic, event.pointerType);
    const { rainbow } = tools;
    let x = view.canvasX(event.clientX), y = view.canvasY(event.clientY);
    const colour = rainbow ? colourAt(layers.shown, x, y, 2) : tools.colour;
    const stroke = new OwnStroke(layers, journal, colour, Math.max(1, Math.round(255 * tools.opacity)), x, y, nib.begin(event));
    stroke.held = held;
    strokes.add(stroke);
    hint.hidden = true;
    session.ink.wake();
    return {
        move: (moved) => {
            const all = moved.getCoalescedEvents?.() ?? [];
            for (const each of all.length ? all : [moved]) {
                const toX = view.canvasX(each.clientX), toY = view.canvasY(each.clientY);
                const w = nib.move(each, view.scale);
                if (rainbow) wellUp(stroke, x, y, toX, toY, w);
                stroke.to(toX, toY, w);
                x = toX;
                y = toY;
            }
        },
        end: () => {
            stroke.end();
            session.ink.flush();
            session.ink.wake();
        },
        cancel: () => stroke.cancel(),
        release: () => stroke.release(),
    };
}

/**
 * The rainbow well: the next piece takes half of the colour that lies just ahead of the brush.
 * @param {OwnStroke} stroke @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1 @param {number} w
 */
function wellUp(stroke, x0, y0, x1, y1, w) {
    const length = Math.hypot(x1 - x0, y1 - y0);
    if (length < 0.5) return;
    const ahead = w / 2 + 2;
    const met = colourAt(layers.shown, x1 + ((x1 - x0) / length) * ahead, y1 + ((y1 - y0) / length) * ahead, 2);
    const { r, g, b } = stroke.colour;
    stroke.colour = { r: (r + met.r) >> 1, g: (g + met.g) >> 1, b: (b + met.b) >> 1 };
}

function undo() {
    pointer.finish();
    const stroke = session.ink.undoable();
    if (stroke !== null) session.ink.undo(stroke);
    else if (session.me) notices.show("There is nothing of yours to take back: what has been dreamed stays.");
}

function help() {
    for (const menu of document.querySelectorAll("details[data-menu]")) menu.removeAttribute("open");
    welcome.showModal();
}

// --- The view ----------------------------------------------------------------------------------------------------

/** @type {PointerEvent | null} */
let hovering = null;

view.changed = () => {
    world.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    world.classList.toggle("near", view.scale * devicePixelRatio >= 3);
    tags.place();
    showCursor();
};

/** @param {(view: View) => void} change */
function changeView(change) {
    if (pointer.drawing) pointer.finish(); // the canvas moves away from under the pen
    change(view);
}

function showCursor() {
    const tool = pointer.space ? "hand" : tools.tool;
    const brush = session.me !== null && tool === "draw";
    stage.dataset.cursor = tool === "pick" ? "pick" : brush ? "brush" : "grab";
    cursor.hidden = !(brush && hovering);
    if (hovering && tool === "pick") showLoupe(hovering.clientX, hovering.clientY);
    else if (hoverLoupe) hideLoupe();
    hoverLoupe = hovering !== null && tool === "pick";
    if (!hovering || !brush) return;
    const size = Math.max(4, tools.size * view.scale);
    cursor.style.width = cursor.style.height = `${size}px`;
    cursor.style.transform = `translate(${hovering.clientX - size / 2}px, ${hovering.clientY - size / 2}px)`;
}

let hoverLoupe = false; // the loupe is there for the eyedropper that hovers, not for a press

/** @param {number} x @param {number} y of the window @returns {string} the colour there, #rrggbb */
function showLoupe(x, y) {
    const hex = hexOf(colourAt(layers.shown, view.canvasX(x), view.canvasY(y)));
    loupe.hidden = false;
    loupe.style.setProperty("--swatch", hex);
    loupe.style.transform = `translate(${x}px, ${y}px)`;
    return hex;
}

function hideLoupe() {
    loupe.hidden = true;
}

tools.changed = showCursor;

const pointer = new Pointer(stage, {
    tool: () => (pointer.space ? "hand" : tools.tool),
    draw,
    pan: (dx, dy) => changeView(() => view.pan(dx, dy)),
    zoom: (factor, x, y) => changeView(() => view.zoom(factor, x, y)),
    pick: (x, y, done) => {
        const hex = showLoupe(x, y);
        if (done) hideLoupe();
        if (done && session.me) {
            tools.choose(hex);
            bar.say(`Colour ${hex}.`);
        }
    },
    unpick: hideLoupe,
    undo,
    hover: (event) => {
        hovering = event;
        showCursor();
    },
});

listen({
    undo,
    zoom: (factor) => changeView(() => view.zoom(factor)),
    fit: () => changeView(() => view.fit()),
    pan: (dx, dy) => changeView(() => view.pan(dx, dy)),
    space: (held) => {
        pointer.space = held;
        showCursor();
    },
    brush: () => session.me && tools.takeBrush(),
    use: (tool) => session.me && tools.use(tool),
    size: (factor) => tools.setSize(factor > 1 ? Math.max(tools.size + 1, tools.size * factor) : Math.min(tools.size - 1, tools.size * factor)),
    opacity: (step) => tools.setOpacity(tools.opacity + step),
    swatch: (place) => tools.chooseAt(place),
    shuffle: () => tools.shuffle(),
    help,
    hide: () => {
        if (document.body.classList.toggle("bare")) bar.say("The controls are hidden. F brings them back.");
    },
    escape: () => {
        if (tools.close()) return;
        document.body.classList.remove("bare");
        tools.use("draw");
    },
});

/** @type {Record<string, () => void>} */
const buttons = {
    undo,
    help,
    "zoom-in": () => changeView(() => view.zoom(1.5)),
    "zoom-out": () => changeView(() => view.zoom(1 / 1.5)),
    fit: () => changeView(() => view.fit()),
};
for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-does]"))) {
    button.addEventListener("click", () => buttons[button.dataset.does ?? ""]?.());
}

// --- The window --------------------------------------------------------------------------------------------------

new ResizeObserver(() => view.resize(stage.clientWidth, stage.clientHeight)).observe(stage);
view.windowWidth = stage.clientWidth;
view.windowHeight = stage.clientHeight;
view.centre(view.full);

addEventListener("online", () => session.net.hurry());
addEventListener("offline", () => session.net.drop());
addEventListener("pageshow", () => session.net.hurry());
addEventListener("pagehide", () => {
    pointer.finish();
    session.ink.flush();
    session.ink.store();
});
document.addEventListener("visibilitychange", () => {
    if (!document.hidden) return session.net.hurry();
    pointer.finish();
    session.ink.store();
});

const WELCOMED = "dreamsite:welcomed";
try {
    // A message comes first: it would lie behind the welcome, and leave before anybody has read it.
    if (!localStorage.getItem(WELCOMED) && !document.querySelector(".message")) welcome.showModal();
    welcome.addEventListener("close", () => localStorage.setItem(WELCOMED, "yes"));
} catch {
    // Storage is forbidden: then the welcome is only on request.
}

session.start();
