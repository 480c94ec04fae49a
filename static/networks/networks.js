// @ts-check
/** How far the work on networks is, and how much of an upload has been sent. Without it the page works by reloading. */

import { getJson, getPage, pause, untilGone } from "../poll.js";

const ASK_MS = 1000;
const REST_MS = 5000; // while nothing is under way

/**
 * @typedef {{id: number, kind: string, network: string, state: string, done: number, fraction: number | null,
 *   words: string}} Job
 */

let pictures = 0; // that were dreamed when we last asked
let page = /** @type {HTMLElement} */ (document.querySelector("[data-networks]"));

async function watch() {
    for (let wait = ASK_MS; ; ) {
        await pause(wait);
        wait = REST_MS;
        /** @type {{jobs: Job[], stamp: string} | null} */
        const told = await getJson(page.dataset.networks ?? "");
        if (!told) continue; // the site is away for a moment
        const { jobs, stamp } = told;
        for (const job of jobs) show(job);
        const dreamed = jobs.find(({ kind, network }) => kind === "pictures" && network === page.dataset.network)?.done ?? 0;
        if (stamp !== page.dataset.stamp || dreamed !== pictures) await refresh(stamp !== page.dataset.stamp);
        pictures = dreamed;
        if (jobs.some(({ state }) => state === "waiting" || state === "running")) wait = ASK_MS;
    }
}

/** Takes over pictures that have come, and with `all` what else has changed; leaves alone what somebody is at. @param {boolean} all */
async function refresh(all) {
    const fresh = (await getPage())?.querySelector("[data-networks]");
    if (!(fresh instanceof HTMLElement)) return;
    const here = new Set([...fresh.querySelectorAll(".networks-shelf img[src]")].map((img) => img.getAttribute("src") ?? ""));
    for (const img of page.querySelectorAll("img")) {
        if (!img.dataset.src || !here.has(img.dataset.src)) continue;
        img.src = img.dataset.src;
        delete img.dataset.src;
    }
    if (!all) return;
    page.dataset.stamp = fresh.dataset.stamp;
    for (const part of page.querySelectorAll("[data-live]")) {
        const instead = fresh.querySelector(`[data-live="${part.getAttribute("data-live")}"]`);
        const inHand = part.contains(document.activeElement) || part.querySelector("details[open]") || touched.has(part);
        if (instead && (!inHand || part.getAttribute("data-live") === "jobs")) part.replaceWith(instead);
    }
}

/** Parts of the page that somebody has begun to fill in. @type {WeakSet<Element>} */
const touched = new WeakSet();

/** @param {Job} job */
function show(job) {
    const shown = page.querySelector(`[data-job="${job.id}"]`);
    const bar = shown?.querySelector("progress"), words = shown?.querySelector("[data-words]");
    if (words) words.textContent = job.words;
    if (bar && job.fraction !== null) bar.value = job.fraction;
}

/** Sends the file with a bar. What comes back is the page itself, anew or with what is wrong. @param {SubmitEvent} event */
function send(event) {
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const bar = form.querySelector("progress"), button = form.querySelector("button");
    const broken = /** @type {HTMLElement | null} */ (form.querySelector("[data-broken]"));
    if (!bar || !button || !broken) return;
    event.preventDefault();
    const request = new XMLHttpRequest();
    const busy = (/** @type {boolean} */ on) => {
        button.disabled = on;
        bar.hidden = !on;
    };
    busy(true);
    broken.hidden = true;
    request.upload.addEventListener("progress", ({ loaded, total }) => (bar.value = total ? loaded / total : 0));
    request.addEventListener("load", () => {
        if (request.status === 200) return location.assign(request.responseURL);
        busy(false);
        const answer = new DOMParser().parseFromString(request.responseText, "text/html").querySelector("[data-networks]");
        if (!(answer instanceof HTMLElement)) return void (broken.hidden = false);
        page.replaceWith(answer);
        page = answer;
        begin();
        page.querySelector(".errors")?.scrollIntoView({ block: "center" });
    });
    request.addEventListener("error", () => {
        busy(false);
        broken.hidden = false;
    });
    request.open("POST", form.action);
    request.send(new FormData(form));
}

function begin() {
    page.addEventListener("input", ({ target }) => {
        const part = /** @type {Element} */ (target).closest("[data-live]");
        if (part) touched.add(part);
    });
    page.querySelector("[data-upload]")?.addEventListener("submit", (event) => send(/** @type {SubmitEvent} */ (event)));
}

begin();
watch().catch(untilGone);
