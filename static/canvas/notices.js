// @ts-check
/** Short sentences that come and go, above the dock. */

const SHOWN = 7000; // ms
export const BRIEF = 3500; // ms; for what nobody needs to read twice
const MOST = 3;

export class Notices {
    /** @param {HTMLElement} list a live region */
    constructor(list) {
        this.list = list;
    }

    /** @param {string} text @param {number} [shown] ms */
    show(text, shown = SHOWN) {
        for (const other of this.list.children) if (other.textContent === text) return;
        const notice = document.createElement("p");
        notice.className = "notice";
        notice.textContent = text;
        this.list.append(notice);
        while (this.list.childElementCount > MOST) this.list.firstElementChild?.remove();
        setTimeout(() => {
            notice.classList.add("leaving");
            setTimeout(() => notice.remove(), 500);
        }, shown);
    }
}
