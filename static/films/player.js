// @ts-check
/** The film's player: a line with chapters and previews, single pictures, speed, keys. Without it the browser's own. */

import { chapterAt, clock, cues, frameBeside } from "./times.js";

const stage = /** @type {HTMLElement | null} */ (document.querySelector("[data-player]"));
const video = stage?.querySelector("video");
if (stage && video) play(stage, video);

/**
 * @param {HTMLElement} stage
 * @param {HTMLVideoElement} video
 */
function play(stage, video) {
  const fps = Number(stage.dataset.fps) || 24;
  const address = stage.dataset.address ?? location.href;
  /** @param {string} name */
  const part = (name) => /** @type {HTMLElement} */ (stage.querySelector(`[data-${name}]`));
  const seek = /** @type {HTMLInputElement} */ (part("seek"));
  const speed = /** @type {HTMLSelectElement} */ (part("speed"));
  const length = Number(seek.max);
  const links = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll("[data-chapters] a")]);
  const starts = links.map((link) => Number(link.dataset.at));
  const toFrame = /** @type {HTMLAnchorElement | null} */ (document.querySelector("[data-to-frame]"));
  const copy = /** @type {HTMLElement | null} */ (document.querySelector("[data-share-link]"));
  const played = document.createElement("b");

  video.controls = false;
  part("controls").hidden = false;
  for (const start of starts.slice(1)) {
    const mark = document.createElement("i");
    mark.style.left = `${(100 * start) / length}%`;
    part("marks").append(mark);
  }
  part("marks").prepend(played);

  /** @param {number} seconds */
  const go = (seconds) => {
    video.currentTime = Math.min(Math.max(0, seconds), length);
    show();
  };
  const toggle = () => (video.paused ? void video.play().catch(() => {}) : video.pause());
  /** @param {number} by */
  const step = (by) => {
    video.pause();
    go(frameBeside(video.currentTime, by, fps, length));
  };
  /** @param {number} by */
  const chapter = (by) => {
    // Back leads to the beginning of this one first, as players do.
    const now = chapterAt(starts, video.currentTime + (by < 0 ? -1.5 : 0.05));
    const next = by < 0 ? Math.max(0, now) : now + 1;
    if (next < starts.length) go(starts[next]);
  };
  /** @param {number} by */
  const faster = (by) => {
    speed.selectedIndex = Math.min(Math.max(0, speed.selectedIndex + by), speed.options.length - 1);
    video.playbackRate = Number(speed.value);
  };
  const full = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (stage.requestFullscreen) void stage.requestFullscreen();
    // The iPhone's own player knows full screen, its pages do not.
    else if ("webkitEnterFullscreen" in video) /** @type {any} */ (video).webkitEnterFullscreen();
  };

  /** @type {Record<string, () => void>} */
  const actions = {
    play: toggle,
    back: () => step(-1),
    on: () => step(1),
    loop: () => press("loop", (video.loop = !video.loop)),
    mute: () => press("mute", (video.muted = !video.muted)),
    full,
  };
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (stage.querySelectorAll("[data-action]"))) {
    button.addEventListener("click", () => actions[button.dataset.action ?? ""]?.());
  }

  /**
   * @param {string} name
   * @param {boolean} on
   */
  function press(name, on) {
    const button = stage.querySelector(`[data-action="${name}"]`);
    button?.setAttribute("aria-pressed", String(on));
    const icons = button?.querySelectorAll("svg") ?? [];
    if (icons.length === 2) icons.forEach((icon, index) => icon.toggleAttribute("hidden", on === (index === 0)));
  }

  function show() {
    const now = video.currentTime;
    if (document.activeElement !== seek || !seek.matches(":active")) seek.value = String(now);
    played.style.width = `${(100 * now) / length}%`;
    part("time").textContent = clock(now);
    seek.setAttribute("aria-valuetext", `${clock(now)} / ${clock(length)}`);
    const current = chapterAt(starts, now + 0.01);
    part("chapter").textContent = links[current]?.lastChild?.textContent?.trim() ?? "";
    links.forEach((link, index) => {
      if (index === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
    const at = now.toFixed(2).replace(/\.?0+$/, "");
    if (toFrame) toFrame.search = `?t=${at}`;
    if (copy) copy.dataset.shareLink = now > 0.5 ? `${address}?t=${at}` : address;
  }

  const button = /** @type {HTMLElement} */ (stage.querySelector('[data-action="play"]'));
  const words = [button.getAttribute("aria-label") ?? "", button.dataset.other ?? ""];
  const state = () => {
    const [playIcon, pauseIcon] = button.querySelectorAll("svg");
    playIcon.toggleAttribute("hidden", !video.paused);
    pauseIcon.toggleAttribute("hidden", video.paused);
    button.setAttribute("aria-label", words[video.paused ? 0 : 1]);
  };
  for (const event of ["play", "pause", "ended"]) video.addEventListener(event, state);
  for (const event of ["timeupdate", "seeked", "loadedmetadata"]) video.addEventListener(event, show);
  video.addEventListener("click", toggle);
  seek.addEventListener("input", () => go(Number(seek.value)));
  speed.addEventListener("change", () => (video.playbackRate = Number(speed.value)));
  for (const [index, link] of links.entries()) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      go(starts[index]);
      history.replaceState(null, "", link.href);
      stage.scrollIntoView({ block: "nearest" });
    });
  }
  const begin = Number(stage.dataset.begin);
  if (begin > 0) {
    if (video.readyState > 0) go(begin);
    else video.addEventListener("loadedmetadata", () => go(begin), { once: true });
  }

  /** @type {Record<string, () => void>} */
  const keys = {
    " ": toggle, k: toggle, ",": () => step(-1), ".": () => step(1), "<": () => faster(-1), ">": () => faster(1),
    ArrowLeft: () => go(video.currentTime - 5), ArrowRight: () => go(video.currentTime + 5),
    j: () => go(video.currentTime - 10), l: () => go(video.currentTime + 10),
    n: () => chapter(1), p: () => chapter(-1), f: full, m: actions.mute, Home: () => go(0), End: () => go(length),
  };
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
    const on = event.target instanceof Element ? event.target : null;
    if (on?.closest("select, textarea, [contenteditable], input:not([type=range])")) return;
    // A button is pressed with the space bar, wherever it stands.
    if (event.key === " " && on?.closest("button, a, summary")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = /^[0-9]$/.test(key) ? () => go((length * Number(key)) / 10) : keys[key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  void previews(stage, length, (seconds) => {
    return links[chapterAt(starts, seconds)]?.lastChild?.textContent?.trim() ?? "";
  });
  show();
}

/**
 * What is there where the pointer is on the line.
 * @param {HTMLElement} stage
 * @param {number} length
 * @param {(seconds: number) => string} titleAt
 */
async function previews(stage, length, titleAt) {
  const bar = /** @type {HTMLElement} */ (stage.querySelector("[data-bar]"));
  const box = /** @type {HTMLElement} */ (stage.querySelector("[data-preview]"));
  const picture = /** @type {HTMLElement} */ (stage.querySelector("[data-preview-picture]"));
  const words = /** @type {HTMLElement} */ (stage.querySelector("[data-preview-text]"));
  /** @type {ReturnType<typeof cues>} */
  let tiles = []; // until they are here, the time alone
  const hide = () => (box.hidden = true);
  /** @param {PointerEvent} event */
  const show = (event) => {
    const edge = bar.getBoundingClientRect();
    const fraction = Math.min(1, Math.max(0, (event.clientX - edge.left) / edge.width));
    const seconds = fraction * length;
    const tile = tiles.find((cue) => seconds < cue.end) ?? tiles.at(-1);
    if (tile) {
      picture.style.backgroundImage = `url("${tile.address}")`;
      picture.style.backgroundPosition = `-${tile.x}px -${tile.y}px`;
      picture.style.width = `${tile.width}px`;
      picture.style.height = `${tile.height}px`;
    }
    words.textContent = [clock(seconds), titleAt(seconds)].filter(Boolean).join(" · ");
    box.hidden = false;
    const half = box.offsetWidth / 2;
    box.style.left = `${Math.min(edge.width - half, Math.max(half, fraction * edge.width)) - half}px`;
  };
  bar.addEventListener("pointermove", show);
  bar.addEventListener("pointerdown", show);
  for (const event of ["pointerleave", "pointercancel"]) bar.addEventListener(event, hide);
  bar.addEventListener("pointerup", (event) => event.pointerType !== "mouse" && hide());
  const answer = await fetch(stage.dataset.previews ?? "", { signal: AbortSignal.timeout(30_000) });
  if (answer.ok) tiles = cues(await answer.text());
}
