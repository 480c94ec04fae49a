// @ts-check
/** A picture that was chosen before signing up. It waits in this browser, and nowhere else, until its owner is back. */

const STORE = "studio-picture", ADDRESS = "/studio/waiting";
const STAYS = 24 * 60 * 60 * 1000; // ms: whoever comes later chooses again

/** Browsers keep files so only where the connection is safe. */
const stores = () => /** @type {CacheStorage | undefined} */ (globalThis.caches);

/** @param {Blob} file */
export async function put(file) {
  const store = await stores()?.open(STORE);
  await store?.put(ADDRESS, new Response(file, { headers: { "Content-Type": file.type, Date: new Date().toUTCString() } }));
}

/** Gives it back, once. @returns {Promise<Blob | undefined>} */
export async function take() {
  const kept = await stores()?.match(ADDRESS, { cacheName: STORE }), file = await kept?.blob();
  await stores()?.delete(STORE);
  return kept && Date.now() - Date.parse(kept.headers.get("Date") ?? "") < STAYS ? file : undefined;
}
