// @ts-check

import { gettext } from "../../i18n.js";

/** Ink. @type {import("./types.js").Tool} */
export const brush = {
    name: "brush",
    label: gettext("Brush and its size"),
    title: gettext("Brush (B); again for its size"),
    help: "brush",
    key: "b",
    icon: "",
    cursor: "brush",
    options: "brush-sheet",
    inks: true,
    once: false,
    begin: (workspace, event, undecided) => workspace.draw(event, undecided, workspace.ink),
};
