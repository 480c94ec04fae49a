// @ts-check

import { gettext } from "../../i18n.js";
import { MARKS } from "../marks.js";

/** Leaves a mark at a place, which everybody sees for a few seconds. @type {import("./types.js").Tool} */
export const mark = {
    name: "mark",
    label: gettext("Leave a mark that everybody sees for a moment"),
    title: gettext("Leave a mark (V); again to choose which"),
    help: gettext("leave a mark"),
    key: "v",
    icon: MARKS[0].path,
    cursor: "mark",
    options: "mark-sheet",
    inks: true,
    once: false,
    begin(workspace, event) {
        const { clientX, clientY } = event;
        return {
            move: () => {},
            end: () => workspace.mark(clientX, clientY),
            cancel: () => {},
        };
    },
};
