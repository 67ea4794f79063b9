/**
 * Finds the answer that a completion states. Announced answers rank before asserted ones, an `<answer>` before a box, and
 * among equals the last one counts. Everything is searched from the end and once, so an answer near the end of a long
 * completion costs little and hostile text costs time in proportion to its length.
 */
import { assertedAnswer, bareAnswer, type Assertion } from './asserted';
import { type BoxList, findBoxes } from './boxes';
import { hasCode, lastBlock, maskCode } from './code';
import { describe, type Description } from './describe';
import { findPhrase, lowerCase } from './phrases';
import { isPlaceholder } from './placeholder';
import { ProseReader } from './prose';
import { runAt } from './runs';
import { sentenceWords } from './vocabulary';
import { afterThinking, answeringTurns, hasStructure, problemParts, type Span } from './turns';

export { ASSERTED_CHARACTERS } from './asserted';
export { lastBox } from './boxes';

/** How an answer was stated: in a box, an `<answer>` tag, after `####`, in words, or without any announcement. */
export type StatementKind = 'box' | 'tag' | 'hashes' | 'phrase' | 'asserted';

export interface Statement {
  kind: StatementKind;
  /** One text, or one for each item where several boxes or formulas form one list. */
  texts: string[];
  /** The items are candidates joined by "or". */
  joinedByOr: boolean;
  /** The answer as written, for reports. */
  shown: string;
  /** Index in the completion just after the statement. */
  end: number;
  /** Other readings, best first, for when `texts` does not parse. */
  alternatives: string[];
}

export interface ExtractOptions {
  /** `boxed` counts complete boxes only. Default `any`. */
  statement?: 'any' | 'boxed';
  /** `gold`: a text that announces no answer may itself be one. Default `answer`. */
  role?: 'answer' | 'gold';
}

/** A gold answer up to this length is one, if it is no more than a sentence. */
const GOLD_CHARACTERS = 400;

/** A longer sentence is a report: none of its values is taken for its answer. */
const MOST_CLAUSE_WORDS = 12;

const TAG = 'answer>';
const MOST_TAGS = 100;

type Found = Omit<Statement, 'shown'>;

/** The text states that it has no answer yet: nothing else in it is looked at. */
const NOTHING: Found = { kind: 'box', texts: [], joinedByOr: false, alternatives: [], end: 0 };

/** The statement of one part of a text, with `end` counted from the start of the text. */
function fromBoxes(list: BoxList, kind: StatementKind, end = list.boxes[list.boxes.length - 1].end): Found {
  const texts = list.boxes.map(({ text }) => text);
  const [first] = texts;
  // Words in a box may hold the value: `The answer is 5`.
  const worded = texts.length === 1 && first.length < 400 && /[A-Za-z]{2,}[ }][^\\]*[A-Za-z]{2,} /.test(first);
  const description = worded ? describeFirst(first) : null;
  const alternatives = description ? description.texts.filter((text) => text !== first) : [];
  return { kind, texts, joinedByOr: list.joinedByOr, alternatives, end };
}

function describeFirst(text: string): Description | null {
  const sentence = new ProseReader(text, 0, text.length, { numberWords: true }).sentence();
  return sentence && describe(sentence.tokens);
}

function fromTag(content: string, end: number): Found | null {
  const boxes = findBoxes(content);
  if (boxes?.complete) return fromBoxes(boxes, 'tag', end);
  if (isPlaceholder(content)) return null;
  const phrase = findPhrase(content, 0);
  if (phrase?.strong) return { ...toFound(phrase), kind: 'tag', end };
  const bare = wholeText(content) ?? null;
  if (bare) return { kind: 'tag', ...bare, end };
  const asserted = assertedAnswer(content);
  const whole = content.trim();
  return asserted
    ? { kind: 'tag', ...asserted, alternatives: [...asserted.alternatives, whole], end }
    : { kind: 'tag', texts: [whole], joinedByOr: false, alternatives: [], end };
}

/** The last complete `<answer>`, else one that nothing closes. */
function findTag(text: string): Found | null {
  const lower = lowerCase(text);
  let close: number | null = null;
  let unclosed: Found | null = null;
  let at = lower.lastIndexOf(TAG);
  for (let tags = 0; at > 0 && tags < MOST_TAGS; tags++, at = lower.lastIndexOf(TAG, at - 1)) {
    const start = at + TAG.length;
    if (lower[at - 1] === '/') close = at - 2;
    else if (lower[at - 1] !== '<') continue;
    else if (close !== null) {
      const found = fromTag(text.slice(start, close), close + 2 + TAG.length);
      if (found) return found;
      close = null;
    } else {
      unclosed ??= fromTag(text.slice(start), text.length);
    }
  }
  return unclosed;
}

