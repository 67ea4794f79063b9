/**
 * The configuration of a training run: every key, its check and its default, in this one place (those of `data` and `reward` in
 * data-schema.ts and reward-schema.ts beside it). A config file, `--set` and the object given to `train` all pass through
 * {@link configSchema}.
 */
import { z } from 'zod';
import { algorithmNames } from '../algorithms';
import { isUserCode } from '../user-code';
import { dataSchema } from './data-schema';
import { presetNames } from './presets';
import { rewardSchema } from './reward-schema';

const positiveInteger = z.int().min(1);
const count = z.int().min(0);
const nonNegative = z.number().min(0);
const fraction = z.number().min(0).max(1);
const path = z.string().min(1);

const algorithmSchema = z.strictObject({
  /** `reinforce`, `rloo`, `reinforce++` or `./my.mjs#name`, an estimator of one's own. */
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
});

const klSchema = z.strictObject({
  /** β of the KL inside the reward (OpenRLHF's init_kl_coef). 0 loads no reference model. */
  initCoefficient: nonNegative.default(0),
  /** Coefficient of a KL term in the loss. */
  lossCoefficient: nonNegative.default(0),
  lossEstimator: z.enum(['k2', 'k3']).default('k2'),
  /** Load the reference and report the KL even where no coefficient needs it. */
  measure: z.boolean().default(false),
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
  /** Texts that end a completion; those of special tokens such as `<|im_end|>` count too. */
  stopStrings: z.array(z.string().min(1)).default([]),
  /** Tokens that end a completion, as ids or as the texts of single tokens. Default: the end tokens of the model folder. */
  stopTokens: z.array(z.union([count, z.string().min(1)])).optional(),
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
  aggregation: z.enum(['token-mean', 'seq-mean-token-mean', 'seq-mean-token-sum']).default('token-mean'),
  objective: z.enum(['reinforce', 'ppo']).default('reinforce'),
  /** Clip range of `ppo`. */
  clip: z.strictObject({ low: nonNegative.default(0.2), high: nonNegative.default(0.2) }).prefault({}),
  /** Optimizer steps on each rollout batch; more than 1 wants `ppo`. */
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

const environmentCode = z.string().refine(isUserCode, 'Expected ./my.mjs#name');
const environmentLimitDefaults = { maxTurns: 4, timeoutSeconds: 30 };
const environmentSchema = z.strictObject({
  /** `./my.mjs#name`: an object with `respond`, or a function that makes one. Default: the one given to `train`. */
  code: environmentCode.optional(),
  /** Most turns of the policy in an episode. */
  maxTurns: z.int().min(1).max(64).default(environmentLimitDefaults.maxTurns),
  /** Seconds for one answer of the environment; an episode without one in time is left out. */
  timeoutSeconds: z.number().positive().default(environmentLimitDefaults.timeoutSeconds),
});

export const configSchema = z.strictObject({
  /**
   * `tinyzero`, `simplerl` or `seed`: the settings of a published experiment, for all keys that are not set here. The resolved
   * config has every key. Default none.
   */
  preset: z.enum(presetNames).optional(),
  /** Names the run folder. */
  name: z
    .string()
    .regex(/^[\w.-]+$/, 'Expected letters, digits, ".", "_" and "-"')
    .default('train'),
  /** Model folder to start from, or a model of the Hugging Face hub as `org/name` or `org/name@revision`. */
  model: path,
  /** Frozen reference of the KL. Default: `model`. */
  referenceModel: path.optional(),
  device: z.string().optional(),
  dtype: z.enum(['float32', 'bfloat16']).default('float32'),
  threads: positiveInteger.optional(),
  data: dataSchema,
  /** `math`, `format`, `countdown`, `length`, `./my.mjs#name`, an object with options, or a list of these whose weighted sum counts. */
  reward: rewardSchema,
  /** What answers the policy's turns, or its `code` alone. Default none: completions have one turn. `rollout.maxTokens` is for a turn. */
  environment: z
    .union([environmentCode.transform((code) => ({ code, ...environmentLimitDefaults })), environmentSchema])
    .optional(),
  algorithm: algorithmSchema.prefault({}),
  kl: klSchema.prefault({}),
  rollout: rolloutSchema.prefault({}),
  optimizer: optimizerSchema.prefault({}),
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

/** How often an environment answers, also one that is given in code. */
export function environmentLimits({ environment }: TrainConfig): { maxTurns: number; timeoutSeconds: number } {
  const { maxTurns, timeoutSeconds } = environment ?? environmentLimitDefaults;
  return { maxTurns, timeoutSeconds };
}

/** Whether the frozen reference model is needed. */
export function needsReference({ kl }: TrainConfig): boolean {
  return kl.initCoefficient !== 0 || kl.lossCoefficient !== 0 || kl.measure;
}

/** Learning rate of step `step` (from 1): linear warm-up, then the schedule. */
export function learningRate({ optimizer, steps }: TrainConfig, step: number): number {
  const { learningRate: peak, schedule, warmupSteps } = optimizer;
  if (step <= warmupSteps) return (peak * step) / warmupSteps;
  if (schedule === 'constant') return peak;
  const progress = Math.min(1, (step - 1 - warmupSteps) / Math.max(1, steps - warmupSteps));
  return peak * (schedule === 'linear' ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress)));
}
