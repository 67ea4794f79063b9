/**
 * OPO, on-policy RL with optimal reward baseline (Hao et al., 2025): the baseline of least variance when the squared
 * norm of a sequence's gradient grows with its length, which is the mean weighted by length.
 */
import { centredFormula, type FormulaOptions } from './formula-text';
import { centreGroups, singletonRule } from './groups';
import { centredReturns, toAdvantages } from './returns';
import {
  activeTokens,
  checkInput,
  checkMode,
  type Advantages,
  type EstimatorInput,
  type EstimatorOptions,
  type ModeOptions,
} from './types';

const NUMERICS = ['default', 'verl'] as const;
const modeOf = (options: ModeOptions) => checkMode('opo', options, NUMERICS, 'sequence');

/**
 * A_{i,t} = R_i − Σ_j L_j·R_j/Σ_j L_j over the group, R_i = r_i − β·Σ_t k1_{i,t}, L the unmasked response tokens; the
 * same for every token. `verl`: a group of one keeps its raw return.
 *
 * A group of one has advantage 0, as has a group without spread. Rewards are not clipped and no group is left out. A NaN
 * reward is a RangeError that names its sequence.
 *
 * @returns (N)(T_i) advantages, 0 on masked tokens.
 */
export function opo(input: EstimatorInput, options: EstimatorOptions = {}): Advantages {
  const { numerics, placement } = modeOf(options);
  const checked = checkInput(input, options);
  const lessWeighted = (returns: ArrayLike<number>): Float64Array =>
    centreGroups(checked.groups, returns, singletonRule(numerics), (values, members) => {
      const lengths = members.map((i) => activeTokens(checked, i));
      const total = lengths.reduce((sum, length) => sum + length, 0);
      const baseline = values.reduce((sum, value, at) => sum + value * lengths[at], 0) / Math.max(1, total);
      return values.map((value) => value - baseline);
    });
  return toAdvantages(centredReturns(checked, placement, lessWeighted));
}

/** The formula in force as text. */
export function opoFormula(options: FormulaOptions): string {
  const { placement } = modeOf(options);
  return centredFormula(options, placement, (r) => `${r}[i] - Σ L·${r}/Σ L over the prompt, L the response tokens`);
}
