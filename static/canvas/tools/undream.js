// @ts-check

import { gettext } from "../../i18n.js";

/** Brings back what was there before the last dream, as far as the brush reaches. @type {import("./types.js").Tool} */
export const undream = {
    name: "undream",
    label: gettext("Undream: bring back what was there before the last dream"),
    title: gettext("Undream (X): brings back what was there before the last dream"),
    help: gettext("undream"),
    key: "x",
    icon: "M9.2 4.6a7.6 7.6 0 1 0 10.2 10.2A6.6 6.6 0 0 1 9.2 4.6ZM5 4.5l14.5 15",
    cursor: "brush",
    inks: true,
    once: false,
    begin: (workspace, event, undecided) => workspace.draw(event, undecided, workspace.before),
};
