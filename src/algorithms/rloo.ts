/**
 * RLOO, REINFORCE leave-one-out (Kool, van Hoof and Welling, 2019; for language models Ahmadian et al., 2024):
 * the baseline of a sample is the mean return of the other samples of its prompt, so it is unbiased and
 * needs no value network.
 */
import { invalidRange } from '../errors';
import {
  checkInput,
  checkNumerics,
  groupMembers,
  rewardToGo,
  sequenceKl,
  spread,
  type Advantages,
  type EstimatorInput,
  type EstimatorOptions,
} from './types';

/** OpenRLHF clamps the centred reward and k1 to ±10. */
const OPENRLHF_LIMIT = 10;

/**
 * R_i = r_i − β·Σ_t k1_{i,t};  A_{i,t} = R_i − (Σ_{j in group} R_j − R_i)/(n − 1), the same for every token.
 *
 * The KL is part of the return, so the baseline covers it (Ahmadian et al., equation 3). Modes:
 * - `verl`, `trl`: the same formula; a group of one keeps its raw return under `verl`.
 * - `openrlhf`: leave-one-out on r alone, clamped to ±10, then −β·Σ_{k≥t} k1_k per token, k1 clamped to ±10;
 *   a group of one is a RangeError.
 *
 * A group of one has no siblings: its advantage is 0 (its KL included). A group without spread has advantage 0.
 * A NaN reward is a RangeError that names its sequence.
 *
 * @returns (N)(T_i) advantages, 0 on masked tokens.
 */
export function rloo(input: EstimatorInput, options: EstimatorOptions = {}): Advantages {
  const numerics = checkNumerics('rloo', options, ['default', 'openrlhf', 'verl', 'trl']);
  const checked = checkInput(input, options);
  const returns = Float64Array.from(checked.rewards);
  if (numerics !== 'openrlhf')
    for (let i = 0; i < checked.count; i++) returns[i] -= checked.beta * sequenceKl(checked, i);

  const advantages = new Float64Array(checked.count);
  for (const members of groupMembers(checked.groups)) {
    const n = members.length;
    if (n === 1) {
      if (numerics === 'openrlhf')
        throw invalidRange('groups', 'at least 2 sequences in every group', `1 in group ${checked.groups[members[0]]}`);
      advantages[members[0]] = numerics === 'verl' ? returns[members[0]] : 0;
      continue;
    }
    const sum = members.reduce((total, i) => total + returns[i], 0);
    for (const i of members) advantages[i] = returns[i] - (sum - returns[i]) / (n - 1);
  }
  if (numerics !== 'openrlhf') return spread(checked, advantages);
  const clamped = advantages.map((value) => Math.min(OPENRLHF_LIMIT, Math.max(-OPENRLHF_LIMIT, value)));
  return rewardToGo(checked, clamped, OPENRLHF_LIMIT).map((values) => Float32Array.from(values));
}
