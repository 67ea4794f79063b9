/**
 * The configuration of a training run: every key, its check and its default, in this one place. A config file, `--set`
 * and the object given to `train` all pass through {@link configSchema}.
 */
import { z } from 'zod';
import { algorithmNames } from '../algorithms';
import { PROBLEM_KINDS, TEMPLATES } from '../data/arithmetic';
import { formatStyles } from '../rewards/check-format';
import { NO_K1_LOSS } from '../policy/step-request';
import { aggregations, objectives, sequenceRatios } from '../policy/types';
import { isUserCode } from '../user-code';

const positiveInteger = z.int().min(1);
const count = z.int().min(0);
const finite = z.number();
const nonNegative = z.number().min(0);
const fraction = z.number().min(0).max(1);
const path = z.string().min(1);
const keys = <K extends string>(names: Iterable<K>): [K, ...K[]] => [...names] as [K, ...K[]];

const arithmeticSchema = z.strictObject({
  /** Seed of the generated problems. */
  seed: count.default(0),
  /** Prompt form of the generator. */
  template: z.enum(keys(Object.keys(TEMPLATES) as (keyof typeof TEMPLATES)[])).default('question'),
  /** Shares of the kinds of problem; default those of the generator. */
  kinds: z.partialRecord(z.enum(keys(PROBLEM_KINDS)), nonNegative).optional(),
  /** Problems with more operands are left out. */
  maxOperands: z.int().min(2).max(3).default(3),
});

const dataSchema = z.strictObject({
  /** Training problems: `arithmetic`, a .jsonl file or `./my.mjs#name`. */
  train: path,
  /** Held-out problems, the same forms. Default: the source of `train` where that is a generator; none otherwise. */
  evaluation: path.optional(),
  /** `plain`, `question`, `steps`, `boxed`, `think`, a text with {problem}, or `./my.mjs#name`. */
  template: z.string().min(1).default('plain'),
  /** Column of the problem text in a .jsonl file. */
  problemKey: z.string().optional(),
  /** Column of the gold answer in a .jsonl file. */
  answerKey: z.string().optional(),
  /** Problems that a generator makes for training. */
  count: positiveInteger.default(10_000),
  /** Whether the tokenizer adds its special tokens to prompts. */
  addSpecialTokens: z.boolean().default(true),
  arithmetic: arithmeticSchema.prefault({}),
});

const weight = finite.default(1);
const namedRewardSchema = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('math'),
    /** The format that is right; `any` asks for no more than a stated answer. */
    format: z.enum([...formatStyles, 'any']).default('boxed'),
    correct: finite.default(1),
    wrongAnswer: finite.default(-0.5),
    wrongFormat: finite.default(-1),
    weight,
  }),
  z.strictObject({
    name: z.literal('format'),
    style: z.enum(formatStyles).default('boxed'),
    right: finite.default(1),
    wrong: finite.default(0),
    weight,
  }),
  z.strictObject({
    name: z.literal('custom'),
    code: z.string().refine(isUserCode, 'Expected ./my.mjs#name'),
    /**
     * The code runs on a thread of its own. Where it finishes no sample for so many seconds, the one that hangs is left out
     * of the step with reason `timeout`. null: on the main thread, without a limit.
     */
    timeoutSeconds: z.number().positive().nullable().default(30),
    weight,
  }),
]);

/** `math`, `format` and `./my.mjs#name` stand for objects with the defaults. */
const rewardPartSchema = z.preprocess(
  (value) =>
    typeof value !== 'string' ? value : isUserCode(value) ? { name: 'custom', code: value } : { name: value },
  namedRewardSchema,
);

const algorithmSchema = z.strictObject({
  /**
   * An estimator of docs/algorithms.md: `reinforce`, `rloo`, `reinforce++`, `reinforce++-baseline`, `grpo`, `dr-grpo`,
   * `remax`, `opo`, `pass-at-k` or `ppo` (GAE with a critic); or `./my.mjs#name`, one of one's own.
   */
  name: z
    .string()
    .refine(
      (name) => (algorithmNames as readonly string[]).includes(name) || isUserCode(name),
      `Expected ${algorithmNames.join(', ')} or ./my.mjs#name`,
    )
    .default('rloo'),
  /** Whose constants and KL placement: the paper's (`default`) or a framework's. */
  numerics: z.enum(['default', 'openrlhf', 'verl', 'trl']).default('default'),
  /** REINFORCE: subtract a running mean of the rewards. */
  baseline: z.enum(['none', 'running']).default('none'),
  /** How much of the running baseline is kept at each step. */
  baselineDecay: fraction.default(0.9),
  /** `pass-at-k`: the k of the pass@k that is maximised, in samples. */
  k: positiveInteger.default(2),
  /** `ppo`: discount of the reward per token. */
  gamma: fraction.default(1),
  /** `ppo`: decay of GAE's traces per token; less trusts the critic more. */
  lambda: fraction.default(1),
});

