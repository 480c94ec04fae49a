/** A picture that waits for its owner to sign up: given back once, and not after a day. */

import assert from "node:assert/strict";
import test from "node:test";

import { put, take } from "../../static/studio/waiting.js";

/** What browsers keep, in memory. */
class Stores {
  kept = new Map();
  open = async (name) => ({ put: async (address, response) => void this.kept.set(name, response) });
  match = async (_address, { cacheName }) => this.kept.get(cacheName);
  delete = async (name) => this.kept.delete(name);
}

test("it is given back once", async () => {
  globalThis.caches = new Stores();
  await put(new Blob(["dog"], { type: "image/png" }));
  const file = await take();
  assert.equal(await file.text(), "dog");
  assert.equal(file.type, "image/png");
  assert.equal(await take(), undefined);
});

test("after a day it is thrown away", async (context) => {
  globalThis.caches = new Stores();
  await put(new Blob(["dog"], { type: "image/png" }));
  context.mock.timers.enable({ apis: ["Date"], now: Date.now() + 25 * 60 * 60 * 1000 });
  assert.equal(await take(), undefined);
  assert.equal(globalThis.caches.kept.size, 0);
});

test("a browser that keeps nothing is no fault", async () => {
  delete globalThis.caches;
  await put(new Blob(["dog"]));
  assert.equal(await take(), undefined);
});
