/**
 * REINFORCE++ (Hu, 2025): REINFORCE with the KL inside the token rewards and advantages normalised over all
 * response tokens of the batch, as PPO implementations do, without a value network. Groups play no part: the
 * normalisation is global. It is weighted by tokens, so the mean over sequences is not 0.
 */
import { centredFormula, whitenedFormula, type FormulaOptions } from './formula-text';
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
const modeOf = (options: ModeOptions) => checkMode('reinforce++', options, NUMERICS, 'token');

/**
 * G_{i,t} = r_i − β·Σ_{k≥t} k1_{i,k};  A = (G − μ)/√max(σ², 1e-8), μ and σ² (biased) over all unmasked tokens.
 *
 * Modes:
 * - `openrlhf`: the same, r and k1 clamped to ±10.
 * - `verl`: σ² unbiased (divided by tokens − 1), A = (G − μ)/√(σ² + 1e-8). With observation tokens in between, every
 *   turn is credited with the reward, as in verl since its fix of that case.
 *
 * Groups of any size are equal, and none is left out. A batch without spread has advantage 0. A NaN reward is a
 * RangeError that names its sequence.
 *
 * @returns (N)(T_i) advantages, 0 on masked tokens.
 */
export function reinforcePlusPlus(input: EstimatorInput, options: EstimatorOptions = {}): Advantages {
  const { numerics, placement } = modeOf(options);
  const checked = checkInput(input, options);
  const limit = numerics === 'openrlhf' ? OPENRLHF_LIMIT : Infinity;
  const returns = centredReturns(checked, placement, (rewards) => Float64Array.from(rewards), limit);
  return toAdvantages(whiten(checked, returns, numerics === 'verl' ? 'unbiased' : 'biased'));
}

/** The formula in force as text. */
export function reinforcePlusPlusFormula(options: FormulaOptions): string {
  const { numerics, placement } = modeOf(options);
  const returns = centredFormula(options, placement, (name) => `${name}[i]`, {
    symbol: 'G',
    clamped: numerics === 'openrlhf',
  });
  return `${returns}\n${whitenedFormula('G', numerics === 'verl' ? 'unbiased' : 'biased')}`;
}
