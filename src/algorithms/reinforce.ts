/**
 * REINFORCE (Williams, 1992): the policy gradient with the sampled return, less a baseline that does not
 * depend on the sample. Groups play no part. Without a baseline its variance is the highest of all.
 */
import { checkNumber } from '../errors';
import { centredFormula, type FormulaOptions } from './formula-text';
import { centredReturns, toAdvantages } from './returns';
import {
  checkInput,
  checkNumerics,
  checkPlacement,
  type Advantages,
  type EstimatorInput,
  type EstimatorOptions,
} from './types';

/**
 * A_{i,t} = r_i − b − β·Σ_{k≥t} k1_{i,k}.
 *
 * b is `options.baseline` (default 0), a number known before the batch was sampled: see {@link runningBaseline}.
 * A group of one and a group without spread need no care here; rewards are not clipped and no group is left out. A NaN
 * reward is a RangeError that names its sequence.
 *
 * @returns (N)(T_i) advantages, 0 on masked tokens.
 */
export function reinforce(input: EstimatorInput, options: EstimatorOptions = {}): Advantages {
  checkNumerics('reinforce', options, ['default']);
  const placement = checkPlacement('reinforce', options, 'token');
  const checked = checkInput(input, options);
  const baseline = checkNumber('baseline', options.baseline ?? 0);
  return toAdvantages(
    centredReturns(checked, placement, (returns) => Float64Array.from(returns, (value) => value - baseline)),
  );
}

/** The formula in force as text. */
export function reinforceFormula(options: FormulaOptions): string {
  checkNumerics('reinforce', { numerics: options.numerics }, ['default']);
  const running = options.baseline === 'running';
  const update = running ? `\nb = running mean of r, decay ${options.baselineDecay ?? 0.9}` : '';
  const placement = checkPlacement('reinforce', { klPlacement: options.klPlacement }, 'token');
  return centredFormula(options, placement, (returns) => `${returns}[i]${running ? ' - b' : ''}`) + update;
}

/**
 * The next running baseline: b ← mean(r) after the first batch, then b ← d·b + (1 − d)·mean(r).
 *
 * @param baseline b so far, null before the first batch.
 * @param decay d in [0, 1]; 0.9 remembers about ten batches.
 */
export function runningBaseline(baseline: number | null, rewards: ArrayLike<number>, decay: number): number | null {
  if (rewards.length === 0) return baseline;
  let mean = 0;
  for (let i = 0; i < rewards.length; i++) mean += rewards[i] / rewards.length;
  return baseline === null ? mean : decay * baseline + (1 - decay) * mean;
}
