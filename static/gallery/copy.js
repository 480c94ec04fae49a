// @ts-check
/** Buttons that copy: `<button data-copy="words" data-copied="Copied" hidden><span>Copy</span></button>`. */

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-copy]"))) {
  // Without https there is no clipboard; then the words beside the button have to do.
  if (!navigator.clipboard) continue;
  button.hidden = false;
  const words = button.querySelector("span") ?? button;
  const before = words.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy || location.href);
    words.textContent = button.dataset.copied ?? before;
    setTimeout(() => (words.textContent = before), 2000);
  });
}
