/**
 * The one shape of every advantage estimator, and the checks that they share. An estimator is a pure
 * function from the rewards of a rollout batch to one advantage per response token.
 */
import { checkNumber, invalidRange, invalidType } from '../errors';

/** A rollout batch of N sequences; sequence i has T_i response tokens. */
export interface EstimatorInput {
  /** (N) scalar reward of each sequence. */
  rewards: Float32Array | readonly number[];
  /** (N) group id of each sequence: the samples of one prompt share an id. Groups may differ in size. */
  groups: Int32Array | readonly number[];
  /** (N) response lengths T_i in tokens, the end token included. */
  lengths: Int32Array | readonly number[];
  /** (N)(T_i) k1 = logProb − referenceLogProb of each response token in nats; absent: no KL term. */
  kl?: readonly (Float32Array | readonly number[])[];
  /** (N)(T_i) 1 for tokens of the policy, 0 for tokens that do not train (tool output); absent: all 1. */
  mask?: readonly (Uint8Array | readonly number[])[];
}

/** Whose constants and KL placement an estimator follows; `default` is the formula of its paper. */
export type Numerics = 'default' | 'openrlhf' | 'verl' | 'trl';

export interface EstimatorOptions {
  /** β of the KL term inside the reward (OpenRLHF's init_kl_coef). Default 0: `kl` is not read. */
  klCoefficient?: number;
  /** Default `default`. */
  numerics?: Numerics;
  /** REINFORCE only: the value b subtracted from every reward. Default 0. */
  baseline?: number;
}

/** (N)(T_i) advantages, 0 where the mask is 0. */
export type Advantages = Float32Array[];

export interface Estimator {
  (input: EstimatorInput, options?: EstimatorOptions): Advantages;
}

/** Input after the checks: `kl` is there exactly when β is not 0. */
export interface CheckedInput {
  count: number;
  rewards: ArrayLike<number>;
  groups: ArrayLike<number>;
  lengths: ArrayLike<number>;
  kl: readonly ArrayLike<number>[] | null;
  /** 1 or 0 of token t of sequence i. */
  active: (sequence: number, token: number) => 0 | 1;
  beta: number;
}

/** Checks sizes and values; a NaN or infinite reward is named with its sequence. */
export function checkInput(input: EstimatorInput, options: EstimatorOptions = {}): CheckedInput {
  const { rewards, groups, lengths, kl, mask } = input;
  const count = rewards.length;
  const sameLength = (name: string, values: { length: number }): void => {
    if (values.length !== count) throw invalidRange(`${name}.length`, `${count}, one per reward,`, values.length);
  };
  sameLength('groups', groups);
  sameLength('lengths', lengths);
  if (kl) sameLength('kl', kl);
  if (mask) sameLength('mask', mask);
  const beta = checkNumber('klCoefficient', options.klCoefficient ?? 0, 0);
  if (beta !== 0 && !kl) throw invalidType('kl', 'one array per sequence (klCoefficient is not 0)', kl);
  for (let i = 0; i < count; i++) {
    if (!Number.isFinite(rewards[i])) throw invalidRange(`rewards[${i}]`, 'a finite number', rewards[i]);
    if (!Number.isInteger(lengths[i]) || lengths[i] < 0)
      throw invalidRange(`lengths[${i}]`, 'a non-negative integer', lengths[i]);
    if (mask && mask[i].length !== lengths[i])
      throw invalidRange(`mask[${i}].length`, `${lengths[i]}, the response length,`, mask[i].length);
    if (!kl || beta === 0) continue;
    if (kl[i].length !== lengths[i])
      throw invalidRange(`kl[${i}].length`, `${lengths[i]}, the response length,`, kl[i].length);
    const bad = Array.prototype.findIndex.call(kl[i], (value: number) => !Number.isFinite(value));
    if (bad >= 0) throw invalidRange(`kl[${i}][${bad}]`, 'a finite number', kl[i][bad]);
  }
  return {
    count,
    rewards,
    groups,
    lengths,
    kl: beta === 0 ? null : kl!,
    active: (sequence, token) => (mask && !mask[sequence][token] ? 0 : 1),
    beta,
  };
}

/** Index lists of the groups, in order of first appearance. */
export function groupMembers(groups: ArrayLike<number>): number[][] {
  const members = new Map<number, number[]>();
  for (let i = 0; i < groups.length; i++) {
    const list = members.get(groups[i]);
    if (list) list.push(i);
    else members.set(groups[i], [i]);
  }
  return [...members.values()];
}

/** Σ_t k1 of one sequence over its active tokens; 0 without a KL term. */
export function sequenceKl({ kl, lengths, active }: CheckedInput, sequence: number): number {
  let sum = 0;
  if (kl) for (let t = 0; t < lengths[sequence]; t++) sum += active(sequence, t) * kl[sequence][t];
  return sum;
}

/** A_t = value on every active token. */
export function spread({ lengths, active }: CheckedInput, values: ArrayLike<number>): Advantages {
  return Array.from(lengths, (length, i) => Float32Array.from({ length }, (_, t) => active(i, t) && values[i]));
}

/**
 * A_t = value − β·Σ_{k≥t} k1_k: the reward sits on the last token, each token pays its KL, and a token is
 * credited with what comes after it (undiscounted reward-to-go). In double precision.
 */
export function rewardToGo(input: CheckedInput, values: ArrayLike<number>, klLimit = Infinity): Float64Array[] {
  const { count, lengths, kl, active, beta } = input;
  return Array.from({ length: count }, (_, i) => {
    const out = new Float64Array(lengths[i]);
    let toGo = values[i];
    for (let t = out.length - 1; t >= 0; t--) {
      if (!active(i, t)) continue;
      if (kl) toGo -= beta * Math.min(klLimit, Math.max(-klLimit, kl[i][t]));
      out[t] = toGo;
    }
    return out;
  });
}

/** Refuses a numeric mode that an estimator does not have. */
export function checkNumerics<T extends Numerics>(name: string, options: EstimatorOptions, allowed: readonly T[]): T {
  const numerics = options.numerics ?? 'default';
  if (!(allowed as readonly Numerics[]).includes(numerics))
    throw invalidRange(`numerics of ${name}`, `one of ${allowed.map((mode) => `"${mode}"`).join(', ')}`, numerics);
  return numerics as T;
}
