// @ts-check
/** Times of a film, without the page: so that they can be tested alone. */

/** @typedef {{end: number, address: string, x: number, y: number, width: number, height: number}} Tile */

/** @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/**
 * The middle of the picture `by` pictures from the one on the screen: at its edge, rounding would decide which it is.
 * @param {number} now seconds
 * @param {number} by
 * @param {number} fps
 * @param {number} length seconds
 */
export function frameBeside(now, by, fps, length) {
  const last = Math.max(0, Math.round(length * fps) - 1);
  const shown = Math.floor(now * fps + 1e-3);
  return (Math.min(last, Math.max(0, shown + by)) + 0.5) / fps;
}

/**
 * Which chapter a second belongs to, -1 before the first.
 * @param {number[]} starts in rising order
 * @param {number} seconds
 */
export function chapterAt(starts, seconds) {
  return starts.filter((start) => start <= seconds).length - 1;
}

/**
 * The cues of a WebVTT whose words name parts of a picture.
 * @param {string} text
 * @returns {Tile[]}
 */
export function cues(text) {
  const found = [];
  for (const block of text.split(/\n\s*\n/)) {
    const [time, address] = block.trim().split("\n").slice(-2);
    const end = time?.split("-->")[1]?.trim();
    const box = address?.match(/^(.*)#xywh=(\d+),(\d+),(\d+),(\d+)$/);
    if (!end || !box) continue;
    const [x, y, width, height] = box.slice(2).map(Number);
    found.push({ end: seconds(end), address: box[1], x, y, width, height });
  }
  return found;
}

/** @param {string} time hh:mm:ss.ttt */
function seconds(time) {
  return time.split(":").reduce((total, part) => total * 60 + Number(part), 0);
}
