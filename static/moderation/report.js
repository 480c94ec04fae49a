// @ts-check
/**
 * Reporting a spot of the canvas. First one points at it: by the menu or R a circle to move and to size, by a long press
 * of a finger where it does not draw, the spot itself. Then the form, which the server makes, in a dialog.
 */

const LEAST = 16, MOST = 512; // canvas px; canvas/moderation/cases/services.py
const SHOWN = 56; // CSS px the circle's radius has at first
const LONG_PRESS = 600; // ms
const STILL = 8; // CSS px it may shake meanwhile
const STEP = 8; // CSS px an arrow key moves the circle, and with Shift the large one
const STEP_LARGE = 48;

/** @template {HTMLElement} E @param {string} name @returns {E} */
function part(name) {
    const element = document.querySelector(`[data-report="${name}"]`);
    if (!element) throw new Error(`The page lacks the report's ${name}.`);
    return /** @type {E} */ (element);
}

const stage = /** @type {HTMLElement} */ (document.querySelector("#canvas"));
const world = /** @type {HTMLElement} */ (document.querySelector(".world"));
const picker = /** @type {HTMLDialogElement} */ (part("picker"));
const dialog = /** @type {HTMLDialogElement} */ (part("dialog"));
const area = part("area"), ring = part("ring"), menu = part("menu"), position = part("position");

const width = Number(stage.dataset.width), height = Number(stage.dataset.height);

/** Where the canvas lies in the window. */
function view() {
    const matrix = new DOMMatrix(getComputedStyle(world).transform);
    const { left, top } = stage.getBoundingClientRect();
    return { x: matrix.e + left, y: matrix.f + top, scale: matrix.a };
}

/** @param {number} value @param {number} low @param {number} high */
const within = (value, low, high) => Math.min(Math.max(value, low), high);

// --- The circle, in canvas px ------------------------------------------------------------------------------------

const spot = { x: 0, y: 0, r: 64 };

/** @param {number} clientX @param {number} clientY of the window */
function moveTo(clientX, clientY) {
    const { x, y, scale } = view();
    spot.x = Math.round(within((clientX - x) / scale, 0, width - 1));
    spot.y = Math.round(within((clientY - y) / scale, 0, height - 1));
    show();
}

/** @param {number} factor */
function resize(factor) {
    spot.r = Math.round(within(spot.r * factor, LEAST, MOST));
    show();
}

function show() {
    const { x, y, scale } = view();
    const radius = spot.r * scale;
    ring.style.width = ring.style.height = `${2 * radius}px`;
    ring.style.transform = `translate(${x + spot.x * scale - radius}px, ${y + spot.y * scale - radius}px)`;
}

function pick() {
    if (document.querySelector("dialog[open]")) return;
    for (const open of document.querySelectorAll("details[data-menu]")) open.removeAttribute("open");
    menu.hidden = true;
    spot.r = Math.round(within(SHOWN / view().scale, LEAST, MOST));
    picker.showModal();
    area.focus();
    moveTo(innerWidth / 2, innerHeight / 2);
}

/** @param {number} dx @param {number} dy CSS px */
function nudge(dx, dy) {
    const { x, y, scale } = view();
    moveTo(x + spot.x * scale + dx, y + spot.y * scale + dy);
    position.textContent = `${spot.x}, ${spot.y}`;
}

area.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" || event.buttons) moveTo(event.clientX, event.clientY);
});
area.addEventListener("pointerdown", (event) => moveTo(event.clientX, event.clientY));
// A mouse points and clicks; a finger puts the circle down, looks, and takes it by the button.
area.addEventListener("click", (event) => {
    if (/** @type {PointerEvent} */ (event).pointerType === "mouse") void take();
});
area.addEventListener("wheel", (event) => {
    event.preventDefault();
    resize(Math.exp(-event.deltaY / 500));
}, { passive: false });
picker.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? STEP_LARGE : STEP;
    /** @type {Record<string, () => void>} */
    const does = {
        ArrowLeft: () => nudge(-step, 0), ArrowRight: () => nudge(step, 0),
        ArrowUp: () => nudge(0, -step), ArrowDown: () => nudge(0, step),
        "+": () => resize(1.25), "=": () => resize(1.25), "-": () => resize(0.8),
    };
    if (event.target === area) does.Enter = () => void take();
    if (!does[event.key]) return;
    event.preventDefault();
    does[event.key]();
});
part("smaller").addEventListener("click", () => resize(0.8));
part("larger").addEventListener("click", () => resize(1.25));
part("take").addEventListener("click", () => void take());
part("cancel").addEventListener("click", () => picker.close());
addEventListener("resize", () => picker.open && show());

