/**
 * The advantage of pass@k, generally max@k: what a sample adds to the best reward among k samples of its prompt. It
 * rewards being right where the siblings are wrong and so keeps exploration alive (Walder and Karkhanis, arXiv 2505.15201;
 * for k = n Tang et al., arXiv 2503.19595).
 */
import { checkInteger } from '../errors';
import { centredFormula, type FormulaOptions } from './formula-text';
import { centreGroups, unbiasedStd, type SingletonRule } from './groups';
import { centredReturns, toAdvantages } from './returns';
import {
  checkInput,
  checkMode,
  type Advantages,
  type EstimatorInput,
  type EstimatorOptions,
  type ModeOptions,
} from './types';

const NUMERICS = ['default', 'verl'] as const;
const modeOf = (options: ModeOptions) => checkMode('pass-at-k', options, NUMERICS, 'sequence');
const VERL_EPSILON = 1e-6;
const DEFAULT_K = 2;

/** C(n, k); 0 where k > n. */
function choose(n: number, k: number): number {
  if (k < 0 || k > n) return 0;
  let result = 1;
  for (let i = 1; i <= Math.min(k, n - k); i++) result = (result * (n - Math.min(k, n - k) + i)) / i;
  return result;
}

/**
 * k · mean over the k-subsets S that hold sample i of max_S − max_{S∖i}: only the best of a subset gains, by its lead.
 * At k = 1 the leave-one-out advantage.
 */
function marginalGains(values: readonly number[], k: number): number[] {
  const n = values.length;
  if (k === 1) {
    const sum = values.reduce((total, value) => total + value, 0);
    return values.map((value) => value - (sum - value) / (n - 1));
  }
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const subsets = choose(n - 1, k - 1);
  const gains = new Array<number>(n).fill(0);
  order.forEach((best, position) => {
    // The best of the others is `second`, and the other k − 2 rank below it.
    order
      .slice(0, position)
      .forEach((second, below) => (gains[best] += (values[best] - values[second]) * choose(below, k - 2)));
    gains[best] *= k / subsets;
  });
  return gains;
}

/** verl's grpo_passk: the best sample of all gets its lead over the second, in units of the group's spread. */
function leadOfBest(values: readonly number[]): number[] {
  const best = values.indexOf(Math.max(...values));
  const second = Math.max(...values.filter((_, i) => i !== best));
  const scale = unbiasedStd(values) + VERL_EPSILON;
  return values.map((value, i) => (i === best ? (value - second) / scale : 0));
}

/**
 * A_{i,t} = k · mean over S ∋ i, |S| = k, of (max_S R − max_{S∖i} R), R_i = r_i − β·Σ_t k1_{i,t}; the same for every
 * token. With the mean over the n samples its gradient is that of the expected max of k samples, without bias. k is
 * `options.k`, default 2, or the size of a group that has fewer.
 *
 * `verl` (grpo_passk): the best sample of the group gets (R_max − R_second)/(std + 1e-6), the others 0; a group of one
 * is a RangeError, and `options.k` is not read.
 *
 * A group of one has advantage 0, as has a group without spread. Rewards are not clipped and no group is left out. A NaN
 * reward is a RangeError that names its sequence.
 *
 * @returns (N)(T_i) advantages, 0 on masked tokens.
 */
export function passAtK(input: EstimatorInput, options: EstimatorOptions = {}): Advantages {
  const { numerics, placement } = modeOf(options);
  const k = checkInteger('k', options.k ?? DEFAULT_K, 1);
  const checked = checkInput(input, options);
  const rule: SingletonRule = numerics === 'verl' ? 'refuse' : 'zero';
  const gains = (returns: ArrayLike<number>): Float64Array =>
    centreGroups(checked.groups, returns, rule, (values) =>
      numerics === 'verl' ? leadOfBest(values) : marginalGains(values, Math.min(k, values.length)),
    );
  return toAdvantages(centredReturns(checked, placement, gains));
}

/** The formula in force as text. */
export function passAtKFormula(options: FormulaOptions): string {
  const { numerics, placement } = modeOf(options);
  const k = options.k ?? DEFAULT_K;
  return centredFormula(options, placement, (r) =>
    numerics === 'verl'
      ? `(best ${r} - second ${r})/(unbiased std of ${r} + ${VERL_EPSILON}) for the best sample of the prompt, else 0`
      : `${k}·mean over the ${k}-subsets S of the prompt's samples with i of (max ${r} of S - max ${r} of S without i)`,
  );
}
