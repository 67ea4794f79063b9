/** Types of the {@link Policy} surface: sampling, scoring and policy-gradient steps. */

export type Dtype = 'float32' | 'bfloat16';

/** Options of `Policy.load` and `Policy.create`. */
export interface PolicyOptions {
  /**
   * `cpu`, `cuda` (the first device), `cuda:N`, or `auto`: the first CUDA device that is usable, else the CPU, with one
   * warning where a device or driver is present but cannot be used. Default: ZERO_RL_DEVICE, else `auto`.
   */
  device?: string;
  /** Compute dtype. Default `float32`. */
  dtype?: Dtype;
  /**
   * Whether bfloat16 weights are trained through float32 masters: 16 bytes per parameter with the gradient and the moments.
   * False: 10 bytes per parameter; moments are bfloat16 too, and updates are rounded stochastically, so that
   * steps smaller than the spacing of bfloat16 count on average. Gradients are float32 either way.
   * float32 weights are their own masters. Default true.
   */
  masterWeights?: boolean;
  /**
   * AdamW's moments on a CUDA device: `device`, in float32; `bfloat16`, rounded after every step, which halves their memory
   * and asks for a second beta of at most 0.99, or small changes are lost; `host`, in pinned memory of the host, from where
   * they pass the bus twice per step. A model of 7 billion parameters steps on a device of 141 GB with one of the latter.
   * Default `device`.
   */
  moments?: 'device' | 'bfloat16' | 'host';
  /** Intra-op threads of the engine. Default: the processors this process may use. */
  threads?: number;
  /**
   * Most memory in MiB that the policy may take where its weights are: weights, optimizer, caches, activations. Default: what is
   * free there; on the host by the machine, the control groups (v1 and v2) and the limits of this process, less a tenth.
   */
  memoryMiB?: number;
}

/** How completions are drawn: options of `Policy.sample`, `Policy.stream`, `Policy.open` and each of its submissions. */
export interface SamplingOptions {
  /** Most new tokens per completion, the end token included. Default 128. */
  maxTokens?: number;
  /** Divides the logits; 0 takes the most likely token (its log-prob is then that of temperature 1). Default 1. */
  temperature?: number;
  /** Nucleus: the smallest set of most likely tokens whose probability reaches topP. Default 1 (off). */
  topP?: number;
  /** Keeps the k most likely tokens; 0 is off. Default 0. */
  topK?: number;
  /** Drops tokens less likely than minP times the most likely one, after topK and then topP. Default 0 (off). */
  minP?: number;
  /** Whether rollouts of truncated draws (topP, topK, minP) have `keptTokens`, for {@link Sequence}. Default false. */
  keptTokens?: boolean;
  /** Tokens that end a completion. Default: the folder's end tokens. */
  stopTokens?: readonly number[];
  /** Texts that end a completion once they occur in it; needs a tokenizer. */
  stopStrings?: readonly string[];
  /** Text prompts: whether the tokenizer adds its special tokens. Default true. */
  addSpecialTokens?: boolean;
  /** `low` takes slots of the batch that nothing normal waits for, and gives them back where something does. Default `normal`. */
  priority?: 'normal' | 'low';
}

/** Options of `Policy.sample` and `Policy.stream`. */
export interface SampleOptions extends SamplingOptions {
  /** Completions per prompt, default 1. */
  n?: number;
  /** Key of the run's randomness, a non-negative safe integer. Default 0. */
  seed?: number;
  /** One key per prompt, default its index: a prompt sampled alone or in a batch gives the same completion. */
  uids?: readonly number[];
  /** Most sequences decoded together. Default: as many as a memory budget allows, at most 256. */
  maxBatch?: number;
  signal?: AbortSignal;
}

