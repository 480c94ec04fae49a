// @ts-check
/** The canvas' page: makes the parts and ties them together. */

import { gettext } from "../i18n.js";
import { Attention } from "./attention.js";
import { Bar } from "./bar.js";
import { nameOf } from "./colour_names.js";
import { Cover } from "./cover.js";
import { Cursor } from "./cursor.js";
import { Dock } from "./dock.js";
import { Drawing } from "./drawing.js";
import { loadFrame } from "./frames.js";
import { Guesses } from "./guesses.js";
import { Guests } from "./guests.js";
import { Hello } from "./hello.js";
import { listen } from "./keys.js";
import { Layers } from "./layers.js";
import { BRIEF, LONG, Notices } from "./notices.js";
import { colourOf } from "./palette.js";
import { Picture } from "./picture.js";
import { Pixels } from "./pixels.js";
import { placeFrom } from "./place.js";
import { Pointer } from "./pointer.js";
import { Reference } from "./reference.js";
import { Regions } from "./regions.js";
import { Screen } from "./screen.js";
import { Session } from "./session.js";
import { tieSharing } from "./sharing.js";
import { Gate } from "./gate.js";
import { Edges } from "./edges.js";
import { Following } from "./following.js";
import { drawn } from "./marks.js";
import { Reactions } from "./reactions.js";
import { Tags } from "./tags.js";
import { eyedropper } from "./tools/eyedropper.js";
import { hand } from "./tools/hand.js";
import { TOOLS } from "./tools/manifest.js";
import { mark } from "./tools/mark.js";
import { undream } from "./tools/undream.js";
import { UndoStack } from "./undo_stack.js";
import { View } from "./view.js";
import { Votes } from "./votes.js";
import { encodeDismiss, encodeFollow, encodeReact, encodeView, encodeWho, STROKE } from "./wire.js";
import * as messages from "./messages.js";

/** @template {HTMLElement} E @param {string} selector @returns {E} */
function find(selector) {
    const element = document.querySelector(selector);
    if (!element) throw new Error(`The page lacks ${selector}.`);
    return /** @type {E} */ (element);
}

const stage = find("#canvas");
const world = find(".world");
const hint = find(".stage-hint");
const invitation = find(".invitation");
const dockBar = find(".dock");
const undoButton = /** @type {HTMLButtonElement} */ (find('[data-does="undo"]'));
const redoButton = /** @type {HTMLButtonElement} */ (find('[data-does="redo"]'));
const welcome = /** @type {HTMLDialogElement} */ (find('[data-dialog="welcome"]'));
const invite = /** @type {HTMLDialogElement} */ (find('[data-dialog="invite"]'));
const coverButton = find('[data-does="cover"]');
const peekButton = find('[data-does="peek"]');

const { dataset } = stage;
const width = Number(dataset.width), height = Number(dataset.height);
const background = colourOf(dataset.background || "#ffffff");
const me = dataset.userId ? { id: Number(dataset.userId), name: dataset.userName ?? "" } : null;

