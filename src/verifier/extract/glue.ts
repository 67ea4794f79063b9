/**
 * Reads the text between two boxes. It is short, so it is judged by its words: "and", "or" and separators make one list of
 * both boxes, a relation makes them one value, anything else leaves the later box alone.
 */

/** Longest text between two boxes of one list, in characters. */
export const LONGEST_GLUE = 70;

/** How two boxes belong together: `later` and `earlier` say which of two equal ones counts. */
export type Joint = 'and' | 'or' | 'later' | 'earlier' | 'none';

const WRAPPED = /\\(?:text[a-z]*|mathrm|mbox)\s*\{([^{}]*)\}/g;
/** TeX spacing, delimiters of formulas and Markdown emphasis. */
const DRESS = /\\(?:q?quad|displaystyle|left|right|[,;:! ()[\]\\])|[$*_~&`]/g;

const EQUALS = /^(?:=|\\equiv|\\Rightarrow|\\implies|\\iff|\\to|⇒|→|[-=]>)/;
const APPROXIMATES = /^(?:\\approx|\\simeq|\\sim|≈)|^,? ?or (?:about|approximately|roughly)\b/;
const RESTATES = /\b(?:or equivalently|or simply|or just|that is|i\.e\.|in other words|equivalent)\b/;

/** Words of a correction, or of a conclusion that makes the later box a result of the earlier one. */
const REPLACES =
  /\b(?:wait|no|not|nope|actually|correction|corrected|correct|instead|sorry|hmm|oops|rather|mistake|wrong|error|check|verify|so|thus|hence|therefore|then|total|finally|final|answers?|which|giving|gives?|gets?|means|becomes|but|however|simplif\w+|implies|because|since|should)\b|所以|因此|不对|应该/;

const PART = /^[.,;]?\s*(?:(?:part|question|sub-?part)\s)?(?:\(([b-h]|[2-9]|i{2,3}|i?v)\)|(?:[b-h]|[2-9])[).])[:.]?$/;

const JOINER = /\b(?:and|or)\b|[,;，、；和或与及]/g;

/** @param glue What stands between the end of one box and the start of the next. */
export function readGlue(glue: string): Joint {
  if (glue.length > LONGEST_GLUE) return 'none';
  const text = glue.replace(WRAPPED, ' $1 ').replace(DRESS, ' ');
  const bare = text.trim().toLowerCase();
  // The answers to the parts of a problem, each behind its label.
  if (PART.test(bare)) return 'and';
  if (bare === '') return /\n[^\S\n]*\n/.test(glue) ? 'none' : 'and';
  const spaced = bare.replace(/\s+/g, ' ');
  if (APPROXIMATES.test(spaced)) return 'earlier';
  if (EQUALS.test(text.trim()) || RESTATES.test(spaced)) return 'later';
  // The end of a sentence: the next box is another statement.
  if (/[.!?。！？](?:\s|$)/.test(bare)) return 'none';
  if (REPLACES.test(spaced)) return 'none';
  const last = spaced.match(JOINER)?.at(-1);
  if (last === undefined) return 'none';
  return last === 'or' || last === '或' ? 'or' : 'and';
}
