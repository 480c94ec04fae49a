// @ts-check
/** Tells the server the viewer's time zone, so that its days and hours are the viewer's own. */

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** What the server knew when it made the page. */
export function storedZone() {
  return document.cookie.split("; ").find((cookie) => cookie.startsWith("zone="))?.slice(5) ?? "";
}

/** Whether the server made this page for another zone than ours. */
export const zoneChanged = storedZone() !== zone;
if (zoneChanged) document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax`;

// A page whose days and hours are the server's is fixed for once more, the first time, and never again: only if the
// cookie was kept, and only where nobody fixed for a certain zone.
const usedZone = document.querySelector("[data-zone-used]")?.getAttribute("data-zone-used");
const fixed = new URLSearchParams(location.search).has("zone");
if (usedZone && usedZone !== zone && zoneChanged && !fixed && storedZone() === zone) {
  history.scrollRestoration = "manual"; // an address that names an hour means that hour, not the top where this page stood
  location.reload();
}
if (location.hash && history.scrollRestoration === "manual") {
  addEventListener("load", () => document.getElementById(location.hash.slice(1))?.scrollIntoView());
}
