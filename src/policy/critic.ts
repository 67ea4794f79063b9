/**
 * The value function of PPO: a network of its own that starts as a copy of a policy, with one linear value in place of the
 * vocabulary's head. It shares nothing with the policy, so its loss needs no weight against the policy's and cannot spoil
 * what the policy knows; the price is a second set of weights and moments.
 */
import type { NativeModel } from '../../binding/native';
import { Caller } from './caller';
import type { JsonObject } from '../json-object';
import { checkSignal, EngineCalls } from './engine-calls';
import type { ModelConfig } from './model-config';
import { countParameters, loadPolicyParts, type PolicyParts } from './open';
import { checkOptions } from './option-keys';
import { checkFolder, savePolicy } from './save';
import { packSequences } from './sequence-request';
import { readTrainingState, writeTrainingState } from './training-state';
import type { CriticStepOptions, CriticStepStats, PolicyOptions, Sequence, ValueSequence } from './types';
import { buildValueStepRequest, criticStats } from './value-step-request';

export class Critic implements Disposable {
  readonly config: ModelConfig;
  /** Where the weights lie: `cpu` or `cuda:N`. */
  readonly device: string;
  readonly parameterCount: number;
  private readonly model: NativeModel;
  private readonly calls: EngineCalls;
  private readonly configSource: JsonObject;

  private constructor(parts: PolicyParts) {
    this.config = parts.config;
    this.device = parts.device;
    this.model = parts.model;
    this.configSource = parts.configSource;
    this.calls = new EngineCalls(() => new parts.binding.AbortFlag());
    this.parameterCount = countParameters(parts.model);
  }

  /**
   * From the folder of a policy, with a head of zeros (V = 0 everywhere), or from one that {@link save} wrote.
   * @throws ZeroRlError as `Policy.load`
   */
  static async load(directory: string, options?: PolicyOptions): Promise<Critic> {
    return new Critic(await loadPolicyParts(new Caller(), directory, options, true));
  }

  /**
   * V before each response token, the expected return from there on in units of the reward: one Float32Array per sequence
   * of tokens.length − promptLength values.
   * @throws TypeError or RangeError naming the argument; the signal's reason, or `ERR_ZERO_RL_ABORTED`, when aborted
   */
  async values(sequences: readonly Sequence[], options?: { signal?: AbortSignal }): Promise<Float32Array[]> {
    const caller = new Caller();
    this.calls.checkUsable(caller);
    const signal = checkSignal(checkOptions('options', options, ['signal']).signal);
    const { responseOffsets, ...request } = packSequences(sequences, this.config);
    if (sequences.length === 0) return [];
    const values = await this.calls.run(caller, signal, (flag) => this.model.logProbs(request, 1, flag));
    return Array.from(sequences, (_, i) => values.slice(responseOffsets[i], responseOffsets[i + 1]));
  }

  /** One optimizer step on the clipped squared error; otherwise as `Policy.step`. */
  async step(sequences: readonly ValueSequence[], options?: CriticStepOptions): Promise<CriticStepStats> {
    const caller = new Caller();
    this.calls.checkUsable(caller);
    const request = buildValueStepRequest(sequences, options, this.config, this.device);
    const signal = checkSignal(options?.signal);
    const stats = await this.calls.run(caller, signal, (flag) => this.model.step(request, flag));
    return criticStats(stats);
  }

  /** Writes config.json and float32 weights. @throws ZeroRlError `ERR_ZERO_RL_OUTPUT` */
  async save(directory: string): Promise<void> {
    const caller = new Caller();
    this.calls.checkUsable(caller);
    const target = checkFolder(directory);
    const source = { model: this.model, config: this.config, extra: this.configSource, tokenizerFiles: null };
    await this.calls.runExclusive(caller, () => savePolicy(source, target, 'F32'));
  }

  /** As `Policy.saveTrainingState`. */
  async saveTrainingState(directory: string): Promise<void> {
    const caller = new Caller();
    this.calls.checkUsable(caller);
    const target = checkFolder(directory);
    await this.calls.runExclusive(caller, () => writeTrainingState(this.model, target));
  }

  /** As `Policy.loadTrainingState`. */
  async loadTrainingState(directory: string): Promise<void> {
    const caller = new Caller();
    this.calls.checkUsable(caller);
    const source = checkFolder(directory);
    await this.calls.runExclusive(caller, () => readTrainingState(this.model, source));
  }

  /** Aborts calls under way and frees the weights after them. Idempotent. */
  dispose(): void {
    if (this.calls.dispose()) this.model.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