const layers = new Layers(new Picture(width, height, [background.r, background.g, background.b]));
const screen = new Screen(find("canvas.picture"), find("canvas.leaving"), layers);
const view = new View(width, height);
const attention = new Attention(view);
const tags = new Tags(find(".tags"), view);
const edges = new Edges(
    find(".edges"), view,
    () => ({ top: find(".bar").offsetHeight, bottom: dockBar.offsetHeight }),
    (x, y) => changeView(() => view.show({ x, y, zoom: view.scale / view.whole })),
);
const notices = new Notices(find(".notices"));
const hello = new Hello(document.querySelector("[data-hello]"));
const bar = new Bar(document, dataset.staff === "yes", {
    retry: () => session.net.hurry(),
    now: () => session.now(),
    back: (text) => notices.show(text, BRIEF), // a live region too: announced and shown at once
});
const dock = new Dock(document, (text) => bar.announce(text));
const regions = new Regions(find(".regions"), view, () => session.now());
const gate = new Gate({
    closed: find('[data-gate="closed"]'),
    dock: dockBar,
    meter: find('[data-gate="meter"]'),
    sheet: /** @type {HTMLDialogElement} */ (find('[data-dialog="sanction"]')),
    regions,
    degrees: JSON.parse(dataset.degrees ?? "{}"),
    now: () => session.now(),
    signedIn: () => session.me !== null,
    notify: (text) => notices.show(text),
    changed: () => cursor.show(),
});
const token = /** @type {HTMLInputElement | null} */ (document.querySelector('[name="csrfmiddlewaretoken"]'))?.value ?? "";
const guesses = new Guesses(find(".guesses"), view, {
    url: dataset.guess ?? "",
    token,
    now: () => session.now(),
    signedIn: () => session.me !== null,
    announce: (text) => bar.announce(text),
    notify: (text) => notices.show(text),
});
const guessSwitch = /** @type {HTMLInputElement} */ (find('[data-preference="guesses"]'));
guessSwitch.checked = guesses.wanted;
guessSwitch.addEventListener("change", () => {
    guesses.wanted = guessSwitch.checked;
});
const reactions = new Reactions(find(".reactions"), view, find("#mark-sheet"), {
    send: (x, y, kind) => session.net.send(encodeReact(x, y, kind)),
    announce: (text) => bar.announce(text),
    notify: (text) => notices.show(text),
    chosen: () => dock.picture(mark, drawn(reactions.mark)),
});
const marksSwitch = /** @type {HTMLInputElement} */ (find('[data-preference="marks"]'));
marksSwitch.checked = reactions.wanted;
marksSwitch.addEventListener("change", () => {
    reactions.wanted = marksSwitch.checked;
});
const following = new Following(document, view, {
    me: () => session.me?.id ?? null,
    who: () => session.net.send(encodeWho()),
    follow: (who) => session.net.send(encodeFollow(who)),
    look: (x, y, wide, high) => session.net.send(encodeView(x, y, wide, high)),
    dismiss: () => session.net.send(encodeDismiss()),
    announce: (text) => bar.announce(text),
    notify: (text) => notices.show(text),
});

/** What people do beside drawing. @param {Record<string, any>} news */
function together(news) {
    switch (news.type) {
        case "reaction":
            return reactions.show(/** @type {import("./reactions.js").Reaction} */ (news), news.by === session.me?.id);
        case "here":
            return following.showHere(news.people);
        case "following":
            return following.heard(news.who, news.why);
        case "followers":
            return following.setFollowers(news.followers);
        case "view":
            return following.look(/** @type {import("./following.js").Looked} */ (news));
    }
}
const votes = new Votes(/** @type {HTMLDialogElement} */ (find('[data-dialog="styles"]')), {
    url: dataset.votes ?? "",
    token,
    join: async () => session.me !== null || guests.joined(),
});
const cover = new Cover(find(".cover"), regions, {
    url: dataset.coverUrl ?? "",
    token,
    width, height,
    notify: (text) => notices.show(text),
});

// --- The journal -------------------------------------------------------------------------------------------------