const criticSchema = z.strictObject({
  /** `ppo`: folder that the critic starts from, that of a policy or of a saved critic. Default: `model`. */
  model: path.optional(),
  /** Of the critic's optimizer; it stays constant. */
  learningRate: z.number().positive().default(1e-5),
  betas: z.tuple([fraction, fraction]).default([0.9, 0.95]),
  eps: z.number().positive().default(1e-8),
  weightDecay: nonNegative.default(0),
  /** Gradients of the critic are scaled down to this global norm; 0 does not clip. */
  maxGradNorm: nonNegative.default(1),
  /** Most that V may move in a step with a gradient, in units of the reward; 0 does not clip. */
  clip: nonNegative.default(0.5),
  /** Optimizer steps of the critic on each rollout batch. */
  epochs: positiveInteger.default(1),
  /** Steps at the start in which the critic alone learns. */
  warmupSteps: count.default(0),
});

const klSchema = z
  .strictObject({
    /** β of the KL inside the reward (OpenRLHF's init_kl_coef), per nat. 0 loads no reference model. */
    initCoefficient: nonNegative.default(0),
    /**
     * Where the KL inside the reward is charged: `token`, each token pays for what is to go; `sequence`, the sum is part of
     * the return and of the baseline. Default: that of the estimator.
     */
    placement: z.enum(['token', 'sequence']).optional(),
    /** Coefficient of a KL term in the loss, per nat. */
    lossCoefficient: nonNegative.default(0),
    /** k2 = ½(logp − logref)², k3 = exp(logref − logp) − 1 − (logref − logp). */
    lossEstimator: z
      .preprocess(
        (value, context) => {
          if (value === 'k1') context.addIssue({ code: 'custom', message: `Expected ${NO_K1_LOSS}` });
          return value;
        },
        z.enum(['k2', 'k3']),
      )
      .prefault('k2'),
    /**
     * Multiplies the KL term in the loss by the ratio to the policy that sampled, gradient included: with k3 that is the
     * gradient of the KL without bias also off policy (DeepSeek-V3.2; TRL's default).
     */
    lossCorrection: z.boolean().default(false),
    /**
     * KL per sequence in nats that both coefficients are steered to (Ziegler et al., 2019): each step they are multiplied by
     * 1 + clamp(KL/target − 1, ±0.2)·samples/horizon. null: they stay.
     */
    target: z.number().positive().nullable().default(null),
    /** Samples over which `target` is approached. */
    horizon: positiveInteger.default(10_000),
    /** The reference follows the policy: every `every` steps (0: never) it moves by `rate`; 1 copies, less averages. */
    follow: z.strictObject({ every: count.default(0), rate: fraction.default(1) }).prefault({}),
    /** Load the reference and report the KL even where no coefficient needs it. */
    measure: z.boolean().default(false),
  })
  .refine((kl) => kl.target === null || kl.initCoefficient + kl.lossCoefficient > 0, {
    path: ['target'],
    message: 'Expected null (kl.initCoefficient and kl.lossCoefficient are both 0)',
  })
  .refine((kl) => kl.follow.every === 0 || kl.initCoefficient + kl.lossCoefficient > 0 || kl.measure, {
    path: ['follow', 'every'],
    message: 'Expected 0 (there is no reference: both coefficients of the KL are 0 and kl.measure is off)',
  });

const rolloutSchema = z.strictObject({
  promptsPerStep: positiveInteger.default(32),
  samplesPerPrompt: positiveInteger.default(8),
  /** Most new tokens of a completion, the end token included. */
  maxTokens: positiveInteger.default(1024),
  temperature: z.number().positive().default(1),
  topP: fraction.default(1),
  topK: count.default(0),
  minP: fraction.default(0),
  stopStrings: z.array(z.string().min(1)).default([]),
  /** Most sequences decoded together; 0 lets the engine choose. */
  maxBatch: count.default(0),
});

