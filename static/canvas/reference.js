// @ts-check
/**
 * A picture of one's own, laid half transparent over the canvas to draw by. It is read by this page and painted by this
 * page: no request carries it, nothing keeps it, and it is gone with the page.
 */

import { gettext } from "../i18n.js";

const FURTHEST = 2048; // px; a larger photograph is scaled down when it is read

export class Reference {
    /**
     * @param {HTMLElement} panel its controls: [data-reference=file], opacity, size, move, remove
     * @param {HTMLCanvasElement} sheet lies above the picture, in canvas px
     * @param {import("./view.js").View} view
     * @param {(text: string) => void} notify
     */
    constructor(panel, sheet, view, notify) {
        const find = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (panel.querySelector(`[data-reference="${name}"]`));
        this.panel = panel;
        this.sheet = sheet;
        this.view = view;
        this.notify = notify;
        this.file = find("file");
        this.opacity = find("opacity");
        this.size = find("size");
        this.mover = /** @type {HTMLElement} */ (find("move"));
        this.width = 0; // of the picture as it was read, px
        this.height = 0;
        this.x = 0; // its middle, canvas px
        this.y = 0;
        /** While it is on, the hand moves the picture. */
        this.moving = false;
        this.file.addEventListener("change", () => void this.#read(this.file.files?.[0]));
        for (const input of [this.opacity, this.size]) input.addEventListener("input", () => this.#lay());
        this.mover.addEventListener("click", () => this.#move(!this.moving));
        find("remove").addEventListener("click", () => this.remove());
    }

    /** Asks for a picture. */
    choose() {
        this.file.value = "";
        this.file.click();
    }

    remove() {
        this.#move(false);
        this.sheet.hidden = this.panel.hidden = true;
        this.sheet.width = this.sheet.height = 0;
    }

    /** @param {number} dx @param {number} dy CSS px */
    shift(dx, dy) {
        this.x += dx / this.view.scale;
        this.y += dy / this.view.scale;
        this.#lay();
    }

    /** @param {boolean} on */
    #move(on) {
        this.moving = on;
        this.mover.setAttribute("aria-pressed", String(on));
    }

    /** @param {File | undefined} file */
    async #read(file) {
        if (!file) return;
        let bitmap;
        try {
            bitmap = await createImageBitmap(file);
        } catch {
            return this.notify(gettext("This browser cannot read that file as a picture."));
        }
        const share = Math.min(1, FURTHEST / Math.max(bitmap.width, bitmap.height));
        this.width = this.sheet.width = Math.max(1, Math.round(bitmap.width * share));
        this.height = this.sheet.height = Math.max(1, Math.round(bitmap.height * share));
        this.sheet.getContext("2d")?.drawImage(bitmap, 0, 0, this.width, this.height);
        bitmap.close();
        const { view } = this;
        this.x = view.canvasX(view.windowWidth / 2);
        this.y = view.canvasY(view.windowHeight / 2);
        this.sheet.hidden = this.panel.hidden = false;
        this.#lay();
        this.notify(gettext("Only you see this picture. It never leaves your browser."));
    }

    #lay() {
        const { view, sheet, width, height } = this;
        // At 100 it fits into what the window shows when the whole canvas is in it.
        const scale = (Number(this.size.value) / 100) * Math.min(view.width / width, view.height / height);
        sheet.style.width = `${width * scale}px`;
        sheet.style.height = `${height * scale}px`;
        sheet.style.transform = `translate(${this.x - (width * scale) / 2}px, ${this.y - (height * scale) / 2}px)`;
        sheet.style.opacity = String(Number(this.opacity.value) / 100);
    }
}
