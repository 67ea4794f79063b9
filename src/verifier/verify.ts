/**
 * Decides whether a completion states the gold answer: extract what it states, parse both, compare. Pure and synchronous;
 * work is counted, so it cannot hang and the same input gives the same verdict everywhere.
 */
import { checkOneOf, invalidType } from '../errors';
import { Budget, BudgetExceeded } from './budget';
import { compareAnswers } from './compare/compare-answers';
import type { Comparison } from './compare/types';
import { extractAnswer, type Statement } from './extract/extract-answer';
import { equals, type Rational } from './exact/rational';
import { GoldCache } from './gold-cache';
import { limits } from './limits';
import type { Node } from './node';
import { normalText } from './normal-text';
import { parseAnswer } from './parse/parse-answer';
import { isRounding } from './compare/rounding';
import { plainNumber } from './plain-number';
import type { Verdict, VerdictReason, VerifyOptions } from './verdict';

/** More readings of one side are not tried. */
const MAX_READINGS = 6;

const numbersIn = (text: string): Set<string> => new Set(text.match(/\d+/g) ?? []);

/** Readings of what a statement says: its texts together, else the first alternative that can be read. */
function readStatement(statement: Statement, budget: Budget, role: 'gold' | 'answer'): Node[] {
  const { texts, joinedByOr, alternatives } = statement;
  if (texts.length > 1) {
    const items = texts.map((text) => parseAnswer(text, budget).at(0));
    // `21, 16` and `11` in formulas of their own are three values.
    const flat = items.flatMap((item) => (item?.kind === 'list' ? item.items : [item]));
    if (flat.every((item) => item !== undefined)) return [{ kind: 'list', items: flat, or: joinedByOr }];
  }
  const readings = texts.length === 1 ? parseAnswer(texts[0], budget) : [];
  // Words may hide the value that they state: "x is 5".
  const wordsOnly = readings.every(({ kind }) => kind === 'text');
  // A gold that is neither mathematics nor words is damaged: no part of it is taken for the whole.
  if (role === 'gold' && readings.length === 0) return [];
  const stated = wordsOnly && texts.length === 1 ? numbersIn(texts[0]) : new Set<string>();
  for (const text of wordsOnly ? alternatives : []) {
    // A value in words that hold another one is not all that they say.
    const held = numbersIn(text);
    if ([...stated].some((digits) => !held.has(digits))) continue;
    const further = parseAnswer(text, budget);
    if (further.length > 0) return [...readings, ...further];
  }
  return readings;
}

interface Gold {
  readings: Node[];
  /** The gold as stated: an answer written the same needs no comparison. */
  written: string;
  /** Its value where it is a plain number. */
  plain: Rational | null;
  reason: 'unparsable-gold' | 'budget';
}

/** One blank for all white space; none at all would make `2 1/3` of `21/3`. */
const squeeze = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** A gold in more words is a report, not an answer: nothing in it is taken for the answer. */
const MOST_WORDS = 12;

const isReport = (node: Node): boolean => node.kind === 'text' && node.text.split(' ').length > MOST_WORDS;

function readGold(gold: string): Gold {
  const statement = extractAnswer(gold, { role: 'gold' });
  if (!statement) return { readings: [], written: '', plain: null, reason: 'unparsable-gold' };
  const single = statement.texts.length === 1 ? statement.texts[0] : '';
  const [written, plain] = [squeeze(single), plainNumber(single)];
  try {
    const all = readStatement(statement, new Budget(limits.workUnits), 'gold');
    const readings = all.length > 0 && isReport(all[0]) ? [] : all;
    return { readings: readings.slice(0, MAX_READINGS), written, plain, reason: 'unparsable-gold' };
  } catch (error) {
    if (!(error instanceof BudgetExceeded)) throw error;
    return { readings: [], written, plain, reason: 'budget' };
  }
}

const golds = new GoldCache(readGold);

/** A decimal gold and a fraction: the one may be the other rounded. */
const mayBeRounded = ({ written }: Gold, answer: string): boolean => written.includes('.') && /[/f]/.test(answer);

/** Whether an answer is written like a gold that cannot be read. */
const isSameText = ({ written }: Gold, answer: string): boolean => {
  const text = normalText(written);
  return text !== '' && text === normalText(answer);
};

