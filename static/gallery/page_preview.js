// @ts-check
/** The words of a page as they will look, while they are typed. The server renders them: there is one Markdown here. */

const PAUSE_MS = 350;

const box = document.querySelector("[data-preview]");
const shown = document.querySelector("[data-preview-text]");
const body = document.querySelector("textarea[name=body]");
/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting;
/** @type {AbortController | null} */
let controller = null;

async function ask() {
  if (!(box instanceof HTMLElement && shown && body instanceof HTMLTextAreaElement)) return;
  controller?.abort();
  controller = new AbortController();
  const form = new FormData();
  form.set("body", body.value);
  form.set("csrfmiddlewaretoken", /** @type {HTMLInputElement | null} */ (document.querySelector("[name=csrfmiddlewaretoken]"))?.value ?? "");
  try {
    const answer = await fetch(box.dataset.preview ?? "", { method: "POST", body: form, signal: AbortSignal.any([controller.signal, AbortSignal.timeout(30_000)]) });
    // What comes back is made safe by the server, as what is stored is.
    if (answer.ok) shown.innerHTML = await answer.text();
  } catch {
    // An older question that was given up, or no connection: the next letter asks again.
  }
}

body?.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(ask, PAUSE_MS);
});
