/**
 * The one shape of every advantage estimator, and the checks that they share. An estimator is a pure
 * function from the rewards of a rollout batch to one advantage per response token.
 */
import { checkNumber, checkOneOf, invalidRange, invalidType } from '../errors';

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
  /** (N)(T_i) V before each response token, from the critic, in units of the reward; `gae` alone reads it. */
  values?: readonly (Float32Array | readonly number[])[];
  /** (N) reward of a greedy completion of each sequence's prompt; `remax` alone reads it. */
  greedyRewards?: Float32Array | readonly number[];
}

/** Whose constants and KL placement an estimator follows; `default` is the formula of its paper. */
export type Numerics = 'default' | 'openrlhf' | 'verl' | 'trl';

export interface EstimatorOptions {
  /** β of the KL term inside the reward (OpenRLHF's init_kl_coef). Default 0: `kl` is not read. */
  klCoefficient?: number;
  /** Default `default`. */
  numerics?: Numerics;
  /**
   * `token`: a token pays for the KL from itself on (Σ_{k≥t}), after the baseline; `sequence`: the whole KL is part of
   * the return, before the baseline. Default: that of the estimator. The modes of frameworks fix it.
   */
  klPlacement?: KlPlacement;
  /** REINFORCE only: the value b subtracted from every reward. Default 0. */
  baseline?: number;
  /** pass@k only: k, at least 1; a smaller group counts as its own size. Default 2. */
  k?: number;
  /** GAE only: discount per token in [0, 1]. Default 1. */
  gamma?: number;
  /** GAE only: decay of the traces in [0, 1]. Default 1. */
  lambda?: number;
}

/** Where the KL inside the reward is charged. */
export type KlPlacement = 'token' | 'sequence';

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

/** Refuses a numeric mode that an estimator does not have. */
export function checkNumerics<T extends Numerics>(name: string, options: EstimatorOptions, allowed: readonly T[]): T {
  const numerics = options.numerics ?? 'default';
  if (!(allowed as readonly Numerics[]).includes(numerics))
    throw invalidRange(`numerics of ${name}`, `one of ${allowed.map((mode) => `"${mode}"`).join(', ')}`, numerics);
  return numerics as T;
}

/** The placement asked for; a framework's mode leaves no choice but its own. */
export function checkPlacement(name: string, options: EstimatorOptions, own: KlPlacement): KlPlacement {
  const placement = checkOneOf('klPlacement', options.klPlacement ?? own, ['token', 'sequence']);
  if (placement !== own && (options.numerics ?? 'default') !== 'default')
    throw invalidRange(`klPlacement of ${name}`, `"${own}" under numerics ${options.numerics}`, placement);
  return placement;
}

/** TRL's group estimators have their KL in the loss. */
export function refuseRewardKl(name: string, { klCoefficient = 0 }: ModeOptions): void {
  if (klCoefficient !== 0)
    throw invalidRange(`klCoefficient of ${name}`, '0 under numerics trl, which has its KL in the loss', klCoefficient);
}

/** What the mode of an estimator follows from. */
export type ModeOptions = Pick<EstimatorOptions, 'numerics' | 'klPlacement' | 'klCoefficient'>;

/** Whose numbers an estimator gives, and where its KL lies. */
export interface Mode<T extends Numerics> {
  numerics: T;
  placement: KlPlacement;
}

/** The checked mode of an estimator, for its numbers and for its formula alike. `own` is where its KL lies unless asked. */
export function checkMode<T extends Numerics>(
  name: string,
  options: ModeOptions,
  allowed: readonly T[],
  own: KlPlacement | ((numerics: T) => KlPlacement),
): Mode<T> {
  const numerics = checkNumerics(name, options, allowed);
  return { numerics, placement: checkPlacement(name, options, typeof own === 'string' ? own : own(numerics)) };
}

/** Unmasked response tokens of one sequence. */
export function activeTokens({ lengths, active }: CheckedInput, sequence: number): number {
  let tokens = 0;
  for (let t = 0; t < lengths[sequence]; t++) tokens += active(sequence, t);
  return tokens;
}