/** @type {import("./bases.js").Load} */
async function load({ id, url, preview }, exact) {
    if (id) return exact || !preview ? loadFrame(url, width, height) : loadFrame(preview.url, width, height, preview.width);
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
    exact: (frame) => attention.exact(frame),
    awake: () => attention.awake(),
    storageKey: `dreamsite:ink:${dataset.slug}`,
    ui: {
        connection: (connection) => {
            if (connection.state === "live" && stage.dataset.connection !== "live") following.live();
            else if (connection.state !== "live") following.setFollowers([]);
            stage.dataset.connection = connection.state;
            bar.showConnection(connection, gate.closed);
            showHint();
        },
        you: (you) => {
            showWays();
            if (you) dock.use(dock.tool);
        },
        people: (count, drawing) => {
            const names = drawing.filter((id) => id !== session.me?.id).map((id) => session.names.get(id)).filter((name) => name);
            bar.showPeople(count, /** @type {string[]} */ (names));
        },
        dream: (dream) => {
            bar.showDream(dream);
            if (dream.guess) guesses.show(dream.guess);
            votes.show(dream.coming ?? null);
            showHint();
        },
        frame: (frame, install, first) => {
            screen.change(install, first || frame.kind !== "dream" ? null : frame.seq);
            peekButton.hidden = screen.arrival.before === null;
            stage.classList.add("ready");
            bar.showFrame(frame, first);
            bringBack();
            showHint();
        },
        trouble: (message) => bar.showTrouble(message),
        rules: (rules) => {
            gate.setRules(rules);
            bar.showClosed(gate.closed);
            if (rules.closed && "daily" in dataset) dayOver ??= setTimeout(() => reload(gettext("The day is over.")), Math.random() * 20_000);
            dock.offer(mark, rules.reactions !== false);
            showWays();
        },
        status: (status) => {
            gate.setStatus(status);
            coverButton.hidden = !status?.trusted;
        },
        ink: (ink) => gate.setInk(ink),
        together,
        cover: (request) => cover.show(request),
        loss: (loss) => notices.show(messages.loss(loss, gate.closed)),
        refused: (id) => drawing.refuse(id),
        applied: (op) => {
            hint.hidden = true;
            if (op.kind !== STROKE || op.author === session.me?.id) return;
            const name = session.names.get(op.author);
            const { points } = op;
            const x = points[points.length - 3] / 8, y = points[points.length - 2] / 8;
            if (name) tags.show(op.author, name, x, y);
            if (session.live) edges.show(op.author, name ?? gettext("Somebody"), x, y);
        },
        changed: () => {
            undoButton.disabled = !undoStack.canUndo;
            redoButton.disabled = !undoStack.canRedo;
        },
        reload,
    },
});

const undoStack = new UndoStack(session.ink);

/** What to do with a canvas that nobody has touched; gone with the first ink, whoever's it is. */
function showHint() {
    const { connection, seq, me, dream, bases } = session;
    hint.hidden = !(connection.state === "live" && bases.base?.id === 0 && seq === 0 && connection.waiting === 0 && drawing.strokes.size === 0);
    const text = messages.untouched(me !== null || guestsWelcome(), dream?.state ?? "", gate.closed);
    if (hint.textContent !== text) hint.textContent = text;
}

// Dark on a light canvas, light on a dark one.
stage.classList.toggle("dark", 0.3 * background.r + 0.59 * background.g + 0.11 * background.b < 128);

/** A fresh page, but never one after another. @param {string} reason */
function reload(reason) {
    session.ink.store();
    session.net.stop();
    const last = Number(storage?.getItem("dreamsite:reloaded") ?? 0);
    if (!storage || Math.abs(Date.now() - last) < 20_000) {
        bar.showTrouble(gettext("%(reason)s Please reload the page in a moment.", { reason }));
        return;
    }
    storage.setItem("dreamsite:reloaded", String(Date.now()));
    location.reload();
}

/** Set when the day of a daily canvas has ended: the page then shows the next. @type {ReturnType<typeof setTimeout> | undefined} */
let dayOver = undefined;

// --- Guests ------------------------------------------------------------------------------------------------------------

/** Whether somebody without an account may draw here. */
const guestsWelcome = () => Boolean(dataset.guest) && !gate.rules.members_only;

/** What leads to drawing: the tools, or the ways to an account. */
function showWays() {
    const may = session.me !== null || guestsWelcome();
    invitation.hidden = may;
    dockBar.hidden = !may;
}

const guests = new Guests(dataset.guest ?? "", {
    token,
    welcome: guestsWelcome,
    became: (reply) => {
        guesses.page.token = cover.page.token = votes.page.token = reply.token;
        session.renew();
        notices.show(messages.guest(reply.name), LONG, document.querySelector("a[data-guest-only][href*=keep]"));
    },
    failed: (problem) => {
        session.ink.store();
        notices.show(problem instanceof TypeError ? gettext("The server cannot be reached. Your stroke waits here.") : problem.message);
        if (!(problem instanceof TypeError)) invite.showModal();
    },
});

