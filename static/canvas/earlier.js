// @ts-check
/**
 * The pictures that the undream brush brings back: of the frames that the base's dreams were made on. One is loaded when
 * ink first asks for it, and forgotten when the base no longer lists it.
 */

/**
 * @typedef {import("./pixels.js").Pixels} Pixels
 * @typedef {import("./types.js").Earlier} Listed
 */

const AGAIN = 5000; // ms until a picture that could not be loaded is asked for again

/** The bare paper, which can always be brought back. @type {Listed} */
const PAPER = { id: 0, url: "", preview: null };

export class EarlierPictures {
    /**
     * @param {(frame: Listed, exact: boolean) => Promise<Pixels>} load
     * @param {(frame: number) => void} brought a picture is here: what brings it back can be painted
     */
    constructor(load, brought) {
        this.load = load;
        this.brought = brought;
        /** @type {Listed[]} */
        this.listed = [];
        this.exact = true;
        /** @type {Map<number, Pixels>} */
        this.pictures = new Map();
        /** @type {Map<number, object>} */
        this.coming = new Map();
    }

    /** @param {Listed[]} listed by the base from now on @param {boolean} exact false: small copies are enough */
    use(listed, exact) {
        this.listed = listed;
        const kept = (/** @type {number} */ id) => exact === this.exact && this.#find(id) !== undefined;
        for (const id of this.pictures.keys()) if (!kept(id)) this.pictures.delete(id);
        for (const id of this.coming.keys()) if (!kept(id)) this.coming.delete(id);
        this.exact = exact;
    }

    /** A frame's picture; null while it is not here, and where it is not to be seen. @param {number} id */
    get(id) {
        const picture = this.pictures.get(id);
        if (picture) return picture;
        const frame = this.#find(id);
        if (frame && !this.coming.has(id)) void this.#fetch(frame);
        return null;
    }

    /** @param {number} id */
    #find(id) {
        return id === 0 ? PAPER : this.listed.find((one) => one.id === id);
    }

    /** @param {Listed} frame */
    async #fetch(frame) {
        const mine = {};
        this.coming.set(frame.id, mine);
        try {
            const picture = await this.load(frame, this.exact);
            if (this.coming.get(frame.id) !== mine) return; // it is not wanted any more, or in another size
            this.pictures.set(frame.id, picture);
        } catch (error) {
            console.warn(`The picture of frame ${frame.id} cannot be brought back:`, error);
            await new Promise((done) => setTimeout(done, AGAIN));
            if (this.coming.get(frame.id) !== mine) return;
        }
        this.coming.delete(frame.id);
        this.brought(frame.id);
    }
}
