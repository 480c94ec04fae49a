// @ts-check
/**
 * A clock that only goes forward: ms since 1970 as the page began, and from there on by the machine's own count. Whoever sets the
 * computer's clock by hours changes no wait, loses no connection, and dates no stroke wrongly.
 *
 * @returns {number}
 */
export function steady() {
    return Math.round(performance.timeOrigin + performance.now());
}
