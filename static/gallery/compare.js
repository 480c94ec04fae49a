// @ts-check
/**
 * Before and after, one above the other, with an edge that can be moved: by pointer, finger and keys.
 *
 * ```html
 * <figure class="compare" data-compare>
 *   <div class="compare-pictures">
 *     <span class="compare-side"><img src="before" alt="…"><b>Before</b></span>
 *     <span class="compare-side"><img src="after" alt="…"><b>After</b></span>
 *     <input type="range" aria-label="…" hidden>
 *   </div>
 *   <figcaption>…</figcaption>
 * </figure>
 * ```
 *
 * Without this script the two stand side by side, each with its name. With it the figure gets `compare-live`, and
 * `--at` (0 % to 100 %) says where the edge is: the first picture is seen to its left. To move the edge from
 * elsewhere, set the input's value (0 to 100) and send it an `input` event. The pictures may change at any time, and may be videos.
 */

/** @param {HTMLElement} figure */
export function compare(figure) {
  const input = figure.querySelector("input[type=range]");
  if (!(input instanceof HTMLInputElement) || figure.querySelectorAll("img, video").length < 2) return;
  input.min = "0";
  input.max = "100";
  input.step = "any"; // the pointer moves the edge by pixels; keys still go by a hundredth
  input.value = input.getAttribute("value") ?? "50";
  const show = () => {
    figure.style.setProperty("--at", `${input.valueAsNumber}%`);
    input.setAttribute("aria-valuetext", `${Math.round(input.valueAsNumber)} %`);
  };
  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    // Pages turn by the same keys; while the edge has them, they are its own. Shift makes strides.
    if (!["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.stopPropagation();
    if (!event.shiftKey) return;
    event.preventDefault();
    const forward = event.key === "ArrowRight" || event.key === "ArrowUp";
    input.valueAsNumber += (forward ? 1 : -1) * 10;
    show();
  });
  input.hidden = false;
  figure.classList.add("compare-live");
  show();
}

for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-compare]"))) {
  compare(figure);
}
