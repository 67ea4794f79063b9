/**
 * Statistics of held-out evaluations. The problem is the unit of sampling: samples of one problem are alike, so every
 * figure is a mean over problems and every interval counts problems, not samples.
 */
import { RandomStream } from '../data/random';
import { checkInteger } from '../errors';

/** Normal quantile of a two-sided 95 % interval. */
const Z = 1.959964;
/** Sign flips of a paired test that is not exact. */
const FLIPS = 10_000;
/** Up to so many problems that differ, every assignment of signs is tried. */
const EXACT_PROBLEMS = 13;

export interface Estimate {
  /** A fraction from 0 to 1. */
  value: number;
  /** 95 % interval over problems like these; see {@link clusteredInterval}. */
  interval: [number, number];
}

/** Wilson's score interval of `successes` in `trials`; `trials` need not be whole. */
export function wilsonInterval(successes: number, trials: number): [number, number] {
  if (trials === 0) return [0, 1];
  const share = successes / trials;
  const scale = 1 + Z ** 2 / trials;
  const centre = (share + Z ** 2 / (2 * trials)) / scale;
  const half = (Z / scale) * Math.sqrt((share * (1 - share)) / trials + Z ** 2 / (4 * trials ** 2));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/**
 * 95 % interval of the mean of one value in [0, 1] per problem: Wilson's with the effective sample size
 * n·p(1 − p)/s², s² the variance between problems (Franco et al., 2019, "Comparative study of confidence intervals for
 * proportions in complex sample surveys"). For values of 0 and 1 it is Wilson's own; the size is at least the number of problems.
 *
 * @param perProblem number of samples of each problem, which bounds the effective size
 */
export function clusteredInterval(values: readonly number[], perProblem: number): [number, number] {
  const { length } = values;
  if (length === 0) return [0, 1];
  const mean = values.reduce((sum, value) => sum + value, 0) / length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / length;
  const binomial = mean * (1 - mean);
  // Without any spread nothing is known of how alike the samples are.
  const size = variance > 0 ? Math.min(length * perProblem, (length * binomial) / variance) : length;
  return wilsonInterval(mean * size, size);
}

/**
 * Chance that at least one of `k` samples is right, given `correct` right ones of `n`: 1 − C(n − c, k)/C(n, k), unbiased
 * (Chen et al., 2021, "Evaluating large language models trained on code").
 *
 * @throws RangeError for k above n
 */
export function passAtK(n: number, correct: number, k: number): number {
  checkInteger('k', k, 1, checkInteger('n', n, 1));
  checkInteger('correct', correct, 0, n);
  if (n - correct < k) return 1;
  let miss = 1;
  for (let i = n - correct + 1; i <= n; i++) miss *= 1 - k / i;
  return 1 - miss;
}

/** One sample as a vote: whether it is right, and the answer it states (null: none). */
export interface Vote {
  correct: boolean;
  answer: string | null;
}

/**
 * Chance that the most frequent answer is right: 1 or 0, or the share of right answers among those that tie for most. Right
 * samples vote together however they write the answer; wrong ones by their text without blanks, and those that state no answer
 * together too: one right sample among many that never come to an answer is no majority.
 */
export function majorityVote(votes: readonly Vote[]): number {
  const counts = new Map<string | null, number>();
  let right = 0;
  for (const { correct, answer } of votes) {
    if (correct) right++;
    else {
      const key = answer?.replace(/\s+/g, '') ?? null;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const most = Math.max(right, ...counts.values());
  if (right < most || right === 0) return 0;
  return 1 / (1 + [...counts.values()].filter((count) => count === most).length);
}

/** {@link majorityVote} over blocks of `k` votes in a row, averaged; votes that fill no block are left out. */
export function majorityAtK(votes: readonly Vote[], k: number): number {
  checkInteger('k', k, 1, votes.length);
  const blocks = Math.floor(votes.length / k);
  let sum = 0;
  for (let block = 0; block < blocks; block++) sum += majorityVote(votes.slice(block * k, (block + 1) * k));
  return sum / blocks;
}

/** Two checkpoints on the same problems. Differences are second minus first. */
export interface PairedComparison {
  problems: number;
  /** Mean difference of the values, from −1 to 1. */
  difference: number;
  /** 95 % interval of it by the normal approximation over problems. */
  interval: [number, number];
  /** Two-sided p value of the sign-flip test: exact for up to 13 problems that differ, else of 10 000 random flips. */
  pValue: number;
  /** Problems on which the second is better, worse and the same. */
  better: number;
  worse: number;
  same: number;
}

/** Share of sign assignments whose sum is at least as far from 0 as that of `differences`. */
function signFlipTest(differences: readonly number[], seed: number): number {
  const changed = differences.filter((value) => value !== 0);
  if (changed.length === 0) return 1;
  const seen = Math.abs(changed.reduce((sum, value) => sum + value, 0)) - 1e-9;
  const extreme = (positive: (i: number) => boolean): boolean =>
    Math.abs(changed.reduce((sum, value, i) => sum + (positive(i) ? value : -value), 0)) >= seen;
  if (changed.length <= EXACT_PROBLEMS) {
    const all = 2 ** changed.length;
    let count = 0;
    for (let signs = 0; signs < all; signs++) if (extreme((i) => (signs & (1 << i)) !== 0)) count++;
    return count / all;
  }
  const random = new RandomStream(seed, 'sign-flip');
  let count = 1;
  for (let flip = 0; flip < FLIPS; flip++) if (extreme(() => random.chance(0.5))) count++;
  return count / (FLIPS + 1);
}

/**
 * Pairs two lists of per-problem values, in the same order.
 * @throws RangeError where the lists differ in length
 */
export function comparePaired(first: readonly number[], second: readonly number[], seed = 0): PairedComparison {
  const { length } = first;
  checkInteger('second.length', second.length, length, length);
  const differences = second.map((value, i) => value - first[i]);
  const difference = length === 0 ? 0 : differences.reduce((sum, value) => sum + value, 0) / length;
  const squares = differences.reduce((sum, value) => sum + (value - difference) ** 2, 0);
  const half = length < 2 ? 1 : Z * Math.sqrt(squares / (length - 1) / length);
  return {
    problems: length,
    difference,
    interval: [Math.max(-1, difference - half), Math.min(1, difference + half)],
    pValue: signFlipTest(differences, seed),
    better: differences.filter((value) => value > 0).length,
    worse: differences.filter((value) => value < 0).length,
    same: differences.filter((value) => value === 0).length,
  };
}
