/**
 * The reward of the countdown task. TinyZero's rule (1 right, 0.1 for an answer in tags, 0 without) on exact arithmetic:
 * only + - * / count, so neither power nor floor division reaches a target; where lines break does not matter; and a number
 * may be written 3 or 3.0.
 */
import { checkNumber } from '../../errors';
import { mapInSlices } from '../../event-loop';
import { compare, equals, type Rational } from '../../verifier/exact/rational';
import { answeringTurns, type Span } from '../../verifier/extract/turns';
import type { RewardFunction, RewardSample, Score } from '../types';
import { readExpression, withoutBox } from './expression';

export interface CountdownRewardOptions {
  /** An expression of all numbers, each once, that equals the target. Default 1. */
  correct?: number;
  /** An answer in tags that is something else. Default 0.1. */
  wrongAnswer?: number;
  /** No answer in tags. Default 0. */
  wrongFormat?: number;
}

const OPEN = '<answer>';
const CLOSE = '</answer>';

/** What stands in the last answer tags of the assistant's turn; null where there is nothing. */
function lastAnswer(completion: string): string | null {
  const [span] = answeringTurns(completion) as (Span | undefined)[];
  const turn = span === undefined ? '' : completion.slice(span.start, span.end);
  const close = turn.lastIndexOf(CLOSE);
  const open = close < 0 ? -1 : turn.lastIndexOf(OPEN, close);
  const answer = open < 0 ? '' : turn.slice(open + OPEN.length, close).trim();
  return answer === '' ? null : answer;
}

function exact(value: unknown): Rational | null {
  return readExpression(String(value))?.value ?? null;
}

/** Numbers of the row, from `numbers` or `nums`. */
function givenNumbers({ problem }: RewardSample): Rational[] | null {
  const list = problem.row?.numbers ?? problem.row?.nums;
  if (!Array.isArray(list) || list.length === 0) return null;
  const numbers = list.map(exact);
  return numbers.every((number) => number !== null) ? numbers : null;
}

function sameNumbers(a: readonly Rational[], b: readonly Rational[]): boolean {
  if (a.length !== b.length) return false;
  const [left, right] = [a, b].map((list) => [...list].sort(compare));
  return left.every((number, i) => equals(number, right[i]));
}

/** `expression`, or `expression = target`. */
function judge(answer: string, numbers: readonly Rational[], target: Rational): string {
  const sides = withoutBox(answer).split('=');
  const expression = readExpression(sides[0]);
  if (expression === null || sides.length > 2) return 'not-arithmetic';
  if (!sameNumbers(expression.numbers, numbers)) return 'wrong-numbers';
  if (sides.length === 2) {
    const value = readExpression(sides[1]);
    if (value?.numbers.length !== 1) return 'not-arithmetic';
    if (!equals(value.value, target)) return 'different';
  }
  return equals(expression.value, target) ? 'equal' : 'different';
}

/**
 * Scores with the reasons `equal`, `different`, `wrong-numbers`, `not-arithmetic` and `no-answer`. A row without `numbers`
 * (or `nums`) or with a target that is no number cannot be scored: `no-task`.
 *
 * @throws TypeError or RangeError naming the option
 */
export function countdownReward(options: CountdownRewardOptions = {}): RewardFunction {
  const right = checkNumber('correct', options.correct ?? 1);
  const wrongAnswer = checkNumber('wrongAnswer', options.wrongAnswer ?? 0.1);
  const wrongFormat = checkNumber('wrongFormat', options.wrongFormat ?? 0);
  const score = (sample: RewardSample): Score => {
    const [numbers, target] = [givenNumbers(sample), exact(sample.answer)];
    if (numbers === null || target === null) return { reward: null, reason: 'no-task' };
    const answer = lastAnswer(sample.completion);
    if (answer === null) return { reward: wrongFormat, reason: 'no-answer', correct: false, formatted: false, answer };
    const reason = judge(answer, numbers, target);
    const correct = reason === 'equal';
    return { reward: correct ? right : wrongAnswer, reason, correct, formatted: true, answer };
  };
  return Object.assign(score, {
    scoreAll: (samples: readonly RewardSample[]): Promise<Score[]> => mapInSlices(samples, score),
  });
}