/**
 * Whether a gold answer can be read. One that cannot is compared as text only: the same text is correct, any other has no
 * verdict (`unparsable-gold`).
 *
 * @throws TypeError when `gold` is not a string.
 */
export function isReadableGold(gold: string): boolean {
  if (typeof gold !== 'string') throw invalidType('gold', 'string', gold);
  return golds.get(gold).readings.length > 0;
}

/** The best that any pair of readings says: a match, else the reason why there is none. */
function compareReadings(
  expected: readonly Node[],
  answers: readonly Node[],
  budget: Budget,
  rounded: boolean,
): Comparison {
  let best: Comparison = 'different';
  for (const gold of expected) {
    for (const answer of answers) {
      const comparison = compareAnswers(gold, answer, { budget });
      if (comparison === 'equal') return 'equal';
      if (comparison === 'different' && rounded && isRounding(gold, answer, budget)) return 'equal';
      if (comparison === 'ambiguous' || best === 'different') best = comparison;
    }
  }
  return best;
}

/**
 * Whether two bare answers are the same, with no statement around them: for votes among samples.
 *
 * @returns false also where one cannot be read or the work allowed to one verdict does not suffice.
 */
export function equalAnswers(first: string, second: string): boolean {
  if (typeof first !== 'string') throw invalidType('first', 'string', first);
  if (typeof second !== 'string') throw invalidType('second', 'string', second);
  const budget = new Budget(limits.workUnits);
  try {
    const readings = [first, second].map((text) => parseAnswer(text, budget).slice(0, MAX_READINGS));
    return compareReadings(readings[0], readings[1], budget, false) === 'equal';
  } catch (error) {
    if (!(error instanceof BudgetExceeded)) throw error;
    return false;
  }
}

/**
 * Checks `completion` against `gold`.
 *
 * @param gold The right answer, bare (`12`, `\frac{1}{2}`) or stated in a worked solution (`... #### 12`).
 * @param completion What the model wrote; the prompt part of a chat transcript does not count.
 * @returns `correct` is null when the gold answer cannot be read (`unparsable-gold`, `budget`); every other reason but
 *   `equal` is false.
 * @throws TypeError when an argument is not a string.
 */
export function verify(gold: string, completion: string, options: VerifyOptions = {}): Verdict {
  if (typeof gold !== 'string') throw invalidType('gold', 'string', gold);
  if (typeof completion !== 'string') throw invalidType('completion', 'string', completion);
  const statement = checkOneOf('statement', options.statement ?? 'any', ['any', 'boxed']);
  const start = performance.now();
  const verdict = (correct: boolean | null, reason: VerdictReason, extracted?: string): Verdict => ({
    correct,
    reason,
    ...(extracted === undefined ? {} : { extracted }),
    ms: performance.now() - start,
  });

  const expected = golds.get(gold);
  const stated = extractAnswer(completion, { statement });
  const readable = expected.readings.length > 0;
  if (stated?.texts.length === 1 && expected.written !== '') {
    const [written] = stated.texts;
    const same =
      readable || expected.reason === 'budget' ? squeeze(written) === expected.written : isSameText(expected, written);
    if (same) return verdict(true, 'equal', stated.shown);
  }
  if (!readable) return verdict(null, expected.reason, stated?.shown);
  if (!stated) return verdict(false, 'no-answer');
  const number = expected.plain && stated.texts.length === 1 ? plainNumber(stated.texts[0]) : null;
  if (expected.plain && number && (equals(expected.plain, number) || !mayBeRounded(expected, stated.texts[0]))) {
    const equal = equals(expected.plain, number);
    return verdict(equal, equal ? 'equal' : 'different', stated.shown);
  }
  const budget = new Budget(limits.workUnits);
  try {
    const readings = readStatement(stated, budget, 'answer').slice(0, MAX_READINGS);
    if (readings.length === 0) return verdict(false, 'unparsable-answer', stated.shown);
    const comparison = compareReadings(expected.readings, readings, budget, true);
    return verdict(comparison === 'equal', comparison, stated.shown);
  } catch (error) {
    if (!(error instanceof BudgetExceeded)) throw error;
    return verdict(false, 'budget', stated.shown);
  }
}
