/** The written forms that prose is cut into: sticky patterns, each of which takes time in proportion to what it matches. */

/** What `pattern`, which is sticky, matches at `at`, or null. */
export function match(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

/** Number with its currency sign and percent sign; groups of thousands by the usual separators. */
export const NUMBER =
  /(?:\\?[$€£¥₹]\s?)?(?:\d{1,3}(?:(?:,\\!\s?|\\!,(?:\\!)?|\s?\{\s?,\s?\}|\\,|,|'|[\u00a0\u2009\u202f ])\d{3})+(?!\d)|\d+)?(?:[.,]?\d+)?(?:\.?\\(?:overline|bar|dot)\{\d{1,20}\})?(?:[eE][+-]?\d{1,6}(?![\w]))?/y;
export const ORDINAL = /(?:st|nd|rd|th)\b|-[A-Za-z]{2,}/y;
export const WORD =
  /[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f](?:[A-Za-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]|_(?=[A-Za-z0-9]))*(?:['’][A-Za-z]+|-[A-Za-z][A-Za-z]+)*/y;
/** `p.m.`, `i.e.`; at least two letters with a stop each. */
export const ABBREVIATION = /(?:[A-Za-z]\.){2,6}/y;
export const NEXT_WORD = / [A-Za-z-]{2,20}/y;
export const MACRO = /\\[A-Za-z]+\*?/y;
export const TAG = /<\/?(?:b|i|u|em|strong|span|p|code|br|div|center|answer|think)\b[^<>\n]{0,100}>/iy;
export const IDEOGRAPHS = /[\u3040-\u30ff\u3400-\u9fff]+/y;
export const LIST_MARK = /(?:\d{1,2}[.)]|[-*+•]|\([a-z\d]\))[ \t]{1,20}(?=\S)/y;

export const SHORTENED = /^(?:approx|vs|etc|cf|dr|mr|mrs|ms|no|fig|eq|st|resp|e\.g|i\.e)$/i;
export const LETTER = /[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]/;
export const MATH_CHARACTER = /[\p{Sm}\p{Sc}\p{No}\p{Script=Greek}°′″·…]/u;
export const EMPHASIS = /[*_`#~"“”>]/;
