// @ts-check
/** How far the work on networks is, and how much of an upload has been sent. Without it the page works by reloading. */

const ASK_MS = 1000;
const REST_MS = 5000; // while nothing is under way

/**
 * @typedef {{id: number, kind: string, network: string, state: string, done: number, fraction: number | null,
 *   words: string}} Job
 */

let page = /** @type {HTMLElement} */ (document.querySelector("[data-networks]"));
let changed = false; // somebody has begun to fill something in
let sending = false;

async function ask() {
    let wait = REST_MS;
    try {
        const answer = await fetch(page.dataset.networks ?? "", { cache: "no-store" });
        if (answer.ok && answer.headers.get("Content-Type")?.startsWith("application/json")) {
            /** @type {{jobs: Job[], stamp: string}} */
            const { jobs, stamp } = await answer.json();
            if (stamp !== page.dataset.stamp && !changed && !sending) return location.reload();
            for (const job of jobs) show(job);
            if (jobs.some(({ state }) => state === "waiting" || state === "running")) wait = ASK_MS;
        }
    } catch {
        // The site is away for a moment; the next question may find it.
    }
    setTimeout(ask, wait);
}

/** @param {Job} job */
function show(job) {
    const shown = page.querySelector(`[data-job="${job.id}"]`);
    const bar = shown?.querySelector("progress"), words = shown?.querySelector("[data-words]");
    if (words) words.textContent = job.words;
    if (bar && job.fraction !== null) bar.value = job.fraction;
    // Pictures come in the order in which they stand here.
    if (job.kind === "pictures" && job.network === page.dataset.network) {
        [...page.querySelectorAll(".networks-shelf img")].slice(0, job.done).forEach((img) => reveal(/** @type {HTMLImageElement} */ (img)));
    }
}

/** @param {HTMLImageElement} img */
function reveal(img) {
    if (!img.dataset.src) return;
    img.src = img.dataset.src;
    delete img.dataset.src;
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
        sending = button.disabled = on;
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
    page.addEventListener("input", () => (changed = true));
    page.querySelector("[data-upload]")?.addEventListener("submit", (event) => send(/** @type {SubmitEvent} */ (event)));
}

begin();
setTimeout(ask, ASK_MS);