// --- Drawing -----------------------------------------------------------------------------------------------------

const drawing = new Drawing({
    session, layers, view, dock, undoStack,
    closed: (x, y) => gate.refuses(x, y),
    join: () => guests.join(),
    invite: () => invite.showModal(),
    begun: () => {
        hint.hidden = true;
        hello.leave();
        attention.draws();
        session.bases.sharpen();
    },
});
session.ink.beforeTick = () => {
    const goesOn = drawing.cut();
    document.body.classList.toggle("drawing", pointer.drawing);
    return goesOn;
};

/** What tools work on. @type {import("./tools/types.js").Workspace} */
const workspace = {
    draw(event, undecided, ink) {
        if (following.leader) {
            notices.show(gettext("You follow somebody. Stop following to draw."));
            return { move: () => {}, end: () => {}, cancel: () => {} }; // not null, which would move the view, and end it
        }
        if (!cover.choosing) return drawing.begin(event, undecided, ink);
        const x = view.canvasX(event.clientX), y = view.canvasY(event.clientY);
        return { move: () => {}, end: () => cover.chosen(x, y), cancel: () => {} };
    },
    get ink() {
        return dock.rainbow ? null : dock.colour;
    },
    get before() {
        return { r: 0, g: 0, b: 0, frame: session.bases.base?.before ?? 0 };
    },
    paper: background,
    erase: ({ clientX, clientY }) => {
        const strokes = session.ink.near(view.canvasX(clientX), view.canvasY(clientY), dock.size / 4);
        if (strokes.length) undoStack.erase(strokes);
        return strokes.length;
    },
    nothingToErase: () => notices.show(gettext("The eraser takes off strokes of yours that no dream has taken in yet.")),
    mark: (x, y) => {
        if (session.me) return reactions.drop(view.canvasX(x), view.canvasY(y));
        if (!guests.join()) invite.showModal();
    },
    pan: (dx, dy) => (reference.moving ? reference.shift(dx, dy) : changeView(() => view.pan(dx, dy))),
    magnify: (x, y) => cursor.magnify(x, y),
    putLoupeAway: () => cursor.putAway(),
    chooseColour: (hex) => {
        dock.choose(hex);
        bar.announce(gettext("Colour %(colour)s.", { colour: nameOf(hex) }));
    },
};

const reference = new Reference(find(".reference"), find("canvas.reference-picture"), view, (text) => notices.show(text));
const currentTool = () => (pointer.space || reference.moving ? hand : dock.tool);

function undo() {
    pointer.finish();
    if (!undoStack.undo() && session.me) notices.show(gettext("Nothing to undo: your last stroke is already part of a dream."));
}

function redo() {
    pointer.finish();
    if (gate.closed === null) undoStack.redo();
}

function closeMenus() {
    for (const menu of document.querySelectorAll("details[data-menu]")) menu.removeAttribute("open");
}

function help() {
    closeMenus();
    welcome.showModal();
}

// --- The view ----------------------------------------------------------------------------------------------------

const cursor = new Cursor(stage, find(".cursor"), find(".loupe"), view, layers, () => ({
    tool: currentTool(),
    size: dock.size,
    mayDraw: (session.me !== null || guestsWelcome()) && (cover.choosing || gate.closed === null),
}));
dock.changed = () => {
    cursor.show();
    bringBack();
};

/** Has the picture that the undream brush brings back at hand while that is the tool. */
function bringBack() {
    if (dock.tool === undream) session.bases.earlier.get(workspace.before.frame ?? 0);
}

