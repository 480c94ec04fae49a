// @ts-check
/** The strip that tells strangers what this is. It leaves by itself, with the first stroke at the latest. */

const MET = "dreamsite:welcomed";
const SHOWN = 25_000; // ms

export class Hello {
    /** @param {HTMLElement | null} strip none on a canvas that is closed */
    constructor(strip) {
        this.strip = strip;
        strip?.querySelector("[data-hello-close]")?.addEventListener("click", () => this.leave());
    }

    /** Shows it to those who have not seen it. */
    greet() {
        if (!this.strip) return;
        try {
            if (localStorage.getItem(MET)) return;
        } catch {
            // Storage is forbidden: then it is shown each time.
        }
        this.strip.hidden = false;
        setTimeout(() => this.leave(), SHOWN);
    }

    leave() {
        if (!this.strip || this.strip.hidden) return;
        this.strip.hidden = true;
        try {
            localStorage.setItem(MET, "yes");
        } catch {
            // As above.
        }
    }
}
