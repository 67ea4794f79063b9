/**
 * GRPO, group relative policy optimization (Shao et al., 2024, DeepSeekMath): the return in units of its group's
 * standard deviation. Groups with little spread are blown up by it; Dr.GRPO leaves it out.
 */
import { centredFormula, type FormulaOptions } from './formula-text';
import { centreGroups, meanOf, singletonRule, unbiasedStd } from './groups';
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
const EPSILON = { default: 1e-6, openrlhf: 1e-9, verl: 1e-6, trl: 1e-4 } as const;
const modeOf = (options: ModeOptions) => {
  const mode = checkMode('grpo', options, NUMERICS, (numerics) => (numerics === 'openrlhf' ? 'token' : 'sequence'));
  if (mode.numerics === 'trl') refuseRewardKl('grpo', options);
  return mode;
};

/**
 * A_{i,t} = (R_i − mean_group(R))/(std_group(R) + 1e-6), std unbiased, R_i = r_i − β·Σ_t k1_{i,t}; the same for every
 * token. The paper has its KL in the loss (k3), so β is usually 0 here.
 *
 * Modes:
 * - `openrlhf`: 1e-9; on r alone, clamped to ±10, then −β·Σ_{k≥t} k1_k per token, k1 clamped to ±10; a group of one is
 *   a RangeError.
 * - `verl`: 1e-6; a group of one is R_i/(1 + 1e-6).
 * - `trl`: 1e-4; no KL inside the reward.
 *
 * A group of one has advantage 0, as has a group without spread. Rewards are clipped under `openrlhf` only; no group is
 * left out. A NaN reward is a RangeError that names its sequence.
 *
 * @returns (N)(T_i) advantages, 0 on masked tokens.
 */
export function grpo(input: EstimatorInput, options: EstimatorOptions = {}): Advantages {
  const { numerics, placement } = modeOf(options);
  const checked = checkInput(input, options);
  const epsilon = EPSILON[numerics];
  const normalise = (returns: ArrayLike<number>): Float64Array => {
    const centred = centreGroups(checked.groups, returns, singletonRule(numerics), (values) => {
      const [mean, std] = [meanOf(values), unbiasedStd(values)];
      return values.map((value) => (value - mean) / (std + epsilon));
    });
    return numerics === 'verl' ? scaleSingletons(checked.groups, centred, 1 / (1 + epsilon)) : centred;
  };
  const limit = numerics === 'openrlhf' ? OPENRLHF_LIMIT : Infinity;
  return toAdvantages(centredReturns(checked, placement, normalise, limit));
}

/** verl takes 1 for the spread of a group of one. */
function scaleSingletons(groups: ArrayLike<number>, values: Float64Array, scale: number): Float64Array {
  const sizes = new Map<number, number>();
  for (let i = 0; i < groups.length; i++) sizes.set(groups[i], (sizes.get(groups[i]) ?? 0) + 1);
  return values.map((value, i) => (sizes.get(groups[i]) === 1 ? value * scale : value));
}

/** The formula in force as text. */
export function grpoFormula(options: FormulaOptions): string {
  const { numerics, placement } = modeOf(options);
  const centre = (r: string) =>
    `(${r}[i] - mean of ${r})/(unbiased std of ${r} + ${EPSILON[numerics]}) over the prompt`;
  return centredFormula(options, placement, centre, { clamped: numerics === 'openrlhf' });
}
