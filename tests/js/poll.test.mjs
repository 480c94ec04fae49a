/** Asking the server again and again: not for a page that nobody sees, and not where there is nothing any more. */

import assert from "node:assert/strict";
import { test } from "node:test";

/** A page that may be hidden, and a server that says what it is told to. */
const page = Object.assign(new EventTarget(), { hidden: false });
/** @type {Response | Error} */
let answer = new Error("away");
let asked = 0;
Object.assign(globalThis, {
    document: page,
    location: { href: "https://example.org/" },
    fetch: async () => {
        asked++;
        if (answer instanceof Error) throw answer;
        return answer;
    },
});
const { getJson, Gone, pause, untilGone } = await import("../../static/poll.js");

/** @param {number} status @param {string} [type] */
const says = (status, type = "application/json") => {
    answer = new Response(type === "application/json" ? '{"state": "done"}' : "<!doctype html>", { status, headers: { "Content-Type": `${type}; charset=utf-8` } });
};

test("what is away for a moment may be asked again, and what is gone may not", async () => {
    answer = new TypeError("no network");
    assert.equal(await getJson("/x.json"), null);
    for (const status of [500, 502, 503, 429, 408]) {
        says(status);
        assert.equal(await getJson("/x.json"), null, String(status));
    }
    for (const status of [401, 403, 404, 410]) {
        says(status);
        await assert.rejects(getJson("/x.json"), Gone, String(status));
    }
    says(200, "text/html");
    await assert.rejects(getJson("/x.json"), Gone, "the page of signing in");
    says(200);
    assert.deepEqual(await getJson("/x.json"), { state: "done" });
});

test("only what is gone ends quietly", async () => {
    says(404);
    await getJson("/x.json").catch(untilGone);
    assert.throws(() => untilGone(new RangeError("a fault of ours")), RangeError);
});

test("a page that nobody sees does not ask", async () => {
    says(200);
    asked = 0;
    page.hidden = true;
    const told = pause(1).then(() => getJson("/x.json"));
    for (let turn = 0; turn < 5; turn++) {
        await new Promise((done) => setTimeout(done, 2));
        page.dispatchEvent(new Event("visibilitychange")); // still hidden
    }
    assert.equal(asked, 0);
    page.hidden = false;
    page.dispatchEvent(new Event("visibilitychange"));
    assert.deepEqual(await told, { state: "done" });
    assert.equal(asked, 1);
});
