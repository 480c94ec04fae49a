// @ts-check

import { gettext } from "../../i18n.js";

/** The colour of a point. @type {import("./types.js").Tool} */
export const eyedropper = {
    name: "eyedropper",
    label: gettext("Pick a colour from the canvas"),
    title: gettext("Pick a colour (I)"),
    help: gettext("pick a colour (or hold Alt)"),
    key: "i",
    icon: "m13 7 4 4m-2.5-6.5 5 5m-2-3a2 2 0 0 0-3.3-2.2L12 6.5m2 2L6 16.5 4.5 19.5 7.5 18l8-8",
    cursor: "loupe",
    inks: false,
    once: true,
    begin(workspace, event) {
        let hex = workspace.magnify(event.clientX, event.clientY);
        return {
            move: ({ clientX, clientY }) => {
                hex = workspace.magnify(clientX, clientY);
            },
            end: () => {
                workspace.putLoupeAway();
                workspace.chooseColour(hex);
            },
            cancel: () => workspace.putLoupeAway(),
        };
    },
};
