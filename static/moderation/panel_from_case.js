// @ts-check
/** `?moderate=x,y,r`: a moderator comes from a case. The panel opens with that spot as its rectangle. */

const panel = /** @type {HTMLElement | null} */ (document.querySelector('[data-mod="panel"]'));
const stage = /** @type {HTMLElement} */ (document.querySelector("#canvas"));
const spot = (new URLSearchParams(location.search).get("moderate") ?? "").split(",").map(Number);

/** @param {string} selector */
const press = (selector) => /** @type {HTMLElement | null} */ (document.querySelector(selector))?.click();

if (panel && spot.length === 3 && spot.every((value) => Number.isFinite(value) && value >= 0)) {
    const opened = new MutationObserver(() => {
        if (panel.hidden) return;
        opened.disconnect();
        enclose(panel);
    });
    opened.observe(panel, { attributeFilter: ["hidden"] });
    press('[data-does="fit"]'); // everything is seen, so the rectangle is
    press('[data-mod="open"]');
}

/** @param {HTMLElement} panel */
function enclose(panel) {
    const [x, y, r] = spot;
    const left = Math.max(0, Math.round(x - r)), top = Math.max(0, Math.round(y - r));
    const right = Math.min(Number(stage.dataset.width), Math.round(x + r));
    const bottom = Math.min(Number(stage.dataset.height), Math.round(y + r));
    const box = { x: left, y: top, w: right - left, h: bottom - top };
    for (const [name, value] of Object.entries(box)) {
        const input = /** @type {HTMLInputElement | null} */ (panel.querySelector(`[data-mod="rect-${name}"]`));
        if (input) input.value = String(value);
    }
    panel.querySelector('[data-mod="rect-h"]')?.dispatchEvent(new Event("change"));
}
