// @ts-check
/**
 * Uploading a picture: chosen, dropped or pasted. A small version travels first, so that work begins at once; the picture
 * itself follows.
 */

const SMALL = 512; // px of the longer side
const LARGE = 400 * 1024; // bytes from which on a small version is worth it

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("[data-upload]"));
document.querySelector(".studio")?.classList.add("ready");

/** @param {Blob} file @returns {Promise<Blob | null>} a small JPEG; null where the browser cannot read it */
async function shrunk(file) {
  try {
    const image = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, SMALL / Math.max(image.width, image.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(image.width * scale));
    canvas.height = Math.max(1, Math.round(image.height * scale));
    const context = canvas.getContext("2d");
    if (!context) return null;
    context.fillStyle = "#fff"; // see-through places are paper
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
  } catch {
    return null;
  }
}

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
  if (!answer.ok) throw new Error(result.detail ?? "The picture did not reach the server. Try again in a moment.");
  return result;
}

/** @param {HTMLFormElement} form */
function listen(form) {
  const zone = /** @type {HTMLElement} */ (form.querySelector(".drop-zone"));
  const state = /** @type {HTMLElement} */ (form.querySelector(".drop-state"));
  const input = /** @type {HTMLInputElement} */ (form.elements.namedItem("picture"));

  const upload = async (/** @type {Blob | undefined} */ file) => {
    if (!file || form.classList.contains("busy")) return;
    form.classList.add("busy");
    state.textContent = "Sending your picture …";
    try {
      const small = file.size > LARGE ? await shrunk(file) : null;
      const { url } = await send(form, form.action, small ?? file, small !== null);
      if (small) {
        state.textContent = "The first dreams begin. The picture itself is still on its way …";
        await send(form, `${url}full/`, file, false);
      }
      location.assign(url);
    } catch (error) {
      state.textContent = error instanceof Error ? error.message : String(error);
      form.classList.remove("busy");
      input.value = "";
    }
  };

  input.addEventListener("change", () => upload(input.files?.[0]));
  for (const type of ["dragover", "dragenter"]) {
    zone.addEventListener(type, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  for (const type of ["dragleave", "drop"]) zone.addEventListener(type, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    upload(event.dataTransfer?.files[0]);
  });
  addEventListener("paste", (event) => upload([...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"))));
}

if (form) listen(form);
