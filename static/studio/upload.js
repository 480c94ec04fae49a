// @ts-check
/**
 * Uploading a picture: chosen, dropped or pasted, then cropped. Only the part that is chosen leaves the browser. A small
 * version of it travels first, so that work begins at once; the whole of it follows. What somebody chose who has not
 * signed up waits in the browser.
 */

import { gettext } from "../i18n.js";
import { Crop, encoded, isWhole } from "./crop.js";
import { put, take } from "./waiting.js";

const SMALL = 512; // px of the longer side
const LARGE = 400 * 1024; // bytes from which on a small version is worth it
const MOST = 48_000_000, SIDE = 3840; // px that the server keeps; px of the longer side where the browser can draw no more
const TAKEN = ["image/jpeg", "image/png", "image/webp"]; // what the server reads; anything else is sent as a JPEG

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("[data-upload]"));
document.querySelector(".studio")?.classList.add("ready");

/** @param {HTMLFormElement} form @param {string} url @param {Blob} file @param {boolean} small */
async function send(form, url, file, small) {
  const body = new FormData();
  body.append("picture", file, "picture");
  if (small) body.append("small", "1");
  const token = /** @type {HTMLInputElement} */ (form.elements.namedItem("csrfmiddlewaretoken")).value;
  const answer = await fetch(url, {
    method: "POST",
    body,
    headers: { Accept: "application/json", "X-CSRFToken": token },
    signal: AbortSignal.timeout(600_000), // a large photograph over a bad line
  });
  const result = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(result.detail ?? gettext("The picture did not reach the server. Try again in a moment."));
  return result;
}

/** What a place to drop a picture consists of. @param {HTMLElement} box */
const parts = (box) => ({
  zone: /** @type {HTMLElement} */ (box.querySelector(".drop-zone")),
  state: /** @type {HTMLElement} */ (box.querySelector(".drop-state")),
  input: /** @type {HTMLInputElement} */ (box.querySelector("input[type=file]")),
});

/** Files that are chosen, dropped or pasted. @param {HTMLElement} box @param {(file: Blob | undefined) => unknown} choose */
function receive(box, choose) {
  const { zone, state, input } = parts(box);
  input.addEventListener("change", () => choose(input.files?.[0]));
  for (const type of ["dragover", "dragenter"]) {
    box.addEventListener(type, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  for (const type of ["dragleave", "drop"]) box.addEventListener(type, () => zone.classList.remove("over"));
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file) void choose(file);
    else state.textContent = gettext("That was no file. Save the picture first, then drop it here.");
  });
  addEventListener("paste", (event) => choose([...(event.clipboardData?.files ?? [])].find(({ type }) => /^(image|video)\//.test(type))));
}

/** @param {HTMLFormElement} form */
function listen(form) {
  const { zone, state, input } = parts(form);
  const crop = new Crop(/** @type {HTMLElement} */ (form.querySelector("[data-crop]")));
  const go = /** @type {HTMLButtonElement} */ (form.querySelector("[data-go]"));
  /** @type {{file: Blob, picture: ImageBitmap} | null} */
  let chosen = null;
  const bytes = Number(form.dataset.bytes);

  /** @param {boolean} [waits] for another file */
  const busy = (waits = false) => form.classList.toggle("busy", !waits);

  /** Shows what was chosen, to be cropped; what the browser cannot read is sent as it is: the server says what is wrong. @param {Blob | undefined} file */
  const choose = async (file) => {
    if (!file || form.classList.contains("busy")) return;
    if (file.type.startsWith("video/")) return void document.dispatchEvent(new CustomEvent("video", { detail: file }));
    state.textContent = "";
    busy();
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
    busy(true);
    if (!picture) return sending(() => send(form, form.action, file, false));
    chosen?.picture.close();
    chosen = { file, picture };
    zone.hidden = true;
    crop.show(picture);
    go.focus();
  };

  /** @param {() => Promise<{url: string}>} how */
  const sending = async (how) => {
    busy();
    state.textContent = gettext("Sending your picture …");
    try {
      location.assign((await how()).url);
    } catch (error) {
      state.textContent = error instanceof Error ? error.message : String(error);
      busy(true);
      input.value = "";
    }
  };

  const upload = async () => {
    if (!chosen) throw new Error(gettext("Choose a picture first."));
    const { file, picture } = chosen, { part } = crop;
    const asItIs = isWhole(part, picture) && TAKEN.includes(file.type) && file.size <= bytes && part.width * part.height <= MOST;
    const side = Math.floor(Math.max(part.width, part.height) * Math.min(1, Math.sqrt(MOST / (part.width * part.height))));
    let whole = asItIs ? file : await encoded(picture, part, side, 0.92);
    if (!whole || whole.size > bytes) whole = await encoded(picture, part, Math.min(side, SIDE), 0.92);
    if (!whole) throw new Error(gettext("Your browser could not cut the picture. Try a smaller one."));
    const small = whole.size > LARGE ? await encoded(picture, part, SMALL, 0.9) : null;
    const begun = await send(form, form.action, small ?? whole, small !== null);
    if (small) {
      state.textContent = gettext("The first dreams begin. The picture itself is still on its way …");
      await send(form, `${begun.url}full/`, whole, false);
    }
    return begun;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (chosen && !form.classList.contains("busy")) void sending(upload);
  });
  form.querySelector("[data-another]")?.addEventListener("click", () => {
    chosen = null;
    crop.section.hidden = true;
    zone.hidden = false;
    input.value = state.textContent = "";
    input.focus();
  });
  receive(form, choose);
  void take().then(choose);
}

if (form) listen(form);

const later = /** @type {HTMLElement | null} */ (document.querySelector("[data-later]"));
if (later) receive(later, async (file) => {
  if (!file) return;
  await put(file).catch(() => {}); // a browser that keeps nothing: the picture is chosen again
  location.assign(later.dataset.later ?? "");
});
