// @ts-check

import { gettext } from "../../i18n.js";

/** Takes one's own fresh strokes off whole: what lay below is there again. @type {import("./types.js").Tool} */
export const eraser = {
    name: "eraser",
    label: gettext("Erase your own strokes"),
    title: gettext("Eraser (E): your own strokes since the last dream"),
    help: gettext("erase your fresh strokes"),
    key: "e",
    icon: "m4.5 15 9-9a2 2 0 0 1 2.8 0l3.2 3.2a2 2 0 0 1 0 2.8L12 19.5H8.5L4.5 15.5a.4.4 0 0 1 0-.5Zm4.5-4.5L14.5 16.5M12 19.5h7.5",
    cursor: "brush",
    inks: true,
    once: false,
    begin(workspace, event, undecided) {
        let erased = 0;
        // A second finger may still make a pinch of it: then nothing was erased.
        let certain = !undecided;
        /** @type {PointerEvent[]} */
        let waiting = [event];
        const go = () => {
            if (!certain) return;
            for (const each of waiting) erased += workspace.erase(each);
            waiting = [];
        };
        go();
        return {
            move: (moved) => {
                const all = moved.getCoalescedEvents?.() ?? [];
                waiting.push(...(all.length ? all : [moved]));
                go();
            },
            end: () => {
                certain = true;
                go();
                if (!erased) workspace.nothingToErase();
            },
            cancel: () => {
                waiting = [];
            },
            confirm: () => {
                certain = true;
                go();
            },
        };
    },
};
