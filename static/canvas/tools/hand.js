// @ts-check

import { gettext } from "../../i18n.js";

/** Moves the view. @type {import("./types.js").Tool} */
export const hand = {
    name: "hand",
    label: gettext("Move the canvas"),
    title: gettext("Move the canvas (H, or hold space)"),
    help: "move",
    key: "h",
    icon: "M8 12V6.5a1.5 1.5 0 0 1 3 0V11m0-5V4.8a1.5 1.5 0 0 1 3 0V11m0-4.5a1.5 1.5 0 0 1 3 0V13a7 7 0 0 1-7 7c-2.6 0-4-1.2-5.2-3.2L3.6 14a1.5 1.5 0 0 1 2.5-1.6L8 14.5",
    cursor: "grab",
    inks: false,
    once: false,
    begin(workspace, event) {
        let { clientX: x, clientY: y } = event;
        return {
            move: ({ clientX, clientY }) => {
                workspace.pan(clientX - x, clientY - y);
                x = clientX;
                y = clientY;
            },
            end: () => {},
            cancel: () => {},
        };
    },
};
