// @ts-check
/** The panel's switches and its log. */

import { gettext, locale } from "../i18n.js";
import { ago, ask, make } from "./panel_api.js";

/** @typedef {{notify: (text: string) => void, trouble: (problem: unknown) => void}} Say */
/** @typedef {Say & {box: () => import("./panel_overlay.js").Box | null}} Here */

const root = /** @type {HTMLElement} */ (document.querySelector('[data-mod="panel"]'));

/** @template {HTMLElement} E @param {string} name @returns {E} */
const part = (name) => /** @type {E} */ (root.querySelector(`[data-mod="${name}"]`));

const why = /** @type {HTMLInputElement} */ (part("switch-why"));
/** @type {Here | null} */
let here = null;

/** @param {Here} given */
export async function showSwitches(given) {
    here = given;
    try {
        const [state, shelf] = await Promise.all([ask("state"), ask(root.dataset.styles ?? "")]);
        const select = /** @type {HTMLSelectElement} */ (part("style"));
        select.replaceChildren(make("option", { value: "" }, gettext("Any other style")), ...shelf.styles.map(
            (/** @type {any} */ style) => make("option", { value: JSON.stringify(style) }, style.title)));
        show(state);
    } catch (problem) {
        given.trouble(problem);
    }
}

/** @param {any} state */
function show(state) {
    check("frozen").checked = state.frozen.on;
    check("paused").checked = state.paused;
    check("reactions").checked = state.reactions;
    check("members_only").checked = state.members_only;
    check("newcomers").checked = state.newcomers !== null;
    part("newcomers-text").textContent = state.newcomers ? gettext("not those who joined after %(moment)s", { moment: new Date(state.newcomers).toLocaleString(locale) }) : "";
    const slow = /** @type {HTMLSelectElement} */ (part("slow"));
    if (![...slow.options].some((option) => option.value === String(state.slow))) slow.add(new Option(`× ${state.slow}`, String(state.slow)));
    slow.value = String(state.slow);
    const { named, wanted, now } = state.style;
    part("style-text").textContent = named ? gettext("next: %(style)s", { style: named }) : wanted ? gettext("next: another") : now ? gettext("now: %(style)s", { style: now }) : "";
    part("regions").replaceChildren(...state.regions.map((/** @type {any} */ region) => {
        const open = make("button", { type: "button", className: "button button-small" }, gettext("Lift"));
        open.addEventListener("click", () => void turn("region", { id: region.id }));
        const [x, y, w, h] = region.rect;
        const values = { size: `${w} × ${h}`, place: `${x}, ${y}` };
        const what = region.kind === "cover" ? gettext("Covered: %(size)s at %(place)s", values) : gettext("Locked: %(size)s at %(place)s", values);
        const until = region.until && new Date(region.until).toLocaleTimeString(locale);
        return make("li", null, make("span", null, until ? gettext("%(what)s, until %(moment)s", { what, moment: until }) : what), open);
    }));
}

/** @param {string} name */
const check = (name) => /** @type {HTMLInputElement} */ (part(name));

/** @param {string} name @param {any} value */
async function turn(name, value) {
    try {
        const { act, state } = await ask("switch", { switch: name, value, why: why.value });
        here?.notify(gettext("%(act)s. It is in the log, and can be undone there.", { act: act.title }));
        show(state);
    } catch (problem) {
        here?.trouble(problem);
        await ask("state").then(show, () => {});
    }
}

check("frozen").addEventListener("change", () => turn("frozen", { on: check("frozen").checked, why: why.value }));
check("paused").addEventListener("change", () => turn("paused", check("paused").checked));
check("reactions").addEventListener("change", () => turn("reactions", check("reactions").checked));
check("members_only").addEventListener("change", () => turn("members_only", check("members_only").checked));
check("newcomers").addEventListener("change", () => turn("newcomers", check("newcomers").checked ? Date.now() : null));
part("slow").addEventListener("change", () => turn("slow", Number(/** @type {HTMLSelectElement} */ (part("slow")).value)));
part("style-set").addEventListener("click", () => {
    const { value } = /** @type {HTMLSelectElement} */ (part("style"));
    void turn("style", value ? JSON.parse(value) : "next");
});
part("lock").addEventListener("click", () => {
    const rect = here?.box();
    if (!rect) return here?.trouble(gettext("Draw a rectangle first."));
    const minutes = Number(/** @type {HTMLSelectElement} */ (part("lock-minutes")).value) || null;
    void turn("region", { rect, minutes, why: why.value });
});
part("hide-frame").addEventListener("click", () => turn("frame", "newest"));

/** @param {Say} say */
export async function showLog(say) {
    try {
        const { acts } = await ask("log");
        part("acts").replaceChildren(...acts.map((/** @type {any} */ act) => {
            const signed = { who: act.by || gettext("the site"), when: ago(act.at) };
            const row = make("li", { className: act.undone ? "mod-undone" : "" },
                make("b", null, act.title), make("span", null, [act.what, act.why].filter(Boolean).join(". ")),
                make("small", null, act.undone ? gettext("%(who)s, %(when)s, taken back", signed) : gettext("%(who)s, %(when)s", signed)));
            if (act.undoable) {
                const undo = make("button", { type: "button", className: "button button-small" }, act.again ? gettext("Do it again") : gettext("Undo"));
                undo.addEventListener("click", async () => {
                    undo.disabled = true;
                    try {
                        const { pending } = await ask("undo", { act: act.id });
                        say.notify(act.again ? gettext("Done again.") : gettext("Taken back."));
                        if (pending) location.assign(pending.url); // many steps: their page shows how far they are
                    } catch (problem) {
                        say.trouble(problem);
                    }
                    await showLog(say);
                    /** @type {HTMLElement | null} */ (root.querySelector("[aria-selected=true]"))?.focus({ preventScroll: true });
                });
                row.append(undo);
            }
            return row;
        }));
        if (!acts.length) part("acts").replaceChildren(make("li", { className: "mod-empty" }, gettext("Nothing has been done here yet.")));
    } catch (problem) {
        say.trouble(problem);
    }
}
