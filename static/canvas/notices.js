// @ts-check
/** Short sentences that come and go, above the dock. */

const SHOWN = 7000; // ms
export const BRIEF = 3500; // ms; for what nobody needs to read twice
export const LONG = 12_000; // ms; for what leads somewhere
const MOST = 3;

export class Notices {
    /** @param {HTMLElement} list a live region */
    constructor(list) {
        this.list = list;
    }

    /** @param {string} text @param {number} [shown] ms @param {HTMLAnchorElement | null} [way] a link of the page that leads on from there */
    show(text, shown = SHOWN, way = null) {
        for (const other of this.list.children) if (other.firstChild?.textContent === text) return;
        const notice = document.createElement("p");
        notice.className = "notice";
        notice.append(text);
        if (way) {
            const link = document.createElement("a");
            link.href = way.href;
            link.textContent = way.textContent;
            notice.append(" ", link);
        }
        this.list.append(notice);
        while (this.list.childElementCount > MOST) this.list.firstElementChild?.remove();
        setTimeout(() => {
            notice.classList.add("leaving");
            setTimeout(() => notice.remove(), 500);
        }, shown);
    }
}
