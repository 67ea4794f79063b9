/**
 * REINFORCE++ (Hu, 2025): REINFORCE with the KL inside the token rewards and advantages normalised over all
 * response tokens of the batch, as PPO implementations do, without a value network. Groups play no part: the
 * normalisation is global. It is weighted by tokens, so the mean over sequences is not 0.
 */
import {
  checkInput,
  checkNumerics,
  rewardToGo,
  type Advantages,
  type EstimatorInput,
  type EstimatorOptions,
} from './types';

/** Floor of the variance, and verl's addend. */
const VARIANCE_EPSILON = 1e-8;
/** OpenRLHF clamps the reward and k1 to ±10. */
const OPENRLHF_LIMIT = 10;

/**
 * G_{i,t} = r_i − β·Σ_{k≥t} k1_{i,k};  A = (G − μ)/√max(σ², 1e-8), μ and σ² (biased) over all unmasked tokens.
 *
 * Modes:
 * - `openrlhf`: the same, r and k1 clamped to ±10.
 * - `verl`: σ² unbiased (divided by tokens − 1), A = (G − μ)/√(σ² + 1e-8).
 *
 * Groups of any size are equal. A batch without spread has advantage 0. A NaN reward is a RangeError that names
 * its sequence.
 *
 * @returns (N)(T_i) advantages, 0 on masked tokens.
 */
export function reinforcePlusPlus(input: EstimatorInput, options: EstimatorOptions = {}): Advantages {
  const numerics = checkNumerics('reinforce++', options, ['default', 'openrlhf', 'verl']);
  const checked = checkInput(input, options);
  const limit = numerics === 'openrlhf' ? OPENRLHF_LIMIT : Infinity;
  const rewards = Array.from(checked.rewards, (reward) => Math.min(limit, Math.max(-limit, reward)));
  const returns = rewardToGo(checked, rewards, limit);

  let tokens = 0;
  let sum = 0;
  returns.forEach((row, i) =>
    row.forEach((value, t) => {
      tokens += checked.active(i, t);
      sum += value;
    }),
  );
  const mean = tokens > 0 ? sum / tokens : 0;
  let squares = 0;
  returns.forEach((row, i) => row.forEach((value, t) => (squares += checked.active(i, t) * (value - mean) ** 2)));
  const scale =
    numerics === 'verl'
      ? 1 / Math.sqrt(squares / Math.max(1, tokens - 1) + VARIANCE_EPSILON)
      : 1 / Math.sqrt(Math.max(squares / Math.max(1, tokens), VARIANCE_EPSILON));
  return returns.map((row, i) => Float32Array.from(row, (value, t) => checked.active(i, t) * (value - mean) * scale));
}
