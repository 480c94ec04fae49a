/** Colours in words and on the wheel. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { colourOfHsv, hsvOf, nameOf } from "../../static/canvas/colour_names.js";
import { colourOf, hexOf, PALETTES, RAINBOW } from "../../static/canvas/palette.js";

test("colours have the names that people give them", () => {
    const names = {
        "#000000": "black", "#ffffff": "white", "#808080": "grey", "#ff0000": "bright red", "#00ff00": "bright green", "#0000ff": "bright blue",
        "#ffff00": "bright yellow", "#ff8000": "bright orange", "#8b4513": "brown", "#ffc0cb": "pale red", "#000080": "dark blue", "#40e0d0": "turquoise",
        "#808000": "olive", "#add8e6": "pale sky blue",
    };
    for (const [hex, name] of Object.entries(names)) {
        if (hex === "#ffc0cb") assert.match(nameOf(hex), /pink|pale red/);
        else assert.equal(nameOf(hex), name, hex);
    }
});

test("within a palette no two swatches of a different look share a name too often", () => {
    for (const { name, swatches } of PALETTES) {
        const names = swatches.filter((hex) => hex !== RAINBOW).map(nameOf);
        assert.ok(new Set(names).size >= names.length - 1, `${name}: ${names.join(", ")}`);
    }
});

test("every colour of the wheel comes back from its numbers", () => {
    for (let i = 0; i < 4096; i++) {
        const hex = hexOf({ r: (i >> 8) * 17, g: ((i >> 4) & 15) * 17, b: (i & 15) * 17 });
        assert.equal(hexOf(colourOfHsv(hsvOf(colourOf(hex)))), hex);
    }
});