function take() {
    picker.close();
    return openForm();
}

// --- The form ----------------------------------------------------------------------------------------------------

const PART = { "X-Part": "1" };

async function openForm() {
    const query = new URLSearchParams({
        canvas: stage.dataset.slug ?? "", x: String(spot.x), y: String(spot.y), r: String(spot.r),
    });
    const address = `${dialog.dataset.url}?${query}`;
    try {
        const answer = await fetch(address, { headers: PART, signal: AbortSignal.timeout(30_000) });
        if (!answer.ok) throw new Error(String(answer.status));
        fill(await answer.text());
        dialog.showModal();
        dialog.querySelector("h1")?.focus();
    } catch {
        location.assign(address); // the same form as a page, or the words why not
    }
}

/** What the server says, into the dialog. @param {string} html */
function fill(html) {
    dialog.innerHTML = html;
    dialog.scrollTop = 0;
}

dialog.addEventListener("submit", async (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    event.preventDefault();
    const button = /** @type {HTMLButtonElement | null} */ (form.querySelector("[type=submit]"));
    if (button?.disabled) return;
    if (button) button.disabled = true;
    try {
        const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: PART, signal: AbortSignal.timeout(30_000) });
        if (![201, 422, 429].includes(answer.status)) throw new Error(String(answer.status));
        fill(await answer.text());
        dialog.querySelector("h1")?.focus();
    } catch {
        if (button) button.disabled = false;
        const lost = form.querySelector("[data-lost]") ?? document.createElement("p");
        lost.className = "errorlist";
        lost.setAttribute("data-lost", "");
        lost.setAttribute("role", "alert");
        lost.textContent = dialog.dataset.lost ?? "";
        form.append(lost);
    }
});
dialog.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("[data-close]") : null;
    if (!link) return;
    event.preventDefault();
    dialog.close();
});
dialog.addEventListener("close", () => dialog.replaceChildren());

// --- Ways in -----------------------------------------------------------------------------------------------------

for (const button of document.querySelectorAll('[data-report="pick"]')) button.addEventListener("click", pick);

addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "r" || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const { target } = event;
    if (target instanceof Element && target.matches("input:not([type=range], [type=checkbox]), select, textarea, [contenteditable]")) return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    pick();
});

/** @type {{x: number, y: number, timer: ReturnType<typeof setTimeout>} | null} */
let press = null;
let fingers = 0;

function letGo() {
    if (press) clearTimeout(press.timer);
    press = null;
}

stage.addEventListener("pointerdown", (event) => {
    menu.hidden = true;
    if (event.pointerType !== "touch") return;
    fingers++;
    letGo();
    // Where a finger draws, a long press picks a colour: the menu and R are the way then.
    if (fingers > 1 || stage.dataset.cursor !== "grab") return;
    const { clientX: x, clientY: y } = event;
    press = { x, y, timer: setTimeout(() => offer(x, y), LONG_PRESS) };
});
stage.addEventListener("pointermove", (event) => {
    if (press && Math.hypot(event.clientX - press.x, event.clientY - press.y) > STILL) letGo();
});
for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
    stage.addEventListener(end, (event) => {
        if (event.pointerType !== "touch") return;
        fingers = Math.max(0, fingers - 1);
        letGo();
    });
}

/** A small menu beside the finger. @param {number} x @param {number} y of the window */
function offer(x, y) {
    press = null;
    spot.r = Math.round(within(SHOWN / view().scale, LEAST, MOST));
    moveTo(x, y);
    menu.hidden = false;
    menu.style.left = `${within(x - menu.offsetWidth / 2, 8, innerWidth - menu.offsetWidth - 8)}px`;
    menu.style.top = `${within(y - menu.offsetHeight - 28, 8, innerHeight - menu.offsetHeight - 8)}px`;
}

part("here").addEventListener("click", () => {
    menu.hidden = true;
    void openForm();
});
addEventListener("keydown", (event) => {
    if (event.key === "Escape") menu.hidden = true;
});
