/**
 * The configuration of a training run: every key, its check and its default, here and for how it learns in
 * config-learning.ts. A config file, `--set`
 * and the object given to `train` all pass through {@link configSchema}.
 */
import { z } from 'zod';
import { PROBLEM_KINDS, TEMPLATES } from '../data/arithmetic';
import { formatStyles } from '../rewards/check-format';
import { isUserCode } from '../user-code';
import { algorithmSchema, criticSchema, klSchema, optimizerSchema } from './config-learning';
import { checkpointSchema, dynamicSamplingSchema, emaSchema, lengthPenaltySchema, watchdogSchema } from './config-loop';
import { count, finite, fraction, nonNegative, positiveInteger } from './config-numbers';

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

const rolloutSchema = z.strictObject({
  promptsPerStep: positiveInteger.default(32),
  samplesPerPrompt: positiveInteger.default(8),
  /** Most new tokens of a completion, the end token included. */
  maxTokens: positiveInteger.default(1024),
  temperature: z.number().positive().default(1),
  /** Temperature of the last step, reached linearly from `temperature`; null: it stays. Default null. */
  finalTemperature: z.number().positive().nullable().default(null),
  topP: fraction.default(1),
  topK: count.default(0),
  minP: fraction.default(0),
  stopStrings: z.array(z.string().min(1)).default([]),
  /** Most sequences decoded together; 0 lets the engine choose. */
  maxBatch: count.default(0),
  dynamicSampling: dynamicSamplingSchema.prefault({}),
  lengthPenalty: lengthPenaltySchema.prefault({}),
});

const evaluationSchema = z
  .strictObject({
    /** Steps between evaluations; 0: only before the first and after the last step. */
    every: count.default(0),
    /** Held-out problems used. */
    problems: positiveInteger.default(500),
    /** Samples of each problem. */
    samples: positiveInteger.default(1),
    /** Numbers of samples k of pass@k and maj@k, each at most `samples`. Default: `samples` alone. */
    k: z.array(positiveInteger).min(1).optional(),
    /** Whether problems are sampled at this temperature; 0 takes the most likely token. The base model's is the same. */
    temperature: z.number().min(0).default(1),
    /** The same at every evaluation, so that differences come from the weights. */
    seed: count.default(0),
  })
  .refine(({ k = [], samples }) => k.every((value) => value <= samples), {
    path: ['k'],
    message: 'Expected values of at most evaluation.samples',
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
  checkpoint: checkpointSchema.prefault({}),
  /** The moving average of the policy's weights. */
  ema: emaSchema.prefault({}),
  /** Rules that watch the figures of the steps. */
  watchdog: watchdogSchema.prefault({}),
  /** Rollouts written: of every so many steps (0: none), the groups of the first so many prompts. */
  rollouts: z.strictObject({ every: count.default(1), prompts: positiveInteger.default(4) }).prefault({}),
  /** Folder in which the run folder is made. */
  output: path.default('runs'),
});

/** A config with every key present. */
export type TrainConfig = z.output<typeof configSchema>;
/** What users write: keys with a default may be left out. */
export type TrainConfigInput = z.input<typeof configSchema>;

/** Seeds of sampling after rollbacks are so far apart. */
const ROLLBACK_SEEDS = 2 ** 32;

/** The config as it is in force at `step` (from 1): the temperature of the schedule, and what rollbacks have changed. */
export function configAt(config: TrainConfig, step: number, rollbacks: number): TrainConfig {
  const { rollout, optimizer, critic, seed, steps, watchdog } = config;
  const { temperature, finalTemperature } = rollout;
  const progress = steps > 1 ? (step - 1) / (steps - 1) : 0;
  const factor = watchdog.rollback.learningRateFactor ** rollbacks;
  return {
    ...config,
    seed: seed + rollbacks * ROLLBACK_SEEDS,
    rollout: { ...rollout, temperature: temperature + progress * ((finalTemperature ?? temperature) - temperature) },
    optimizer: { ...optimizer, learningRate: optimizer.learningRate * factor },
    critic: { ...critic, learningRate: critic.learningRate * factor },
  };
}

/** The k of pass@k and maj@k, rising. */
export function evaluationKs({ evaluation: { k, samples } }: TrainConfig): number[] {
  return [...new Set(k ?? [samples])].sort((a, b) => a - b);
}

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
