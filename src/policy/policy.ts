/**
 * The one set of weights that samples, scores and learns. Arguments are checked before the addon sees them; work runs on
 * the engine's own thread, one call after the other, and the event loop stays free.
 */
import type { NativeModel, NativeSampleRequest } from '../../binding/native';
import { checkNumber, checkOneOf, invalidRange, invalidType } from '../errors';
import { Caller } from './caller';
import type { JsonObject } from '../json-object';
import { checkSignal, EngineCalls } from './engine-calls';
import type { ModelConfig } from './model-config';
import { checkOptions } from './option-keys';
import type { TokenizerFiles } from './checkpoint-folder';
import { countParameters, createPolicyParts, loadPolicyParts, type CreateOptions, type PolicyParts } from './open';
import { RolloutQueue } from './rollout-queue';
import { buildSampleRequest, encodePrompt, type Prompt } from './sample-request';
import { Sampler } from './sampler';
import { checkFolder, savePolicy, type SaveOptions } from './save';
import { Scheduler, type OpenOptions } from './scheduler';
import { checkLogProbsOptions, packSequences } from './sequence-request';
import { buildStepRequest } from './step-request';
import type { Tokenizer } from './tokenizer';
import { readTrainingState, writeTrainingState } from './training-state';
import { TrunkCritic } from './trunk-critic';
import type {
  Dtype,
  LogProbsOptions,
  PolicyOptions,
  Rollout,
  SampleOptions,
  SampleStats,
  Sequence,
  StepOptions,
  StepStats,
  TrainingSequence,
} from './types';

export class Policy implements Disposable {
  readonly config: ModelConfig;
  /** Null where the folder has no tokenizer.json. */
  readonly tokenizer: Tokenizer | null;
  /** Tokens that end a completion by default; empty when the folder names none. */
  readonly endTokens: readonly number[];
  /** Where the weights lie: `cpu` or `cuda:N`. */
  readonly device: string;
  /** Compute dtype. */
  readonly dtype: Dtype;
  /** Tied weights count once. */
  readonly parameterCount: number;
  private readonly model: NativeModel;
  private readonly calls: EngineCalls;
  private readonly configSource: JsonObject;
  private readonly tokenizerFiles: TokenizerFiles | null;
  private readonly sampler: Sampler;
  private sampleStats: SampleStats | null = null;

  private constructor(parts: PolicyParts) {
    this.config = parts.config;
    this.tokenizer = parts.tokenizer;
    this.endTokens = parts.endTokens;
    this.device = parts.device;
    this.dtype = parts.dtype;
    this.model = parts.model;
    this.configSource = parts.configSource;
    this.tokenizerFiles = parts.tokenizerFiles;
    this.calls = new EngineCalls(() => new parts.binding.AbortFlag());
    this.parameterCount = countParameters(parts.model);
    this.sampler = new Sampler(this.model, this.calls, this.tokenizer, this.config, this.endTokens);
  }

  /**
   * Loads a Hugging Face folder (Qwen2, Qwen3, Llama, Mistral, OLMo-2 or SmolLM3: config.json, *.safetensors and, where text goes in or out,
   * tokenizer.json), or `org/name[@revision]` of the Hugging Face hub where there is no such folder; HF_HOME, HF_TOKEN,
   * HF_ENDPOINT and HF_HUB_OFFLINE count as in Python.
   * @throws ZeroRlError `ERR_ZERO_RL_CHECKPOINT` for a folder that cannot be used, `ERR_ZERO_RL_HUB` for a model that cannot
   *   be had, `ERR_ZERO_RL_CUDA_UNAVAILABLE`, `ERR_ZERO_RL_LIBTORCH_NOT_FOUND` and its kin where the engine cannot be loaded
   */
  static async load(directory: string, options?: PolicyOptions): Promise<Policy> {
    return new Policy(await loadPolicyParts(new Caller(), directory, options));
  }

  /**
   * A policy with random weights: Normal(0, std), output projections scaled by 1/sqrt(2·layers), zero biases, unit norms.
   * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` naming what is wrong with the configuration
   */
  static async create(config: ModelConfig, options?: CreateOptions): Promise<Policy> {
    return new Policy(await createPolicyParts(new Caller(), config, options));
  }

