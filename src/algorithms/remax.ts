/**
 * ReMax (Li et al., 2024): the baseline is the reward of one greedy completion of the same prompt. It costs a
 * generation more per prompt and needs no siblings.
 */
import { invalidRange, invalidType } from '../errors';
import { centredFormula, type FormulaOptions } from './formula-text';
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
const modeOf = (options: ModeOptions) => checkMode('remax', options, NUMERICS, 'token');

/**
 * A_{i,t} = r_i − g_i − β·Σ_{k≥t} k1_{i,k}, g_i = `input.greedyRewards[i]`, without a KL of its own. `verl`: the same.
 *
 * A group of one and a group without spread need no care here. Rewards are not clipped and no group is left out. A NaN
 * reward is a RangeError that names its sequence.
 *
 * @returns (N)(T_i) advantages, 0 on masked tokens.
 * @throws TypeError without `greedyRewards`
 */
export function remax(input: EstimatorInput, options: EstimatorOptions = {}): Advantages {
  const { placement } = modeOf(options);
  const checked = checkInput(input, options);
  const { greedyRewards } = input;
  if (!greedyRewards) throw invalidType('greedyRewards', 'one number per sequence (remax needs them)', greedyRewards);
  if (greedyRewards.length !== checked.count)
    throw invalidRange('greedyRewards.length', `${checked.count}, one per reward,`, greedyRewards.length);
  const bad = Array.prototype.findIndex.call(greedyRewards, (value: number) => !Number.isFinite(value));
  if (bad >= 0) throw invalidRange(`greedyRewards[${bad}]`, 'a finite number', greedyRewards[bad]);
  return toAdvantages(
    centredReturns(checked, placement, (returns) => Float64Array.from(returns, (value, i) => value - greedyRewards[i])),
  );
}

/** The formula in force as text. */
export function remaxFormula(options: FormulaOptions): string {
  const { placement } = modeOf(options);
  return centredFormula(options, placement, (r) => `${r}[i] - r of a greedy completion of the prompt`);
}
