/**
 * REINFORCE++-baseline (Hu, 2025): the mean of the group is subtracted first, then advantages are normalised over all
 * response tokens of the batch. Unlike GRPO no group is scaled by its own spread.
 */
import { centredFormula, whitenedFormula, type FormulaOptions } from './formula-text';
import { lessGroupMean, singletonRule } from './groups';
import { centredReturns, OPENRLHF_LIMIT, toAdvantages, whiten } from './returns';
import {
  checkInput,
  checkMode,
  type Advantages,
  type EstimatorInput,
  type EstimatorOptions,
  type ModeOptions,
} from './types';

const NUMERICS = ['default', 'openrlhf', 'verl'] as const;
const modeOf = (options: ModeOptions) =>
  checkMode('reinforce++-baseline', options, NUMERICS, (numerics) => (numerics === 'verl' ? 'sequence' : 'token'));

/**
 * G_{i,t} = r_i − mean_group(r) − β·Σ_{k≥t} k1_{i,k};  A = (G − μ)/√max(σ², 1e-8), μ and σ² (biased) over all
 * unmasked tokens.
 *
 * Modes:
 * - `openrlhf`: the same, the centred reward and k1 clamped to ±10; a group of one is a RangeError.
 * - `verl`: G_i = R_i − mean_group(R) with R_i = r_i − β·Σ_t k1, the same for every token; σ² unbiased, 1e-8 added;
 *   a group of one keeps its raw return.
 *
 * A group of one, and one without spread, has G = 0 (less its KL) before the normalisation, which still shifts it by μ.
 * No group is left out. A NaN reward is a RangeError that names its sequence.
 *
 * @returns (N)(T_i) advantages, 0 on masked tokens.
 */
export function reinforcePlusPlusBaseline(input: EstimatorInput, options: EstimatorOptions = {}): Advantages {
  const { numerics, placement } = modeOf(options);
  const checked = checkInput(input, options);
  const lessMean = (returns: ArrayLike<number>): Float64Array =>
    lessGroupMean(checked.groups, returns, singletonRule(numerics));
  const limit = numerics === 'openrlhf' ? OPENRLHF_LIMIT : Infinity;
  const returns = centredReturns(checked, placement, lessMean, limit);
  return toAdvantages(whiten(checked, returns, numerics === 'verl' ? 'unbiased' : 'biased'));
}

/** The formula in force as text. */
export function reinforcePlusPlusBaselineFormula(options: FormulaOptions): string {
  const { numerics, placement } = modeOf(options);
  const returns = centredFormula(options, placement, (r) => `${r}[i] - mean of ${r} over the prompt`, {
    symbol: 'G',
    clamped: numerics === 'openrlhf',
  });
  return `${returns}\n${whitenedFormula('G', numerics === 'verl' ? 'unbiased' : 'biased')}`;
}