  /**
   * Completions of all prompts, ordered by prompt, then sample: prompts.length · n of them. A prompt must leave room in
   * the context for one token; a completion that reaches the end of the context has finishReason `length`.
   * @throws TypeError or RangeError naming the argument; the signal's reason, or `ERR_ZERO_RL_ABORTED`, when aborted
   */
  async sample(prompts: readonly Prompt[], options?: SampleOptions): Promise<Rollout[]> {
    const caller = new Caller();
    this.calls.checkUsable(caller);
    const request = buildSampleRequest(prompts, options, this.sampler.context);
    const rollouts = new Array<Rollout>(prompts.length * request.n);
    await this.runSample(caller, request, options, (batch) => {
      for (const rollout of batch) rollouts[rollout.prompt * request.n + rollout.sample] = rollout;
    });
    return rollouts;
  }

  /**
   * The same completions, each as soon as it is done. Work starts with the first one asked for, and leaving the loop
   * aborts the rest. Arguments are checked at once; errors as for {@link sample}.
   */
  stream(prompts: readonly Prompt[], options?: SampleOptions): AsyncGenerator<Rollout, void, undefined> {
    const caller = new Caller();
    this.calls.checkUsable(caller);
    return this.streamRequest(caller, buildSampleRequest(prompts, options, this.sampler.context), options);
  }

  /**
   * A scheduler that takes prompts one by one, while others are sampled. Its options are the key of its randomness, `seed`
   * (default 0), and sampling options that its submissions have unless they give their own.
   * @throws TypeError or RangeError naming the option
   */
  open(options?: OpenOptions): Scheduler {
    this.calls.checkUsable(new Caller());
    return new Scheduler(this.sampler, options);
  }

  /**
   * Log-probs (nats) of each sequence's response tokens given what precedes them: one Float32Array per sequence of
   * tokens.length − promptLength values. Errors as for {@link sample}.
   */
  async logProbs(sequences: readonly Sequence[], options?: LogProbsOptions): Promise<Float32Array[]> {
    const caller = new Caller();
    this.calls.checkUsable(caller);
    const { temperature, signal } = checkLogProbsOptions(options);
    const { responseOffsets, ...request } = packSequences(sequences, this.config);
    if (sequences.length === 0) return [];
    const values = await this.calls.run(caller, signal, (flag) => this.model.logProbs(request, temperature, flag));
    return Array.from(sequences, (_, i) => values.slice(responseOffsets[i], responseOffsets[i + 1]));
  }

  /**
   * One optimizer step (AdamW as torch.optim.AdamW) on the policy-gradient loss of `sequences`. Moments and step count
   * stay in the policy across calls. When aborted before the update nothing has changed.
   * @throws TypeError or RangeError naming the argument
   */
  async step(sequences: readonly TrainingSequence[], options?: StepOptions): Promise<StepStats> {
    const caller = new Caller();
    this.calls.checkUsable(caller);
    const request = buildStepRequest(sequences, options, this.config, this.device);
    const signal = checkSignal(options?.signal);
    return this.calls.run(caller, signal, (flag) => this.model.step(request, flag));
  }

  /**
   * Writes a Hugging Face folder that `transformers` and {@link Policy.load} read: config.json, safetensors (sharded
   * above 5 GB) and the tokenizer's files. Files appear whole or not at all. Calls made meanwhile wait.
   * @throws ZeroRlError `ERR_ZERO_RL_OUTPUT` when the folder cannot be written
   */
  async save(directory: string, options?: SaveOptions): Promise<void> {
    const caller = new Caller();
    this.calls.checkUsable(caller);
    const { dtype } = checkOptions('options', options, ['dtype']);
    const chosen = checkOneOf('dtype', dtype ?? (this.dtype === 'float32' ? 'F32' : 'BF16'), ['F32', 'BF16', 'F16']);
    const target = checkFolder(directory);
    const source = {
      model: this.model,
      config: this.config,
      extra: this.configSource,
      tokenizerFiles: this.tokenizerFiles,
    };
    await this.calls.runExclusive(caller, () => savePolicy(source, target, chosen));
  }

