// @ts-check
/**
 * The page's language, for modules: texts are marked with `gettext` and `ngettext`, in English, and looked up in the words
 * that the page names (`<link data-words>`; none for English). A module waits for them before it runs; without
 * them it speaks English. Numbers and times are written by `Intl`.
 */

const root = globalThis.document?.documentElement;

/** English of England: in the American one the month stands before the day. */
export const locale = (root?.lang || "en").replace(/^en$/, "en-GB");

/** @typedef {{ messages: Record<string, string | string[]>, plurals: number[] }} Words */
const words = await (async () => {
  const link = /** @type {HTMLLinkElement | null | undefined} */ (root?.querySelector("link[data-words]"));
  if (!link) return null;
  try {
    const answer = await fetch(link.href, { signal: AbortSignal.timeout(5000) });
    return answer.ok ? /** @type {Words} */ (await answer.json()) : null;
  } catch (error) {
    console.warn("The words of this language cannot be loaded:", error);
    return null;
  }
})();

const numbers = new Intl.NumberFormat(locale);

/** A number as the language writes it. @param {number} n @param {Intl.NumberFormatOptions} [options] */
export const number = (n, options) => (options ? new Intl.NumberFormat(locale, options) : numbers).format(n);

/** @param {string} text @param {Record<string, string | number>} [values] */
const filled = (text, values) =>
  values ? text.replace(/%\((\w+)\)s/g, (whole, name) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? number(value) : value;
  }) : text;

/** The text in the page's language. `%(name)s` in it is the value of that name. @param {string} text @param {Record<string, string | number>} [values] */
export function gettext(text, values) {
  const found = words?.messages[text];
  return filled(typeof found === "string" ? found : text, values);
}

/** One or many, by the language's rule; `%(n)s` is the number. @param {string} one @param {string} many @param {number} n @param {Record<string, string | number>} [values] */
export function ngettext(one, many, n, values) {
  const forms = words?.messages[one];
  const whole = Math.abs(Math.trunc(n)), rule = words?.plurals[whole < 200 ? whole : 100 + (whole % 100)] ?? 0;
  const text = (Array.isArray(forms) && forms[rule]) || (n === 1 ? one : many);
  return filled(text, { n, ...values });
}

/**
 * A word that comes in English, such as the name of a network's class: how the page's language says it, and "en" where it
 * has no word for it. @param {string} english @returns {{ text: string, lang: string }}
 */
export function word(english) {
  const found = words?.messages[english];
  return typeof found === "string" ? { text: found, lang: "" } : { text: english, lang: words ? "en" : "" };
}

/** Such a word in an element, which says in which language it is. @param {HTMLElement} element @param {string} english @param {(said: string) => string} [as] */
export function say(element, english, as = (said) => said) {
  const { text, lang } = word(english);
  element.textContent = as(text);
  if (lang) element.lang = lang;
  else element.removeAttribute("lang");
}

/** Marks a text that is looked up later. @param {string} text */
export const gettext_noop = (text) => text;

const lists = new Intl.ListFormat(locale, { type: "conjunction" });

/** Several names as the language lists them: "Ada, Bo and Cy". @param {string[]} names */
export const listed = (names) => lists.format(names);

/** A span of time with its unit. @param {number} seconds */
export function duration(seconds) {
  if (seconds < 90) return gettext("%(n)s s", { n: Math.round(seconds) });
  if (seconds < 5400) return gettext("%(n)s min", { n: Math.round(seconds / 60) });
  if (seconds < 129_600) return gettext("%(n)s h", { n: Math.round(seconds / 3600) });
  return ngettext("%(n)s day", "%(n)s days", Math.round(seconds / 86_400));
}

/** How long something takes, rounded up. @param {number} seconds */
export const roughly = (seconds) => duration(seconds < 90 ? Math.max(1, Math.ceil(seconds)) : 60 * Math.ceil(seconds / 60));
