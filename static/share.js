// @ts-check
/**
 * Handing a link on: by the system's own sheet where it has one, else by the clipboard.
 * `<button data-share-link="address" data-copied="Link copied" hidden><span>Share</span></button>`
 */

const SHOWN_MS = 2000;

/** Whether this browser can do either; without https it can do neither. */
export const canShare = Boolean(navigator.share || navigator.clipboard);

/** @param {string} text @returns {Promise<"copied" | "failed">} */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return "copied";
  } catch {
    return "failed";
  }
}

/**
 * @param {string} url @param {string} [title]
 * @returns {Promise<"shared" | "copied" | "failed">} "shared" also where somebody closed the sheet again
 */
export async function share(url, title = document.title) {
  // On a desktop the system's sheet is a detour: what people want there is the link.
  if (navigator.share && matchMedia("(pointer: coarse)").matches) {
    try {
      await navigator.share({ url, title });
      return "shared";
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return "shared";
    }
  }
  return copy(url);
}

/** Hands the file itself on, where the system can: what one posts is the film, not the way to it. */
for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-share-file]"))) {
  const type = "video/mp4";
  const named = button.dataset.fileName ?? "film.mp4";
  if (!navigator.canShare?.({ files: [new File([""], named, { type })] })) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const answer = await fetch(button.dataset.shareFile ?? "");
      if (answer.ok) await navigator.share({ files: [new File([await answer.blob()], named, { type })] });
    } catch {
      // Closed again, or the file took so long that the system no longer takes it for the visitor's wish: once more.
    }
    button.disabled = false;
  });
}

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-share-link]"))) {
  if (!canShare) continue;
  button.hidden = false;
  const words = button.querySelector("span") ?? button;
  const before = words.textContent;
  button.addEventListener("click", async () => {
    if ((await share(button.dataset.shareLink || location.href)) !== "copied") return;
    words.textContent = button.dataset.copied ?? before;
    setTimeout(() => (words.textContent = before), SHOWN_MS);
  });
}
