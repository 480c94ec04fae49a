// @ts-check
/** Opens the moderators' panel: by its button in the menu, and by M. What it is made of is fetched at the first time. */

/** @type {Promise<typeof import("./panel_sheet.js")> | null} */
let sheet = null;

function toggle() {
    for (const menu of document.querySelectorAll("details[data-menu]")) menu.removeAttribute("open");
    sheet ??= import("./panel_sheet.js");
    void sheet.then(({ panel }) => panel.toggle());
}

document.querySelector('[data-mod="open"]')?.addEventListener("click", toggle);
addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.matches("input:not([type=checkbox]), select, textarea");
    if (event.key.toLowerCase() !== "m" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    toggle();
});
