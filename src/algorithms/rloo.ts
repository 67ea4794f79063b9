/**
 * RLOO, REINFORCE leave-one-out (Kool, van Hoof and Welling, 2019; for language models Ahmadian et al., 2024):
 * the baseline of a sample is the mean return of the other samples of its prompt, so it is unbiased and
 * needs no value network.
 */
import { centredFormula, type FormulaOptions } from './formula-text';
import { centreGroups, singletonRule } from './groups';
import { centredReturns, OPENRLHF_LIMIT, toAdvantages } from './returns';
import {
  checkInput,
  checkMode,
  type Advantages,
  type EstimatorInput,
  type EstimatorOptions,
  type ModeOptions,
} from './types';

const NUMERICS = ['default', 'openrlhf', 'verl', 'trl'] as const;
const modeOf = (options: ModeOptions) =>
  checkMode('rloo', options, NUMERICS, (numerics) => (numerics === 'openrlhf' ? 'token' : 'sequence'));

/**
 * R_i = r_i − β·Σ_t k1_{i,t};  A_{i,t} = R_i − (Σ_{j in group} R_j − R_i)/(n − 1), the same for every token.
 *
 * The KL is part of the return, so the baseline covers it (Ahmadian et al., equation 3). Modes:
 * - `verl`, `trl`: the same formula; a group of one keeps its raw return under `verl`.
 * - `openrlhf`: leave-one-out on r alone, clamped to ±10, then −β·Σ_{k≥t} k1_k per token, k1 clamped to ±10;
 *   a group of one is a RangeError.
 *
 * A group of one has no siblings: its advantage is 0 (its KL included). A group without spread has advantage 0. Rewards
 * are clipped under `openrlhf` only; no group is left out. A NaN reward is a RangeError that names its sequence.
 *
 * @returns (N)(T_i) advantages, 0 on masked tokens.
 */
export function rloo(input: EstimatorInput, options: EstimatorOptions = {}): Advantages {
  const { numerics, placement } = modeOf(options);
  const checked = checkInput(input, options);
  const leaveOneOut = (returns: ArrayLike<number>): Float64Array =>
    centreGroups(checked.groups, returns, singletonRule(numerics), (values) => {
      const sum = values.reduce((total, value) => total + value, 0);
      return values.map((value) => value - (sum - value) / (values.length - 1));
    });
  const limit = numerics === 'openrlhf' ? OPENRLHF_LIMIT : Infinity;
  return toAdvantages(centredReturns(checked, placement, leaveOneOut, limit));
}

/** The formula in force as text. */
export function rlooFormula(options: FormulaOptions): string {
  const { numerics, placement } = modeOf(options);
  const centre = (returns: string) => `${returns}[i] - mean of ${returns} over the other samples of the prompt`;
  return centredFormula(options, placement, centre, { clamped: numerics === 'openrlhf' });
}
