// @ts-check
/** Areas where nobody can draw, on top of the canvas at any zoom: hatched where locked, hidden where covered. */

import * as messages from "./messages.js";

/** @typedef {import("./types.js").Region} Region */

export class Regions {
    /**
     * @param {HTMLElement} layer in the window's coordinates @param {import("./view.js").View} view
     * @param {() => number} now by the server's clock
     */
    constructor(layer, view, now) {
        this.layer = layer;
        this.view = view;
        this.now = now;
        /** @type {Map<string, {region: Region, element: HTMLElement, label: HTMLElement}>} */
        this.shown = new Map();
        /** @type {Region[]} of the rules */
        this.rules = [];
        /** @type {Region | null} an area that somebody asks to cover */
        this.request = null;
        setInterval(() => this.#expire(), 1000);
    }

    /** @param {Region[]} regions */
    setRules(regions) {
        this.rules = regions;
        this.#show();
    }

    /** @param {Region | null} region */
    setRequest(region) {
        this.request = region;
        this.#show();
    }

    #show() {
        const regions = this.request ? [...this.rules, this.request] : this.rules;
        const keys = new Set(regions.map(keyOf));
        for (const key of this.shown.keys()) if (!keys.has(key)) this.#remove(key);
        for (const region of regions) {
            if (this.shown.has(keyOf(region)) || this.#over(region)) continue;
            const element = document.createElement("div"), label = document.createElement("span");
            element.className = `region ${region.kind}`;
            label.textContent = messages.region(region, this.now());
            element.append(label);
            this.layer.append(element);
            this.shown.set(keyOf(region), { region, element, label });
        }
        this.layOut();
    }

    /** The region at a point of the canvas, px. @param {number} x @param {number} y @returns {Region | null} */
    at(x, y) {
        for (const { region } of this.shown.values()) {
            if (x >= region.x && y >= region.y && x < region.x + region.width && y < region.y + region.height) return region;
        }
        return null;
    }

    /** The view has changed. */
    layOut() {
        const { view } = this;
        for (const { region, element, label } of this.shown.values()) {
            const width = region.width * view.scale, height = region.height * view.scale;
            element.style.transform = `translate(${view.x + region.x * view.scale}px, ${view.y + region.y * view.scale}px)`;
            element.style.width = `${width}px`;
            element.style.height = `${height}px`;
            label.hidden = width < 120 || height < 40;
        }
    }

    /** @param {Region} region */
    #over({ until }) {
        return until !== null && until <= this.now();
    }

    #expire() {
        for (const [key, { region }] of this.shown) if (this.#over(region)) this.#remove(key);
    }

    /** @param {string} key */
    #remove(key) {
        this.shown.get(key)?.element.remove();
        this.shown.delete(key);
    }
}

/** What makes it another one. @param {Region} region */
function keyOf({ id, kind, x, y, width, height, until, why }) {
    return [id, kind, x, y, width, height, until, why].join(" ");
}
