// @ts-check
/**
 * A form marked with `data-work` is sent with a number that makes SHA-256 of "work:number" begin with `data-bits` zero bits. Found
 * in the background while the form is filled in, so that most people never wait.
 */

const BATCH = 256;

/** @param {ArrayBuffer} digest */
function zeroBits(digest) {
  let bits = 0;
  for (const byte of new Uint8Array(digest)) {
    if (byte === 0) bits += 8;
    else return bits + Math.clz32(byte) - 24;
  }
  return bits;
}

/** @param {string} challenge @param {number} bits @returns {Promise<string>} */
async function solve(challenge, bits) {
  const encoder = new TextEncoder();
  for (let first = 0; ; first += BATCH) {
    const digests = await Promise.all(
      Array.from({ length: BATCH }, (_, at) => crypto.subtle.digest("SHA-256", encoder.encode(`${challenge}:${first + at}`))),
    );
    const found = digests.findIndex((digest) => zeroBits(digest) >= bits);
    if (found >= 0) return String(first + found);
  }
}

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-work]"))) {
  const { work = "", bits = "" } = form.dataset;
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("[type=submit]"));
  const answer = /** @type {HTMLInputElement} */ (form.elements.namedItem("answer"));
  const words = /** @type {HTMLElement} */ (form.querySelector("[data-waiting]"));
  const solving = solve(work, Number(bits)).then((found) => {
    answer.value = found;
  });
  form.addEventListener("submit", async (event) => {
    if (answer.value) return;
    event.preventDefault();
    button.disabled = true;
    words.hidden = false;
    await solving;
    form.submit();
  });
}