const optimizerSchema = z.strictObject({
  learningRate: z.number().positive().default(1e-6),
  /** `linear` and `cosine` fall to 0 at the last step. */
  schedule: z.enum(['constant', 'linear', 'cosine']).default('constant'),
  /** Steps over which the learning rate rises from 0. */
  warmupSteps: count.default(0),
  betas: z.tuple([fraction, fraction]).default([0.9, 0.95]),
  eps: z.number().positive().default(1e-8),
  weightDecay: nonNegative.default(0),
  /** Gradients are scaled down to this global norm; 0 does not clip. */
  maxGradNorm: nonNegative.default(1),
  /**
   * How token losses become one: the mean over all response tokens of the step; over sequences of their token mean, or of
   * their token sum; `constant`, over sequences of the token sum over `aggregationConstant` (Dr.GRPO).
   */
  aggregation: z.enum(aggregations).default('token-mean'),
  /** Tokens that `constant` divides by. Default: rollout.maxTokens. */
  aggregationConstant: z.number().positive().optional(),
  /** `reinforce`, or an objective on the ratio to the policy that sampled: `ppo`, `gspo` (of the sequence), `cispo`. */
  objective: z.enum(objectives).default('reinforce'),
  /** Ratio of `gspo`: the geometric mean of the tokens' ratios, or their product (TRL's RLOO). */
  sequenceRatio: z.enum(sequenceRatios).default('geometric-mean'),
  /** Ratios count within [1 − low, 1 + high]; `dual`: at most so much where A < 0 (0: no such bound). */
  clip: z
    .strictObject({
      low: z.number().positive().max(1).default(0.2),
      high: z.number().positive().default(0.2),
      dual: z.union([z.literal(0), z.number().gt(1)]).default(0),
    })
    .prefault({}),
  entropy: z
    .strictObject({
      /** c of the entropy bonus c·H in the loss, per nat; where `target` is set, its first value. */
      coefficient: nonNegative.default(0),
      /** Entropy per token in nats that c is steered to: log c ← log c − rate·(H − target) each step. null: c stays. */
      target: nonNegative.nullable().default(null),
      rate: z.number().positive().default(0.1),
    })
    .refine(({ coefficient, target }) => target === null || coefficient > 0, {
      path: ['coefficient'],
      message: 'Expected a value above 0 (entropy.target multiplies it)',
    })
    .prefault({}),
  /** Optimizer steps on each rollout batch; more than 1 wants an objective on ratios. */
  epochs: positiveInteger.default(1),
  memoryBudgetMiB: z.number().positive().default(1024),
});

const evaluationSchema = z.strictObject({
  /** Steps between evaluations; 0: only before the first and after the last step. */
  every: count.default(0),
  /** Held-out problems used. */
  problems: positiveInteger.default(500),
  /** Samples of each problem. */
  samples: positiveInteger.default(1),
  temperature: z.number().min(0).default(1),
  /** The same at every evaluation, so that differences come from the weights. */
  seed: count.default(0),
});

export const configSchema = z.strictObject({
  /** Names the run folder. */
  name: z
    .string()
    .regex(/^[\w.-]+$/, 'Expected letters, digits, ".", "_" and "-"')
    .default('train'),
  /** Model folder to start from. */
  model: path,
  /** Reference of the KL; see kl.follow. Default: `model`. */
  referenceModel: path.optional(),
  device: z.string().optional(),
  dtype: z.enum(['float32', 'bfloat16']).default('float32'),
  threads: positiveInteger.optional(),
  data: dataSchema,
  /** `math`, `format`, `./my.mjs#name`, an object with options, or a list of these whose weighted sum counts. */
  reward: z.union([z.array(rewardPartSchema).min(1), rewardPartSchema]).prefault('math'),
  algorithm: algorithmSchema.prefault({}),
  kl: klSchema.prefault({}),
  rollout: rolloutSchema.prefault({}),
  optimizer: optimizerSchema.prefault({}),
  /** The value network of `ppo`. */
  critic: criticSchema.prefault({}),
  steps: positiveInteger.default(100),
  /** Key of all randomness: order of the problems and sampling. */
  seed: count.default(0),
  evaluation: evaluationSchema.prefault({}),
  /** `every` 0: only after the last step. The newest `keep` stay. */
  checkpoint: z.strictObject({ every: count.default(0), keep: positiveInteger.default(2) }).prefault({}),
  /** Rollouts written: of every so many steps (0: none), the groups of the first so many prompts. */
  rollouts: z.strictObject({ every: count.default(1), prompts: positiveInteger.default(4) }).prefault({}),
  /** Folder in which the run folder is made. */
  output: path.default('runs'),
});

/** A config with every key present. */
export type TrainConfig = z.output<typeof configSchema>;
/** What users write: keys with a default may be left out. */
export type TrainConfigInput = z.input<typeof configSchema>;

/** Whether a value network is trained beside the policy. */
export function needsCritic({ algorithm }: TrainConfig): boolean {
  return algorithm.name === 'ppo';
}

/** Whether every prompt gets a greedy completion too. */
export function needsGreedy({ algorithm }: TrainConfig): boolean {
  return algorithm.name === 'remax';
}

/** Whether the reference model is needed. */
export function needsReference({ kl }: TrainConfig): boolean {
  return kl.initCoefficient !== 0 || kl.lossCoefficient !== 0 || kl.measure;
}

/** Learning rate of step `step` (from 1): 0 while the critic alone learns, linear warm-up, then the schedule. */
export function learningRate(config: TrainConfig, step: number): number {
  const { optimizer, steps } = config;
  const { learningRate: peak, schedule, warmupSteps } = optimizer;
  if (needsCritic(config) && step <= config.critic.warmupSteps) return 0;
  if (step <= warmupSteps) return (peak * step) / warmupSteps;
  if (schedule === 'constant') return peak;
  const progress = Math.min(1, (step - 1 - warmupSteps) / Math.max(1, steps - warmupSteps));
  return peak * (schedule === 'linear' ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress)));
}
