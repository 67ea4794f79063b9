/**
 * Dr.GRPO (Liu et al., 2025): GRPO without the division by the group's standard deviation, which favours prompts that
 * are nearly always or nearly never solved. Its other half is in the loss: aggregation `constant`, so that long answers
 * are not favoured either.
 */
import { centredFormula, type FormulaOptions } from './formula-text';
import { lessGroupMean, singletonRule } from './groups';
import { centredReturns, OPENRLHF_LIMIT, toAdvantages } from './returns';
import {
  checkInput,
  checkMode,
  refuseRewardKl,
  type Advantages,
  type EstimatorInput,
  type EstimatorOptions,
  type ModeOptions,
} from './types';

const NUMERICS = ['default', 'openrlhf', 'verl', 'trl'] as const;
const modeOf = (options: ModeOptions) => {
  const mode = checkMode('dr-grpo', options, NUMERICS, (numerics) => (numerics === 'openrlhf' ? 'token' : 'sequence'));
  if (mode.numerics === 'trl') refuseRewardKl('dr-grpo', options);
  return mode;
};

/**
 * A_{i,t} = R_i − mean_group(R), R_i = r_i − β·Σ_t k1_{i,t}; the same for every token. It is RLOO times (n − 1)/n.
 *
 * Modes:
 * - `openrlhf`: on r alone, clamped to ±10, then −β·Σ_{k≥t} k1_k per token, k1 clamped to ±10; a group of one is a
 *   RangeError.
 * - `verl` (norm_adv_by_std_in_grpo false): the same formula; a group of one keeps its raw return.
 * - `trl` (scale_rewards "none"): the same formula; no KL inside the reward.
 *
 * A group of one has advantage 0, as has a group without spread. Rewards are clipped under `openrlhf` only; no group is
 * left out. A NaN reward is a RangeError that names its sequence.
 *
 * @returns (N)(T_i) advantages, 0 on masked tokens.
 */
export function drGrpo(input: EstimatorInput, options: EstimatorOptions = {}): Advantages {
  const { numerics, placement } = modeOf(options);
  const checked = checkInput(input, options);
  const lessMean = (returns: ArrayLike<number>): Float64Array =>
    lessGroupMean(checked.groups, returns, singletonRule(numerics));
  const limit = numerics === 'openrlhf' ? OPENRLHF_LIMIT : Infinity;
  return toAdvantages(centredReturns(checked, placement, lessMean, limit));
}

/** The formula in force as text. */
export function drGrpoFormula(options: FormulaOptions): string {
  const { numerics, placement } = modeOf(options);
  return centredFormula(options, placement, (r) => `${r}[i] - mean of ${r} over the prompt`, {
    clamped: numerics === 'openrlhf',
  });
}