view.changed = () => {
    world.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    world.classList.toggle("near", view.scale * devicePixelRatio >= 3);
    tags.layOut();
    reactions.layOut();
    following.moved();
    edges.layOut();
    regions.layOut();
    guesses.layOut();
    cursor.show();
    session.bases.sharpen();
};
attention.left = () => session.sleep();

/** @param {(view: View) => void} change */
function changeView(change) {
    if (pointer.drawing) pointer.finish(); // the canvas moves away from under the pen
    following.stop();
    change(view);
}

const pointer = new Pointer(stage, {
    tool: currentTool,
    hand,
    eyedropper,
    begin: (tool, event, undecided) => (tool.inks && !stage.classList.contains("ready") ? null : tool.begin(workspace, event, undecided)),
    pan: workspace.pan,
    zoom: (factor, x, y) => changeView(() => view.zoom(factor, x, y)),
    undo,
    hover: (event) => cursor.hover(event),
});

listen({
    undo,
    redo,
    zoom: (factor) => changeView(() => view.zoom(factor)),
    fit: () => changeView(() => view.fit()),
    pan: (dx, dy) => changeView(() => view.pan(dx, dy)),
    space: (held) => {
        pointer.space = held;
        cursor.show();
    },
    take: (tool) => !dockBar.hidden && dock.take(tool),
    size: (factor) => dock.setSize(factor > 1 ? Math.max(dock.size + 1, dock.size * factor) : Math.min(dock.size - 1, dock.size * factor)),
    opacity: (step) => dock.setOpacity(dock.opacity + step),
    swatch: (number) => dock.chooseNumber(number),
    shuffle: () => dock.shuffle(),
    help,
    hide: () => {
        if (document.body.classList.toggle("bare")) bar.announce(gettext("The controls are hidden. F brings them back."));
    },
    peek,
    answer: () => guesses.focus(),
    escape: () => {
        if (dock.close()) return;
        if (cover.choosing || cover.request) return cover.close();
        document.body.classList.remove("bare");
        dock.use(TOOLS[0]);
    },
});

/** @type {Record<string, () => void>} */
const buttons = {
    undo,
    redo,
    help,
    styles: () => {
        closeMenus();
        void votes.open();
    },
    reference: () => {
        closeMenus();
        reference.choose();
    },
    cover: () => {
        closeMenus();
        dock.use(TOOLS[0]);
        cover.choose();
    },
    "zoom-in": () => changeView(() => view.zoom(1.5)),
    "zoom-out": () => changeView(() => view.zoom(1 / 1.5)),
    fit: () => changeView(() => view.fit()),
};
for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-does]"))) {
    button.addEventListener("click", () => buttons[button.dataset.does ?? ""]?.());
}

tieSharing(view, {
    title: dataset.title ?? document.title,
    now: () => session.now(),
    pressed: closeMenus,
    notify: (text) => notices.show(text),
});

// What the dream was made of, for as long as it is held.
/** @param {boolean} held */
function peek(held) {
    screen.arrival.peek(held);
    peekButton.setAttribute("aria-pressed", String(screen.arrival.peeking));
}
peekButton.addEventListener("pointerdown", (event) => {
    peekButton.setPointerCapture(event.pointerId);
    peek(true);
});
for (const type of ["pointerup", "pointercancel", "blur"]) peekButton.addEventListener(type, () => peek(false));
peekButton.addEventListener("keydown", (event) => [" ", "Enter"].includes(event.key) && peek(true));
peekButton.addEventListener("keyup", () => peek(false));

// --- The window --------------------------------------------------------------------------------------------------

new ResizeObserver(() => view.resize(stage.clientWidth, stage.clientHeight)).observe(stage);
view.windowWidth = stage.clientWidth;
view.windowHeight = stage.clientHeight;
view.centre(view.full);
function goToPlace() {
    const place = placeFrom(location.hash);
    if (place) changeView(() => view.show(place));
}
goToPlace();
addEventListener("hashchange", goToPlace);

addEventListener("online", () => document.hidden || session.net.hurry());
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

hello.greet();

session.start();