const toFound = ({ kind, texts, joinedByOr, alternatives, end }: Found): Found => ({
  kind,
  texts,
  joinedByOr,
  alternatives,
  end,
});

const fromAssertion = (assertion: Assertion | null): Found | null => assertion && { kind: 'asserted', ...assertion };

/** The announced answer of a text without turns and thinking. */
function announced(text: string, boxedOnly: boolean, tagged: boolean, isGold = false): Found | null {
  const tag = tagged && !boxedOnly ? findTag(text) : null;
  if (tag) return tag;
  const list = findBoxes(text);
  const box = list?.complete && list.withdrawn === null ? list : null;
  if (boxedOnly) return box && fromBoxes(box, 'box');
  const phrase = findPhrase(text, list?.withdrawn ?? (box ? box.boxes[box.boxes.length - 1].end : 0));
  if (box) return phrase?.strong ? toFound(phrase) : fromBoxes(box, 'box');
  const open = list?.boxes[0];
  if (list && list.withdrawn !== null && !isGold) return phrase?.strong ? toFound(phrase) : NOTHING;
  if (list && open && (!phrase || (!phrase.strong && phrase.end < open.start))) return fromBoxes(list, 'box');
  return phrase && toFound(phrase);
}

const shifted = (found: Found | null, by: number): Found | null => found && { ...found, end: found.end + by };

const assertedIn = (text: string): Found | null => fromAssertion(bareAnswer(text) ?? assertedAnswer(text));

/** Whether a text asserts a value or a choice, not only words. */
const hasValue = (found: Found): boolean => found.texts.some((text) => /\d|\\|^\(?[A-J]\)?$/.test(text));

/** The announced answer after the thinking; else a value that is asserted there; else what the thinking announces. */
function announcedAround(text: string, boxedOnly: boolean): Found | null {
  const tagged = !boxedOnly && /<answer>/i.test(text);
  const at = afterThinking(text);
  if (at === 0) return announced(text, boxedOnly, tagged);
  const after = text.slice(at);
  const found = announced(after, boxedOnly, tagged);
  if (found) return shifted(found, at);
  const asserted = boxedOnly ? null : assertedIn(after);
  if (asserted && hasValue(asserted)) return shifted(asserted, at);
  return announced(text.slice(0, at), boxedOnly, tagged);
}

function assertedAround(text: string): Found | null {
  const at = afterThinking(text);
  return shifted(assertedIn(text.slice(at)), at) ?? (at === 0 ? null : assertedIn(text.slice(0, at)));
}