/** What was drawn after a prompt. */
export interface Completion {
  /** Index of the prompt in the call. */
  prompt: number;
  /** 0 ... n−1 within the prompt's group. */
  sample: number;
  /** The new tokens, the end token included where one was sampled. */
  tokens: Int32Array;
  /** Nats per token under the temperature-scaled, untruncated distribution. */
  logProbs: Float32Array;
  /**
   * Where topP, topK or minP truncate the distribution: log S per token, in nats, S the probability of all tokens that were
   * kept. The token was drawn with log-prob `logProbs − logMass`.
   */
  logMass?: Float32Array;
  /**
   * Entropy in nats of the distribution that each token's log-prob is of: temperature-scaled, untruncated; at temperature 0
   * that of temperature 1.
   */
  entropies?: Float32Array;
  /** Which tokens were kept, with the option `keptTokens`: a few bytes per token, to be handed on in a {@link Sequence}. */
  keptTokens?: Uint8Array;
  finishReason: 'stop' | 'length';
}

/** One completion with what it goes on from. */
export interface Rollout extends Completion {
  /** Tokens of the prompt, one array for all its samples: [...promptTokens, ...tokens] is the whole context. */
  readonly promptTokens: Int32Array;
  /**
   * The completion as text, without the token that ended it and without special tokens; null where the folder has no
   * tokenizer.json. Decoded when it is first read.
   */
  readonly text: string | null;
  entropies: Float32Array;
}

/** What the scheduler did during the last `sample` call. */
export interface SampleStats {
  /** Decode steps run. */
  steps: number;
  /** Slots summed over decode steps while work was queued. */
  slotSteps: number;
  /** Of these, slots that carried a live sequence. */
  liveSlotSteps: number;
  /** Prompt tokens computed: once for all samples of a prompt, and again where memory was too short to keep them. */
  promptTokens: number;
  /** Prompt tokens whose keys and values were still there from earlier sequences. */
  cachedTokens: number;
  newTokens: number;
  seconds: number;
}

export interface Sequence {
  /** Prompt and response. */
  tokens: Int32Array | readonly number[];
  /** Tokens before the first scored one, at least 1. */
  promptLength: number;
  /**
   * `keptTokens` of the rollout that the response tokens are from: they are then scored, and trained, under the distribution
   * renormalised over the tokens that their draw kept, with oldLogProbs `logProbs − logMass`. Default: over all tokens.
   */
  keptTokens?: Uint8Array;
}

export interface LogProbsOptions {
  /** Default 1. */
  temperature?: number;
  signal?: AbortSignal;
}

export interface TrainingSequence extends Sequence {
  /** One number for the whole response, or one per response token. */
  advantages: number | Float32Array | readonly number[];
  /** Behaviour log-probs (nats, one per response token); needed by `ppo`. */
  oldLogProbs?: Float32Array | readonly number[];
  /** Reference log-probs (nats, one per response token); needed when `kl.coefficient` is not 0. */
  referenceLogProbs?: Float32Array | readonly number[];
  /** 1 for response tokens that train, 0 for those that do not. Default all 1. */
  mask?: Uint8Array | readonly number[];
}

export const aggregations = ['token-mean', 'seq-mean-token-mean', 'seq-mean-token-sum', 'constant'] as const;
export type Aggregation = (typeof aggregations)[number];

export const objectives = ['reinforce', 'ppo', 'gspo', 'cispo'] as const;
export type Objective = (typeof objectives)[number];

export const sequenceRatios = ['geometric-mean', 'product'] as const;

/** How gradients become an update: AdamW as torch.optim.AdamW. */
export interface OptimizerOptions {
  /** Default 1e-6. */
  learningRate?: number;
  /** Default [0.9, 0.95]. */
  betas?: readonly [number, number];
  /** Default 1e-8. */
  eps?: number;
  /** Decoupled decay on every parameter. Default 0. */
  weightDecay?: number;
  /** Gradients are scaled down to this global norm; 0 or Infinity does not clip. Default 1. */
  maxGradNorm?: number;
  /**
   * Most memory of a micro-batch in MiB: activations, and logits of a part of it. Default 1024, on a CUDA device most of what is
   * free. Where few tokens fit, those of the MLPs are computed again in the backward pass. Changes the result by rounding only.
   * ERR_ZERO_RL_OUT_OF_MEMORY where one sequence does not fit.
   */
  memoryBudgetMiB?: number;
  signal?: AbortSignal;
}

