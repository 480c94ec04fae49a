// @ts-check
/** The place of a film of one's own: dragged out on the picture, or written as numbers. */

const form = document.querySelector("[data-own-film]");
if (form instanceof HTMLFormElement) place(form);

/** @param {HTMLFormElement} form */
function place(form) {
  const picture = /** @type {SVGSVGElement} */ (form.querySelector("[data-place] svg"));
  const shade = /** @type {SVGPathElement} */ (form.querySelector("[data-shade]"));
  const frame = /** @type {SVGRectElement} */ (form.querySelector("[data-rect]"));
  const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name)));
  const least = Number(form.dataset.least); // px that a side must have
  const whole = picture.viewBox.baseVal;
  const help = form.querySelector("[data-place-help]");
  if (help instanceof HTMLElement) help.hidden = false;
  /** @type {{x: number, y: number} | null} */
  let from = null;

  for (const input of [x, y, width, height]) input.addEventListener("input", draw);
  picture.addEventListener("pointerdown", (event) => {
    from = at(event);
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", (event) => {
    if (from) choose(from, at(event));
  });
  picture.addEventListener("pointerup", (event) => {
    if (from) choose(from, at(event));
    from = null;
  });
  picture.addEventListener("pointercancel", () => (from = null));
  draw();

  /** Where on the canvas a pointer is, px. @param {PointerEvent} event */
  function at(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM()?.inverse());
    return { x: Math.min(Math.max(point.x, 0), whole.width), y: Math.min(Math.max(point.y, 0), whole.height) };
  }

  /** @param {{x: number, y: number}} one @param {{x: number, y: number}} other */
  function choose(one, other) {
    const wide = Math.abs(one.x - other.x);
    const tall = Math.abs(one.y - other.y);
    if (wide < least || tall < least) return; // a tap chooses nothing
    x.value = String(Math.round(Math.min(one.x, other.x)));
    y.value = String(Math.round(Math.min(one.y, other.y)));
    width.value = String(Math.round(wide));
    height.value = String(Math.round(tall));
    draw();
  }

  function draw() {
    const [left, top] = [x, y].map((input) => Math.max(0, Number(input.value) || 0));
    // What reaches beyond the canvas is cut off, as it will be in the film.
    const wide = Math.min(Number(width.value) || 0, whole.width - left);
    const tall = Math.min(Number(height.value) || 0, whole.height - top);
    const chosen = wide > 0 && tall > 0;
    const hole = chosen ? `M${left} ${top}h${wide}v${tall}h${-wide}z` : "";
    shade.setAttribute("d", chosen ? `M0 0h${whole.width}v${whole.height}H0z${hole}` : "");
    for (const [name, value] of Object.entries({ x: left, y: top, width: wide, height: tall })) frame.setAttribute(name, String(chosen ? value : 0));
  }
}
