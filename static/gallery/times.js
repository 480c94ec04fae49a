// @ts-check
/** Moments as people and addresses write them. */

import { locale } from "../i18n.js";
import { zone } from "./zone.js";

const day = new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short", timeZone: zone });
const time = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: zone });
const coarse = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });

/** Short, by the viewer's clock. @param {number} ms */
export function dayOf(ms) {
  return day.format(ms);
}

/** @param {number} ms @param {boolean} [seconds] */
export function timeOf(ms, seconds = true) {
  return (seconds ? time : coarse).format(ms);
}

/** As addresses have it, whole seconds in UTC. @param {number} ms */
export function nameOf(ms) {
  return `${new Date(Math.round(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

/** The page of a moment. @param {number} ms @param {string} canvas its slug, when the page was given one */
export function pageOf(ms, canvas = new URLSearchParams(location.search).get("canvas") ?? "") {
  return `/history/${nameOf(ms)}${canvas ? `?canvas=${encodeURIComponent(canvas)}` : ""}`;
}

/** The same for programs. @param {string} page a moment's address */
export function jsonOf(page) {
  const url = new URL(page, location.href);
  url.pathname += ".json";
  url.searchParams.set("zone", zone);
  return url;
}