export interface StepOptions extends OptimizerOptions {
  /**
   * With ρ = exp(logp − oldLogProbs), all but `reinforce` need oldLogProbs. Default `reinforce`.
   * - `reinforce`: −A·logp.
   * - `ppo`: −min(ρA, clip(ρ, 1−low, 1+high)·A) (arXiv 1707.06347).
   * - `gspo`: the same with one ratio s for the response, whose gradient is s·∇logp; a forward pass more
   *   (arXiv 2507.18071, in its form for advantages per token). Wants `seq-mean-token-mean`.
   * - `cispo`: −clip(ρ, 1−low, 1+high)·A·logp, no gradient through the ratio (arXiv 2506.13585).
   */
  objective?: Objective;
  /**
   * Clip range of ratios. Defaults: low 0.2 (at most 1, which bounds nothing), high 0.2, dual 0. dual above 1: with A < 0 a
   * ratio counts at most so much (`ppo`, `gspo`; arXiv 1912.09729); 0: no such bound.
   */
  clip?: { low?: number; high?: number; dual?: number };
  /**
   * s of `gspo`: the `geometric-mean` of the token ratios (default), or their `product`, which TRL's RLOO has; the loss of
   * a response is then spread over its tokens and wants `seq-mean-token-sum`.
   */
  sequenceRatio?: (typeof sequenceRatios)[number];
  /** c of −c·H, H the entropy of the policy at a token in nats, aggregated as the loss. Default 0. */
  entropyCoefficient?: number;
  /**
   * KL term in the loss: k2 = ½(logp − ref)², k3 = exp(ref − logp) − 1 − (ref − logp). Default coefficient 0, k2.
   * `corrected` (default false) multiplies it by ρ, through which the gradient flows too, and needs oldLogProbs
   * (arXiv 2512.02556).
   */
  kl?: { coefficient?: number; estimator?: 'k2' | 'k3'; corrected?: boolean };
  /** How token losses become one number, over all sequences of the call. Default `token-mean`. */
  aggregation?: Aggregation;
  /** Tokens that `constant` divides the mean over sequences by (Dr.GRPO: the most a response may have). */
  aggregationConstant?: number;
  /** Temperature of the policy that is trained, as in sampling. Default 1. */
  temperature?: number;
}

export interface StepStats {
  /** The aggregated objective, KL and entropy terms included. */
  loss: number;
  /** Global L2 norm before clipping. */
  gradNorm: number;
  /** Mean over measured tokens of the policy's entropy in nats. */
  entropy: number;
  /** Mean over measured tokens of logp − referenceLogProbs (k1) where references were given, else 0. */
  kl: number;
  /** Mean over measured tokens of |logp − oldLogProbs| where given, else 0: the rollout/training mismatch when on-policy. */
  logProbDifference: number;
  /** Share of trained tokens whose ratio was clipped. */
  clipFraction: number;
  /** Trained (unmasked response) tokens. */
  tokens: number;
  /**
   * Of these, the tokens of sequences that were run. A sequence whose advantages are all 0 is not, where the loss has no entropy
   * term and no references are given: it adds nothing to the gradient, while its tokens count in every denominator.
   */
  measuredTokens: number;
  /** Prompt and response tokens run through the network. */
  totalTokens: number;
  microBatches: number;
  /** False when the gradient was not finite: weights and moments are then unchanged. */
  applied: boolean;
  seconds: number;
}

/** What a {@link Critic} learns from. */
export interface ValueSequence extends Sequence {
  /** Targets of V, one per response token, in units of the reward. */
  returns: Float32Array | readonly number[];
  /** V at the rollout, one per response token; needed where `clip` is not 0. */
  oldValues?: Float32Array | readonly number[];
  /** 1 for response tokens that train, 0 for those that do not. Default all 1. */
  mask?: Uint8Array | readonly number[];
}

export interface CriticStepOptions extends OptimizerOptions {
  /** Most that V may move from oldValues with a gradient, in units of the reward; 0 does not clip. Default 0.5. */
  clip?: number;
  /** Default `token-mean`. */
  aggregation?: Exclude<Aggregation, 'constant'>;
}

/** As {@link StepStats}; `loss` is the aggregated ½·max((V − R)², (clip(V) − R)²). */
export type CriticStepStats = Pick<
  StepStats,
  'loss' | 'gradNorm' | 'clipFraction' | 'tokens' | 'totalTokens' | 'microBatches' | 'applied' | 'seconds'
>;
