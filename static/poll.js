// @ts-check
/** Asking the server again and again how far something is: for pages that are seen, and while there is something to ask about. */

/** There is nothing to ask about any more, or it is not for this browser: asking again is of no use. */
export class Gone extends Error {}

const LATER = [408, 425, 429]; // among the answers 4xx: another time perhaps

/** Waits until the page is seen. */
export async function seen() {
  while (document.hidden) await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
}

/** Waits, and then until the page is seen. @param {number} ms */
export async function pause(ms) {
  await new Promise((done) => setTimeout(done, ms));
  await seen();
}

/** Ends what follows something, where it is gone: `follow().catch(untilGone)`. @param {unknown} error */
export function untilGone(error) {
  if (!(error instanceof Gone)) throw error;
}

/**
 * @param {string} url @param {string} type of the answer that is expected
 * @returns {Promise<string | null>} null: the server is away for a moment
 */
async function ask(url, type) {
  let answer, text;
  try {
    answer = await fetch(url, { cache: "no-store", headers: { Accept: type }, signal: AbortSignal.timeout(30_000) });
    text = await answer.text();
  } catch {
    return null;
  }
  const { status } = answer;
  if (status >= 400 && status < 500 && !LATER.includes(status)) throw new Gone(`${url}: ${status}`);
  if (!answer.ok) return null;
  // Whoever has signed out meanwhile is led to the page of signing in.
  if (!answer.headers.get("Content-Type")?.startsWith(type)) throw new Gone(`${url}: received ${answer.headers.get("Content-Type")}, expected ${type}`);
  return text;
}

/** @param {string} url @returns {Promise<any>} what it says; null where the server is away for a moment. Throws Gone. */
export async function getJson(url) {
  return JSON.parse((await ask(url, "application/json")) ?? "null");
}

/** A page anew. @returns {Promise<Document | null>} null where the server is away for a moment. Throws Gone. */
export async function getPage(url = location.href) {
  const text = await ask(url, "text/html");
  return text === null ? null : new DOMParser().parseFromString(text, "text/html");
}
