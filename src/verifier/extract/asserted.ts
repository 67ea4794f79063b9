/**
 * The answer of a text that announces none: a short text is its own answer; else the value of the last sentence that asserts
 * one. Only the end of a completion is read.
 */
import { breaksOff, worksOn } from './breaks-off';
import { isChoice, nameAfterVerb, valueAfterVerb } from './describe';
import { isPlaceholder } from './placeholder';
import { ProseReader } from './prose';
import { bareNumber, lastPart, type Run, runAt, runsIn } from './runs';
import { type ProseToken, type Sentence, textOf } from './sentence';
import { conclusions, imperatives, referrers, sentenceWords } from './vocabulary';

/** Characters at the end of a completion that are searched for an asserted answer. */
export const ASSERTED_CHARACTERS = 2000;
/** The end is read in growing windows, since the last sentence mostly has the answer. */
const WINDOWS = [400, ASSERTED_CHARACTERS] as const;

/** A text up to this length, in one line and without a sentence, is an answer as a whole. */
const BARE_CHARACTERS = 80;
const MOST_BARE_WORDS = 4;

export interface Assertion {
  texts: string[];
  joinedByOr: boolean;
  alternatives: string[];
  end: number;
}

const DENIES =
  /\b(?:can ?not|can['’]t|could not|couldn['’]t|unable to|impossible to|(?:is|it['’]s|was|be|seems) impossible|not possible|(?:did|does|do)(?: not|n['’]t) work|not enough|insufficient|do(?:es)?(?: not|n['’]t) (?:know|make sense)|not sure|no idea|no (?:valid |correct |final |clear |possible |such )?answer|not (?:be )?determin\w+|undetermined)\b/i;

/** Answers in words that have the words of a sentence. */
const WORDED =
  /^(?:no (?:real |integer )?(?:solutions?|roots?)|none(?: of (?:the above|these|them))?|(?:does not|doesn['’]t) exist|infinitely many(?: solutions)?|all of the above|neither|both)\.?$/i;

const LEADING_CHOICE = /^\s{0,8}(?:[([]([A-J])[)\]][.:]?|([A-J])[).]|([B-J]):)\s{1,4}(?=\S)/;
const ANOTHER_CHOICE = /(?:^|[\s(])[B-J][).:]\s/;
const NAMED_CHOICE = /\b(?:option|choice|choose|pick|select)\s{1,3}(?:is\s)?[([*]{0,3}([A-J])(?![A-Za-z])/i;
const CHOICE =
  /(?:^|\b(?:[Bb]ecause|[Ss]o|[Tt]herefore|[Tt]hus|[Hh]ence|is|[Ii]t['’]s)[\s,]{1,3})[([*]{0,3}([B-HJ])[)\]*]{0,3}(?=\s(?:is|must be|holds|works)\b|\s{0,3}(?:[.,;!]|$))/;

const isReference = (tokens: readonly ProseToken[], run: Run): boolean =>
  tokens[run.first - 1]?.type === 'word' && referrers.has(tokens[run.first - 1].text.toLowerCase());

const isDenied = (tokens: readonly ProseToken[], run: Run): boolean =>
  /^(?:not|never)$|n['’]t$/i.test(tokens[run.first - 1]?.text ?? '');

/** `print(5)` */
const isArgument = (tokens: readonly ProseToken[], run: Run): boolean =>
  tokens[run.first].text === '(' && !tokens[run.first].space && tokens[run.first - 1]?.type === 'word';

/** The tokens after the last word that starts a conclusion; after the colon of a request. */
function asserting(tokens: readonly ProseToken[]): readonly ProseToken[] {
  const first = tokens[0].type === 'word' ? tokens[0].text.toLowerCase() : '';
  if (imperatives.has(first)) {
    const colon = tokens.findIndex(({ type }) => type === 'colon');
    if (colon < 0 || colon === tokens.length - 1) {
      const joint = tokens.findLastIndex(({ type }) => type === 'joiner');
      // `If x is 2, then y is 5` asserts; `Find x and y` does not.
      return /^(?:if|let|since|suppose|assume|given|when)$/.test(first) && joint > 0 ? tokens.slice(joint + 1) : [];
    }
    return tokens.slice(colon + 1);
  }
  const conclusion = tokens.findLastIndex(({ type, text }) => type === 'word' && conclusions.has(text.toLowerCase()));
  const rest = tokens.slice(conclusion + 1);
  return conclusion >= 0 && runsIn(rest).length > 0 ? rest : tokens;
}

/** The value that a sentence asserts, or null. */
function valueOf(sentence: Sentence): { run: Run; tokens: readonly ProseToken[] } | null {
  const tokens = asserting(sentence.tokens);
  if (tokens.length === 0) return null;
  const runs = runsIn(tokens).filter(
    (run) => !isReference(tokens, run) && !isDenied(tokens, run) && !isArgument(tokens, run),
  );
  const last = runs.at(-1);
  if (last === undefined) return null;
  const verb = valueAfterVerb(tokens);
  const stated = verb && !isDenied(tokens, verb) && !isReference(tokens, verb) ? verb : null;
  // A relation at the end is the later result.
  const later = last.texts.length === 1 && last.texts[0].includes('=') && (!stated || last.first > stated.first);
  return { run: stated && !later ? stated : lastPart(tokens, last), tokens };
}

function fromRun(tokens: readonly ProseToken[], run: Run, end: number): Assertion {
  const inside = tokens.slice(run.first, run.next);
  const alternatives = new Set<string>();
  // `a + b = 5` in plain text: its last value.
  const equals = inside.findLastIndex(({ type, text }) => type === 'symbol' && text === '=');
  const right = equals < 0 ? null : runAt(inside, equals + 1);
  const left = inside.slice(0, Math.max(0, equals));
  const isChain = left.some(({ text }) => text === '=');
  const isEquation = !isChain && left.some(({ text }, at) => /^[A-Za-z]$/.test(text) && left[at + 1]?.text !== '(');
  const computed = !isEquation && left.some(({ type }) => type === 'number');
  const isList = inside.some(({ type }) => type === 'joiner');
  const texts = right && computed && !isList && run.texts.length === 1 ? right.texts : run.texts;
  if (right && !isList) alternatives.add(right.texts[0]);
  for (const { type, text } of inside) if (type === 'formula' && inside.length > 1) alternatives.add(text);
  const number = bareNumber(inside);
  if (number !== null) alternatives.add(number);
  for (const text of texts) alternatives.delete(text);
  return { texts, joinedByOr: run.joinedByOr, alternatives: [...alternatives].slice(-4), end };
}

/** A short text without a sentence, as a whole; null for any other. */
export function bareAnswer(text: string): Assertion | null {
  const bare = text.trim();
  if (bare === '' || bare.length > BARE_CHARACTERS || bare.includes('\n') || /[?？]$/.test(bare) || isPlaceholder(bare))
    return null;
  if (WORDED.test(bare)) return { texts: [bare], joinedByOr: false, alternatives: [], end: text.length };
  if (DENIES.test(bare)) return null;
  const label = LEADING_CHOICE.exec(bare);
  if (label) {
    // `C. 12 cm`: the parser reads the letter and what it labels.
    const labelled = bareAnswer(bare.slice(label[0].length));
    return labelled && { texts: [bare], joinedByOr: false, alternatives: labelled.texts, end: text.length };
  }
  const reader = new ProseReader(text, 0, text.length, { numberWords: true });
  const first = reader.sentence();
  if (!first || reader.sentence()) return null;
  const { tokens } = first;
  const words = tokens.filter(({ type }) => type === 'word').map(({ text: word }) => word.toLowerCase());
  // `The elephant`
  if (/^(?:the|an?)$/.test(words[0] ?? '') && words.length > 1 && runsIn(tokens).length === 0) words.shift();
  if (words.some((word) => sentenceWords.has(word)) || imperatives.has(words[0] ?? '')) return null;
  const runs = runsIn(tokens);
  const head = runAt(tokens, 0);
  const whole = (texts: string[], alternatives: string[]): Assertion => ({
    texts, joinedByOr: head?.joinedByOr ?? false, alternatives: alternatives.filter((other) => !texts.includes(other)), end: text.length,
  }); // prettier-ignore
  const number = bareNumber(tokens);
  const inside = number === null ? [] : [number];
  if (head?.first === 0 && head.next === tokens.length)
    return whole(head.texts.length > 1 || tokens.some(({ type }) => type === 'formula') ? head.texts : [bare], inside);
  if (runs.length === 0) {
    // `$A$ or text`: what is between dollar signs may be meant alone.
    const names = tokens.filter(({ type }) => type === 'formula').map(({ text: name }) => name);
    return words.length <= MOST_BARE_WORDS ? whole([bare], names) : null;
  }
  if (words.length > MOST_BARE_WORDS) return null;
  const math = words.length <= 1 && tokens.some(({ text: sign }) => sign === '=');
  return math || (head && !head.isName) ? whole([bare], math ? [] : runs[runs.length - 1].texts) : null;
}

/** The start of a line a little after `cut`, else `cut`. */
function lineStart(text: string, cut: number): number {
  const newline = text.indexOf('\n', cut);
  return newline < 0 || newline > (cut + text.length) / 2 ? cut : newline + 1;
}

/** What the sentences after `start` assert, from the last one; undefined where they do not say or only a cut one does. */
function assertedAfter(text: string, start: number): Assertion | null | undefined {
  const reader = new ProseReader(text, start, text.length, { numberWords: false });
  const sentences: Sentence[] = [];
  for (let sentence = reader.sentence(); sentence; sentence = reader.sentence()) sentences.push(sentence);
  const isCut = start > 0 && text.length - start < ASSERTED_CHARACTERS / 2;
  for (const [back, sentence] of sentences.reverse().entries()) {
    if (isCut && back === sentences.length - 1) return undefined;
    if (sentence.question) continue;
    const words = textOf(sentence.tokens);
    if (DENIES.test(words)) return null;
    const named = NAMED_CHOICE.exec(words)?.[1];
    const value = named === undefined ? valueOf(sentence) : null;
    if (back === 0 && named === undefined) {
      const offset = sentence.tokens.length - (value?.tokens.length ?? sentence.tokens.length);
      if (breaksOff(text, sentence, 0) || worksOn(text, sentence, value ? offset + value.run.next : 0)) return null;
    }
    if (value) return fromRun(value.tokens, value.run, sentence.end);
    const name = nameAfterVerb(sentence.tokens);
    if (name && named === undefined && (back === 0 || isChoice(name.texts[0])) && !isDenied(sentence.tokens, name)) {
      return fromRun(sentence.tokens, name, sentence.end);
    }
    const choice = named ?? CHOICE.exec(words)?.[1];
    if (choice !== undefined) return { texts: [choice], joinedByOr: false, alternatives: [], end: sentence.end };
  }
  return undefined;
}

/** The last value that `text` asserts; null where it asserts none or denies having an answer. */
export function assertedAnswer(text: string): Assertion | null {
  if (/^[^\n]{0,400}$/.test(text)) {
    const choice = LEADING_CHOICE.exec(text);
    if (choice && !ANOTHER_CHOICE.test(text.slice(choice[0].length))) {
      return { texts: [choice[0].replace(/[^A-J]/g, '')], joinedByOr: false, alternatives: [], end: text.length };
    }
  }
  for (const characters of WINDOWS) {
    const cut = Math.max(0, text.length - characters);
    const found = assertedAfter(text, cut === 0 ? 0 : lineStart(text, cut));
    if (found !== undefined) return found;
    if (cut === 0) break;
  }
  return null;
}
