// @ts-check
/** The marks that people may leave at a place: lines in 24 by 24 px, drawn by ourselves. Their places here are their numbers. */

import { gettext } from "../i18n.js";

/** @type {readonly {name: string, path: string}[]} as many as canvas/limits.py says, MARKS */
export const MARKS = [
    { name: gettext("heart"), path: "M12 19.5C6.5 15.6 4 12.8 4 9.5A4.2 4.2 0 0 1 12 7.6a4.2 4.2 0 0 1 8 1.9c0 3.3-2.5 6.1-8 10Z" },
    { name: gettext("spark"), path: "M12 3.5c.8 5.2 3.3 7.7 8.5 8.5-5.2.8-7.7 3.3-8.5 8.5-.8-5.2-3.3-7.7-8.5-8.5 5.2-.8 7.7-3.3 8.5-8.5Z" },
    { name: gettext("eye"), path: "M3.5 12s3-5.5 8.5-5.5 8.5 5.5 8.5 5.5-3 5.5-8.5 5.5S3.5 12 3.5 12Zm6 0a2.5 2.5 0 1 0 5 0 2.5 2.5 0 0 0-5 0Z" },
    { name: gettext("smile"), path: "M12 3.8a8.2 8.2 0 1 0 0 16.4 8.2 8.2 0 0 0 0-16.4ZM8.2 13.6c1.6 3 6 3 7.6 0M9 9.4v.2M15 9.4v.2" },
    { name: gettext("leaf"), path: "M5 19c0-8.5 5-13.5 14.5-14C19.5 14 14.5 19 8 17.6M5 19c2-4.5 4.5-7 8.5-8.6" },
];

const SVG = "http://www.w3.org/2000/svg";

/** @param {number} mark */
export function drawn(mark) {
    const svg = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
    svg.classList.add("icon");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", MARKS[mark].path);
    svg.append(path);
    return svg;
}
