// @ts-check
/**
 * A canvas to look at, live and without controls: on a wall (the stage), or in a frame on another site (the embed). It comes
 * back by itself whatever happens, for as long as the page is open.
 */

import { loadFrame } from "./frames.js";
import { Layers } from "./layers.js";
import { colourOf } from "./palette.js";
import { Picture } from "./picture.js";
import { Pixels } from "./pixels.js";
import { Screen } from "./screen.js";
import { Session } from "./session.js";

const ASLEEP = 5 * 60_000; // ms out of sight, until an embedded canvas needs no connection
const AGAIN = 30_000; // ms between two looks whether the page can be had again
const LOST = 15_000; // ms without a connection until that is said
const LARGER = 1.25; // a small copy may be shown so much larger than it is

/** @template {HTMLElement} E @param {string} selector @returns {E} */
function find(selector) {
    const element = document.querySelector(selector);
    if (!element) throw new Error(`The page lacks ${selector}.`);
    return /** @type {E} */ (element);
}

const stage = find("#canvas");
const lost = find("[data-lost]");
const { dataset } = stage;
const width = Number(dataset.width), height = Number(dataset.height);
const background = colourOf(dataset.background || "#ffffff");
const onAWall = "stage" in dataset;

const layers = new Layers(new Picture(width, height, [background.r, background.g, background.b]));
const screen = new Screen(find("canvas.picture"), find("canvas.leaving"), layers);

/** @type {ReturnType<typeof setTimeout> | undefined} */
let telling = undefined;
let leaving = false;

/** A fresh page, once there is one: an error of the browser's would stay on the wall for good. */
async function renew() {
    if (leaving) return;
    leaving = true;
    for (;;) {
        await new Promise((done) => setTimeout(done, AGAIN * (0.5 + Math.random())));
        try {
            if ((await fetch(location.href, { method: "HEAD", cache: "no-store" })).ok) return location.reload();
        } catch {
            // The server is away; it comes back.
        }
    }
}

const session = new Session({
    url: new URL(dataset.socket ?? "", location.href.replace(/^http/, "ws")).href,
    layers,
    async load({ id, url, preview }, exact) {
        if (id) return exact || !preview ? loadFrame(url, width, height) : loadFrame(preview.url, width, height, preview.width);
        const blank = new Pixels(width, height);
        blank.fill(blank.bounds, background.r, background.g, background.b);
        return blank;
    },
    exact: ({ preview }) => !preview || Math.min(stage.clientWidth, (stage.clientHeight * width) / height) * devicePixelRatio > LARGER * preview.width,
    awake: () => (document.hidden && !onAWall ? new Promise((done) => document.addEventListener("visibilitychange", () => done(), { once: true })) : Promise.resolve()),
    ui: {
        connection: ({ state }) => {
            stage.dataset.connection = state;
            if (state === "over") renew();
            if (state !== "live") telling ??= setTimeout(() => (lost.hidden = false), LOST); // it tries again and again meanwhile
            else {
                clearTimeout(telling);
                telling = undefined;
                lost.hidden = true;
            }
        },
        frame: (frame, install, first) => {
            screen.change(install, first || frame.kind !== "dream" ? null : frame.seq);
            stage.classList.add("ready");
        },
        rules: ({ closed }) => {
            if (closed && "daily" in dataset) renew(); // the day is over: the page shows the next one
        },
        reload: () => renew(),
        you: () => {}, people: () => {}, dream: () => {}, trouble: () => {}, status: () => {}, ink: () => {}, cover: () => {}, together: () => {},
        loss: () => {}, refused: () => {}, applied: () => {}, changed: () => {},
    },
});

if (dataset.socket) session.start();
addEventListener("online", () => session.net.hurry());

/** @type {ReturnType<typeof setTimeout> | undefined} */
let sleeping = undefined;
document.addEventListener("visibilitychange", () => {
    clearTimeout(sleeping);
    if (!document.hidden) {
        session.net.hurry();
        if (onAWall) stayAwake();
    } else if (!onAWall) sleeping = setTimeout(() => session.sleep(), ASLEEP);
});

/** Keeps the display from going dark, where the browser can; it gives the lock back whenever the page is hidden. */
async function stayAwake() {
    try {
        await navigator.wakeLock?.request("screen");
    } catch {
        // Little battery, or no permission: then the display does what it does.
    }
}

if (onAWall) {
    stayAwake();
    stage.addEventListener("click", async () => {
        try {
            await (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
        } catch {
            // Not every browser can, and the window is full anyway.
        }
    });
}