  /**
   * Writes optimizer.safetensors (float32 master weights, moments, step count) into a folder, so that training goes on
   * bit for bit after `load` of the saved model and {@link loadTrainingState}. Errors as for {@link save}.
   */
  async saveTrainingState(directory: string): Promise<void> {
    const caller = new Caller();
    this.calls.checkUsable(caller);
    const target = checkFolder(directory);
    await this.calls.runExclusive(caller, () => writeTrainingState(this.model, target));
  }

  /** Reads what {@link saveTrainingState} wrote. @throws ZeroRlError `ERR_ZERO_RL_CHECKPOINT` */
  async loadTrainingState(directory: string): Promise<void> {
    const caller = new Caller();
    this.calls.checkUsable(caller);
    const source = checkFolder(directory);
    await this.calls.runExclusive(caller, () => readTrainingState(this.model, source));
  }

  /**
   * Moves the weights towards those of `other`: w ← w + rate·(other − w), on the float32 master weights. Rate 1 copies. A
   * moving average of a policy that learns follows it at 1 − decay after every step.
   * @throws RangeError when the two have different parameters
   */
  async follow(other: Policy, rate: number): Promise<void> {
    const caller = new Caller();
    this.calls.checkUsable(caller);
    if (!(other instanceof Policy)) throw invalidType('other', 'Policy', other);
    checkNumber('rate', rate, 0, 1);
    other.calls.checkUsable(caller);
    const layout = ({ model }: Policy): string => JSON.stringify(model.parameters());
    if (layout(other) !== layout(this)) throw invalidRange('other', 'policy with the same parameters', other);
    await this.calls.run(caller, undefined, () => this.model.follow(other.model, rate));
  }

  /**
   * A new critic on this policy's hidden states, V = 0 everywhere; `Critic.load` makes one with a network of its own. Usable
   * as long as the policy is.
   */
  trunkCritic(): TrunkCritic {
    this.calls.checkUsable(new Caller());
    const { model, calls, config, device } = this;
    return new TrunkCritic({ model, calls, config, device });
  }

  /** Optimizer steps taken, those before a resume included. */
  get optimizerSteps(): number {
    this.calls.checkUsable(new Caller());
    return this.model.optimizerSteps;
  }

  /** What the scheduler did in the last finished `sample` or `stream`; null before. */
  get lastSampleStats(): SampleStats | null {
    return this.sampleStats;
  }

  /** Tokens of one prompt as `sample` would use them; the same checks and errors. */
  encodePrompt(prompt: Prompt, addSpecialTokens = true): Int32Array {
    return encodePrompt('prompt', prompt, this.sampler.context, addSpecialTokens);
  }

  /** Aborts calls under way (they reject with `ERR_ZERO_RL_ABORTED`) and frees the weights after them. Idempotent. */
  dispose(): void {
    if (this.calls.dispose()) this.model.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private async runSample(
    caller: Caller,
    request: NativeSampleRequest,
    options: SampleOptions | undefined,
    onRollouts: (rollouts: Rollout[]) => void,
    onStart?: (abort: () => void) => void,
  ): Promise<void> {
    const signal = checkSignal(options?.signal);
    if (request.offsets.length === 1) return;
    this.sampleStats = await this.sampler.run(caller, request, signal, onRollouts, onStart);
  }

  private async *streamRequest(
    caller: Caller,
    request: NativeSampleRequest,
    options: SampleOptions | undefined,
  ): AsyncGenerator<Rollout, void, undefined> {
    const queue = new RolloutQueue();
    let abort = (): void => undefined;
    const running = this.runSample(
      caller,
      request,
      options,
      (rollouts) => queue.push(rollouts),
      (set) => (abort = set),
    ).then(
      () => queue.end(),
      (error: unknown) => queue.fail(error),
    );
    try {
      yield* queue;
    } finally {
      abort();
      await running;
    }
  }
}