const PROMPT = /^\s{0,20}[*#]{0,6} ?(?:problem|question|q|exercise)\b[*]{0,2} ?[:.]/i;
const REPLY = /\n[ \t]{0,4}[*#]{0,6} ?(?:solution|answer|a)[*]{0,2}:[*]{0,2}/gi;

/** Index after the problem that a text repeats before it answers; 0 where it repeats none. */
function afterPrompt(text: string): number {
  if (!PROMPT.test(text)) return 0;
  const reply = [...text.matchAll(REPLY)].at(0);
  return reply ? reply.index + reply[0].length : 0;
}

/** The answer of one turn, or null. */
function inTurn(turn: string, span: Span, boxedOnly: boolean): Found | null {
  const masked = hasCode(turn) ? maskCode(turn) : turn;
  for (const part of problemParts(masked)) {
    const text = masked.slice(part.start, part.end);
    const found = shifted(announcedAround(text, boxedOnly), part.start);
    if (found) return found;
  }
  if (masked !== turn) {
    const found = announced(turn, boxedOnly, false);
    if (found) return found;
  }
  if (span.announcedOnly || boxedOnly) return null;
  const [problem] = problemParts(masked);
  const start = afterPrompt(masked.slice(0, problem.end));
  const found = shifted(assertedAround(masked.slice(start, problem.end)), start);
  if (found || masked === turn) return found;
  const block = lastBlock(turn);
  return block && shifted(fromAssertion(bareAnswer(block.text)), block.end - block.text.length);
}

const TEXT_COMMAND = /\\(?:text[a-z]*|mathrm|mbox|operatorname)\s?\{\s*(?:and|or|if|for|otherwise)?\s*\}/g;
/** Macros, functions in plain letters, and up to three letters that stand between mathematics. */
const NO_PROSE = /\\[A-Za-z]+|(?<![A-Za-z])(?:sin|cos|tan|cot|sec|csc|log|ln|lg|exp|sqrt|and|or|mod)(?![A-Za-z])/g;

/** Whether a text is a formula as it stands, with no delimiters and no word of prose: then every letter is a variable. */
function isFormulaOnly(text: string): boolean {
  if (
    !/[\\^_=<>+*/(]|[A-Za-z0-9] [A-Za-z](?![A-Za-z])/.test(text) ||
    /[$`"?!]|\\[([\]]|\*\*|[^\p{ASCII}≤≥≠π∞√²³°×÷±·−]/u.test(text)
  )
    return false;
  const letters = text.replace(TEXT_COMMAND, ' ').replace(NO_PROSE, ' ');
  return !/[A-Za-z]{2}/.test(letters);
}

/** A text that is an answer as a whole: its list of formulas, or the text; null where it is more than a sentence. */
function wholeText(text: string): Omit<Found, 'kind' | 'end'> | null {
  const bare = text.trim();
  if (bare === '' || bare.length > GOLD_CHARACTERS) return null;
  if (isFormulaOnly(bare)) return { texts: [bare], joinedByOr: false, alternatives: [] };
  const reader = new ProseReader(bare, 0, bare.length, { numberWords: true });
  const first = reader.sentence();
  if (!first) return { texts: [bare], joinedByOr: false, alternatives: [] };
  if (reader.sentence()) return null;
  const { tokens } = first;
  const run = runAt(tokens, 0);
  const covers = run !== null && run.first === 0 && run.next === tokens.length;
  if (covers && tokens.some(({ type }) => type === 'formula')) {
    return { texts: run.texts, joinedByOr: run.joinedByOr, alternatives: run.texts.length > 1 ? [bare] : [] };
  }
  const described = describe(tokens);
  // `There are 12 ways.`
  const words = tokens.filter(({ type }) => type === 'word');
  const isClause =
    words.length <= MOST_CLAUSE_WORDS && words.some(({ text: word }) => sentenceWords.has(word.toLowerCase()));
  if (described?.grade === 'value' && isClause) {
    return { texts: described.texts, joinedByOr: described.joinedByOr, alternatives: [bare] };
  }
  const alternatives = described
    ? [...described.texts, ...described.alternatives].filter((other) => other !== bare)
    : [];
  return { texts: [bare], joinedByOr: false, alternatives: [...new Set(alternatives)].slice(0, 4) };
}

const asGold = (text: string): Found | null =>
  text.trim() === ''
    ? null
    : { kind: 'asserted', texts: [text.trim()], joinedByOr: false, alternatives: [], end: text.length };

/** Words of a sentence, not of TeX. */
const PROSE = /(?:(?<![\\A-Za-z])[A-Za-z]{2,}[\s,]+){3}/;

/** A gold that is the answer as a whole; null where it is prose of several sentences. Formulas may be of any length. */
function wholeGold(text: string): Found | null {
  const whole = wholeText(text);
  if (whole) return { kind: 'asserted', ...whole, end: text.length };
  return PROSE.test(text) ? null : asGold(text);
}

function finished(found: Found | null): Statement | null {
  if (found?.texts.length === 0) return null;
  return found && { ...found, shown: found.texts.join(found.joinedByOr ? ' or ' : ', ') };
}

/** A call in a line of code: what it is given is no answer. */
const CALL = /`[^`\n]{0,200}[A-Za-z_]{2}\([^`\n]{0,200}`/g;

/** The text with ASCII digits and without calls in inline code, every character in its place. */
function legible(text: string): string {
  let result = text;
  if (/[０-９]/.test(text)) {
    result = result.replace(/[０-９]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) - 0xfee0));
  }
  return result.includes('`') ? result.replace(CALL, (code) => ' '.repeat(code.length)) : result;
}

/**
 * The answer that `text` states, or null where it states none.
 *
 * What counts: the first reply of a transcript, up to where it runs on into another turn or problem; in it the text after the
 * thinking, then the thinking; in that `<answer>`, then the last of boxes, `####` and phrases such as "the answer is", then
 * the value that the last sentences assert. Fenced code counts last.
 */
export function extractAnswer(text: string, options: ExtractOptions = {}): Statement | null {
  const completion = legible(text);
  const boxedOnly = options.statement === 'boxed';
  const isGold = options.role === 'gold';
  if (!hasStructure(completion)) {
    const found = announced(completion, boxedOnly, false, isGold);
    if (found || boxedOnly) return finished(found);
    const whole = isGold ? wholeGold(completion) : null;
    return finished(whole ?? assertedIn(completion) ?? (isGold ? asGold(completion) : null));
  }
  for (const span of answeringTurns(completion)) {
    const turn = completion.slice(span.start, span.end);
    const found = shifted(inTurn(turn, span, boxedOnly), span.start);
    if (found) return finished(found);
  }
  const whole = isGold && !boxedOnly ? wholeText(completion) : null;
  return finished(whole && { kind: 'asserted', ...whole, end: completion.length });
}
