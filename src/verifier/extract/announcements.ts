/**
 * Tells whether a word announces an answer: "the answer is", "Answer:", a "Final Answer" heading, `####`, "the correct option
 * is", 答案. It looks at a bounded number of characters around the word.
 */

/** What a candidate announces. `final` outranks a solution that follows; `label` may only head one. */
export interface Announcement {
  kind: 'hashes' | 'phrase';
  start: number;
  sort: 'final' | 'sentence' | 'label';
}

const LOOK_AHEAD = 140;
const LOOK_BEHIND = 40;

/** What any announcement has, in lower case. */
export const MARKERS = ['ans', '####', 'option', 'choice', '答案', '选'] as const;
export type Marker = (typeof MARKERS)[number];

const NAME = /^ans(?:wers?)?(?![a-z0-9])["'’`*_)\]]{0,4}/;
/** Words between "answer" and its verb. */
const FILLER =
  '(?:\\s?\\([^()\\n]{0,40}\\)|\\s(?:to|for|of|in|as|we|that|i|from|choice|option|here|key|would|set|after|when|rounded|then|therefore|thus)\\b[^\\n.!?:;,]{0,80}?)?';
const VERB =
  "(?:[:：]|=(?!=)|(?<![a-z])(?:is|are|was|were|equals?|becomes?|reads)(?![a-z'’])|(?<![a-z])(?:will|would|should|must|can only|has to|have to)(?:\\s[a-z]{2,9})?\\s(?:be|equal)(?![a-z])|(?:comes?|turns?|works?) out (?:to be|to|as)(?![a-z]))";
const STATES = new RegExp(`^${FILLER}["'’\`*_)\\]]{0,4}\\s{0,3}${VERB}["'’\`*_)\\]]{0,4}`);
const OF_VALUE = /^ of (?=[-\d$\\(])/;
const FORMULA_FOLLOWS = /^\s{0,3}(?=\$|\\\(|\\\[)/;
const HEADING = /^[ \t*_#:："'`]{0,12}\n/;
const UNDETERMINED = /^ (?=(?:cannot|can not|can't|can’t) be (?:determined|found|computed|calculated))/;

const LINE_START =
  /(?:^|\n)[ \t>#*_`"'([{<\d.)-]{0,12}(?:(?:so|thus|hence|therefore),? )?(?:(?:the|my|our)[ _])?(?:(?:final|correct)[ _])?$/;
const FINAL = /\bfinal[ _*]{1,3}$/;
const HYPOTHETICAL = /\b(?:if|whether|suppose|assume|assuming|unless|your|possible|each)\s(?:[a-z]+\s){0,3}$/;
const VERBAL = /\b(?:to|can|please|must|should|could|you|cannot|can't|not)\s$/;

/** `not 5 but 6` states 6. */
const CORRECTED = /^\s*not\s[^.\n]{0,60}?\b(?:but|rather)\b/;

/** `答案是`, `【答案】`. */
const CHINESE = /^答案(?:[^\n。！？：:=是为】]{0,12}[是为：:=]{1,3}|[】\]]\s{0,3}[:：]?)/;
const CHOSEN = /^选[项择]?[是为：:]?\s{0,3}[（(]?(?=[a-j])/;
/** `故选`, `本题选`, `答案选`; `正确的选项是`. */
const CHOOSES = /[故应以可此该题案]$|(?:正确|题意|成立)的?$/;

/** "answer" at `at`; -1 where it announces nothing. */
function announcedByAnswer(lower: string, at: number): Announcement | null {
  if (/[a-z0-9</\\-]/.test(lower.charAt(at - 1))) return null;
  const ahead = lower.slice(at, at + LOOK_AHEAD);
  const name = NAME.exec(ahead)?.[0];
  if (name === undefined) return null;
  const behind = lower.slice(Math.max(0, at - LOOK_BEHIND), at);
  const final = FINAL.test(behind);
  const rest = ahead.slice(name.length);
  const from = at + name.length;
  const heads = LINE_START.test(behind) && (at <= LOOK_BEHIND || behind.includes('\n'));
  if (
    name.startsWith('answer') ? HYPOTHETICAL.test(behind) || (!final && VERBAL.test(behind)) : !/^\s?[:：=.]/.test(rest)
  ) {
    return null;
  }
  const sort = final ? 'final' : 'sentence';
  if (heads) {
    const heading = HEADING.exec(rest);
    if (heading) return { kind: 'phrase', start: from + heading[0].length, sort: final ? 'final' : 'label' };
  }
  const states = STATES.exec(rest);
  if (states) {
    const start = from + states[0].length;
    const after = lower.slice(start, start + 90);
    const corrected = CORRECTED.exec(after);
    if (corrected) return { kind: 'phrase', start: start + corrected[0].length, sort };
    if (/^\s*(?:not|n't)\b/.test(after)) return null;
    return { kind: 'phrase', start, sort: sort === 'sentence' && /[:：]/.test(states[0]) ? 'label' : sort };
  }
  if (heads || final) {
    const formula = FORMULA_FOLLOWS.exec(rest);
    if (formula) return { kind: 'phrase', start: from + formula[0].length, sort };
  }
  const direct = OF_VALUE.exec(rest) ?? UNDETERMINED.exec(rest);
  return direct && { kind: 'phrase', start: from + direct[0].length, sort };
}

const PREFERRED = /\b(?:correct|right|best|final|true|valid)\s(?:answer\s)?$/;
const STATES_CHOICE = /^(?:option|choice)s?\s{0,2}(?:[:：=]|is(?![a-z'’]))[*_`"']{0,4}/;

/** What `marker` at `at` announces; `lower` is the text in lower case. Null where it announces nothing. */
export function announcement(lower: string, marker: Marker, at: number): Announcement | null {
  if (marker === 'ans') return announcedByAnswer(lower, at);
  const ahead = lower.slice(at, at + LOOK_AHEAD);
  if (marker === '####') {
    if (lower[at - 1] === '#' || lower[at + 4] === '#') return null;
    return { kind: 'hashes', start: at + 4, sort: 'label' };
  }
  const phrase = (pattern: RegExp, sort: Announcement['sort']): Announcement | null => {
    const found = pattern.exec(ahead);
    return found && { kind: 'phrase', start: at + found[0].length, sort };
  };
  if (marker === '答案')
    return phrase(CHINESE, /最终$/.test(lower.slice(Math.max(0, at - 2), at)) ? 'final' : 'sentence');
  if (marker === '选') return CHOOSES.test(lower.slice(Math.max(0, at - 4), at)) ? phrase(CHOSEN, 'sentence') : null;
  return PREFERRED.test(lower.slice(Math.max(0, at - LOOK_BEHIND), at)) ? phrase(STATES_CHOICE, 'sentence') : null;
}
