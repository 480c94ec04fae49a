/** A picture that waits for its owner to sign up: given back once, and not after a day. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { put, take } from "../../static/studio/waiting.js";

const browser = /** @type {any} */ (globalThis);

/** What a browser keeps, in memory. @returns {Map<string, Response>} by the store's name */
function stores() {
  const kept = /** @type {Map<string, Response>} */ (new Map());
  browser.caches = {
    open: async (/** @type {string} */ name) => ({ put: async (/** @type {string} */ _, /** @type {Response} */ file) => kept.set(name, file) }),
    match: async (/** @type {string} */ _, /** @type {{cacheName: string}} */ { cacheName }) => kept.get(cacheName),
    delete: async (/** @type {string} */ name) => kept.delete(name),
  };
  return kept;
}

test("it is given back once", async () => {
  stores();
  await put(new Blob(["dog"], { type: "image/png" }));
  const file = await take();
  assert.equal(await file?.text(), "dog");
  assert.equal(file?.type, "image/png");
  assert.equal(await take(), undefined);
});

test("after a day it is thrown away", async (context) => {
  const kept = stores();
  await put(new Blob(["dog"], { type: "image/png" }));
  context.mock.timers.enable({ apis: ["Date"], now: Date.now() + 25 * 60 * 60 * 1000 });
  assert.equal(await take(), undefined);
  assert.equal(kept.size, 0);
});

test("a browser that keeps nothing is no fault", async () => {
  delete browser.caches;
  await put(new Blob(["dog"]));
  assert.equal(await take(), undefined);
});
