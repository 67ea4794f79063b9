/**
 * The configuration of a training run: every key, its check and its default, here, in config-data.ts (problems and prompts),
 * config-reward.ts and config-learning.ts (how it learns). A config file, `--set` and the object given to `train` all pass
 * through {@link configSchema}.
 */
import { z } from 'zod';
import { isUserCode } from '../user-code';
import { dataSchema } from './config-data';
import { algorithmSchema, criticSchema, klSchema, optimizerSchema } from './config-learning';
import {
  checkpointSchema,
  dynamicSamplingSchema,
  emaSchema,
  lengthPenaltySchema,
  rulesWithoutCheckpoint,
  watchdogSchema,
} from './config-loop';
import { TEMPERATURE } from '../policy/limits';
import {
  count,
  fraction,
  maxBatch,
  mebibytes,
  positiveInteger,
  promptCount,
  sampleCount,
  seconds,
  share,
  temperature,
} from './config-numbers';
import { rewardSchema } from './config-reward';
import { presetNames } from './presets';
import { truncates } from './truncation';
import { ROUNDS_AGAIN, TURNS_OF_A_KIND } from './uids';

const path = z.string().min(1);

const rolloutSchema = z.strictObject({
  /** Prompts of a step. */
  promptsPerStep: promptCount.default(32),
  /** Completions of each prompt: its group. */
  samplesPerPrompt: sampleCount.default(8),
  /** Most new tokens of a completion, the end token included. */
  maxTokens: positiveInteger.default(1024),
  /** Of sampling and of every log-prob; see finalTemperature. */
  temperature: temperature.default(1),
  /** Temperature of the last step, reached linearly from `temperature`; null: it stays. Default null. */
  finalTemperature: temperature.nullable().default(null),
  /** Sample from the most likely tokens of this mass; 1: from all. */
  topP: share.default(1),
  /** Sample from so many of the most likely tokens; 0: from all. */
  topK: count.default(0),
  /** Sample from tokens at least so likely as this share of the most likely one; 0: from all. */
  minP: fraction.default(0),
  /**
   * What training makes of topP, topK and minP, one of which truncates the distribution: needed where one does. `replay`: each
   * token keeps the tokens that its draw was from, and every log-prob, of policy and reference, and the gradient are those of
   * the distribution renormalised over them. `ignore`: log-probs are those of the whole vocabulary, so that ratios are off by
   * the probability of what was kept, a bias. Default none.
   */
  truncation: z.enum(['replay', 'ignore']).optional(),
  /** Texts that end a completion; those of special tokens such as `<|im_end|>` count too. */
  stopStrings: z.array(z.string().min(1)).default([]),
  /** Tokens that end a completion, as ids or as the texts of single tokens. Default: the end tokens of the model folder. */
  stopTokens: z.array(z.union([count, z.string().min(1)])).optional(),
  /** Most sequences decoded together; 0 lets the engine choose. */
  maxBatch: maxBatch.default(0),
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
    samples: sampleCount.default(1),
    /** Numbers of samples k of pass@k and maj@k, each at most `samples`. Default: `samples` alone. */
    k: z.array(positiveInteger).min(1).optional(),
    /** Whether problems are sampled at this temperature; 0 takes the most likely token. The base model's is the same. */
    temperature: z
      .number()
      .min(0)
      .max(TEMPERATURE.most)
      .refine((value) => value === 0 || value >= TEMPERATURE.least, `Expected 0 or at least ${TEMPERATURE.least}`)
      .default(1),
    /** The same at every evaluation, so that differences come from the weights. */
    seed: count.default(0),
  })
  .refine(({ k = [], samples }) => k.every((value) => value <= samples), {
    path: ['k'],
    message: 'Expected values of at most evaluation.samples',
  });

const environmentCode = z.string().refine(isUserCode, 'Expected ./my.mjs#name');
const environmentLimitDefaults = { maxTurns: 4, timeoutSeconds: 30 };
const environmentSchema = z.strictObject({
  /** `./my.mjs#name`: an object with `respond`, or a function that makes one. Default: the one given to `train`. */
  code: environmentCode.optional(),
  /** Most turns of the policy in an episode. */
  maxTurns: z.int().min(1).max(64).default(environmentLimitDefaults.maxTurns),
  /** Seconds for one answer of the environment; an episode without one in time is left out. */
  timeoutSeconds: seconds.default(environmentLimitDefaults.timeoutSeconds),
});

const keysSchema = z.strictObject({
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
  /** Reference of the KL; see kl.follow. Default: `model`. */
  referenceModel: path.optional(),
  /** `auto`, `cpu`, `cuda` or `cuda:N`. Default: ZERO_RL_DEVICE, else auto. */
  device: z.string().optional(),
  /** Dtype of weights and activations. */
  dtype: z.enum(['float32', 'bfloat16']).default('float32'),
  /** bfloat16 only. false: no float32 masters, stochastic rounding, 10 bytes per parameter instead of 16. */
  masterWeights: z.boolean().default(true),
  /**
   * AdamW's moments on a CUDA device, of policy and critic: `device`, `bfloat16` (half their memory, wants a second beta of at
   * most 0.99), or `host` (in its memory).
   */
  moments: z.enum(['device', 'bfloat16', 'host']).default('device'),
  /** Threads of the engine. Default: the processors that the process may use; kept in the resolved config. */
  threads: positiveInteger.optional(),
  /**
   * Most memory in MiB that each model of the run may take where its weights are: weights, optimizer, caches, activations. Default:
   * what is free there.
   */
  memoryMiB: mebibytes.optional(),
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
  /** The critic of `ppo`. */
  critic: criticSchema.prefault({}),
  /** Steps of the run: one rollout batch each. */
  steps: positiveInteger.default(100),
  /** Key of all randomness: order of the problems and sampling. */
  seed: count.default(0),
  evaluation: evaluationSchema.prefault({}),
  checkpoint: checkpointSchema.prefault({}),
  /** The moving average of the policy's weights. */
  ema: emaSchema.prefault({}),
  /** Rules that watch the figures of the steps. */
  watchdog: watchdogSchema.prefault({}),
  /** The first-minute report, before the first step. */
  preview: z
    .strictObject({
      /** Prompts that are sampled, scored and timed for it, at most those of a step; 0: none. Default 16. */
      prompts: count.default(16),
    })
    .prefault({}),
  /** Rollouts written to the run folder. */
  rollouts: z
    .strictObject({
      /** Steps between those whose rollouts are written; 0: none. Default 1. */
      every: count.default(1),
      /** Prompts of such a step, from the first, whose groups are written. Default 4. */
      prompts: positiveInteger.default(4),
      /** Whether every token's log-prob, and KL where there is a reference, is written too: about 14 bytes a token. Default true. */
      tokens: z.boolean().default(true),
    })
    .prefault({}),
  /** Folder in which the run folder is made. */
  output: path.default('runs'),
});

/** Prompts that have a key of randomness of their own; see uids.ts. */
const MOST_PROMPTS = 2 ** 40;
/** Seeds of sampling after rollbacks are so far apart. */
const ROLLBACK_SEEDS = 2 ** 32;
const FEW_MINIBATCHES = 'Expected at most rollout.promptsPerStep (a minibatch holds whole groups)';

const UNSAID_TRUNCATION =
  'Expected "replay" or "ignore" (topP, topK or minP truncates what rollouts are drawn from, and log-probs of the whole vocabulary would bias every ratio unseen; "replay" trains on what was drawn from)';

export const configSchema = keysSchema
  .refine(({ optimizer, rollout }) => optimizer.minibatches <= rollout.promptsPerStep, {
    path: ['optimizer', 'minibatches'],
    message: FEW_MINIBATCHES,
  })
  .refine(({ critic: { minibatches = 1 }, rollout }) => minibatches <= rollout.promptsPerStep, {
    path: ['critic', 'minibatches'],
    message: FEW_MINIBATCHES,
  })
  .refine(({ rollout }) => rollout.dynamicSampling.rounds === 0 || rollout.samplesPerPrompt > 1, {
    path: ['rollout', 'dynamicSampling', 'rounds'],
    message: 'Expected 0 (the reward of one sample per prompt has no spread)',
  })
  .refine(
    ({ steps, rollout }) =>
      steps * rollout.promptsPerStep * Math.max(1, rollout.dynamicSampling.rounds) <= MOST_PROMPTS,
    {
      path: ['steps'],
      message: `Expected at most 2^40 prompts in a run (steps × rollout.promptsPerStep × rounds of refills)`,
    },
  )
  .refine(
    ({ steps, rollout, environment }) =>
      environment === undefined ||
      steps *
        rollout.promptsPerStep *
        Math.max(ROUNDS_AGAIN, rollout.dynamicSampling.rounds) *
        rollout.samplesPerPrompt *
        environment.maxTurns <=
        TURNS_OF_A_KIND,
    {
      path: ['environment', 'maxTurns'],
      message: 'Expected at most 2^49 turns in a run (prompts × rollout.samplesPerPrompt × environment.maxTurns)',
    },
  )
  .refine(({ seed, watchdog }) => seed + watchdog.rollback.most * ROLLBACK_SEEDS <= Number.MAX_SAFE_INTEGER, {
    path: ['seed'],
    message: 'Expected at most 2^53 less 2^32 for each of watchdog.rollback.most',
  })
  .refine(({ rollout }) => rollout.truncation !== undefined || !truncates(rollout), {
    path: ['rollout', 'truncation'],
    message: UNSAID_TRUNCATION,
  })
  .superRefine(({ watchdog, checkpoint, evaluation }, context) => {
    for (const { rule, keep } of rulesWithoutCheckpoint(watchdog, checkpoint, evaluation.every)) {
      const missing = keep === null ? 'set checkpoint.every' : `checkpoint.keep has to be at least ${keep}`;
      context.addIssue({
        code: 'custom',
        path: ['watchdog', rule, 'action'],
        message: `Expected "warn" or "stop" (no checkpoint from before its steps would be kept: ${missing})`,
      });
    }
  });

/** A config with every key present. */
export type TrainConfig = z.output<typeof configSchema>;
/** What users write: keys with a default may be left out. */
export type TrainConfigInput = z.input<typeof configSchema>;

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
    critic: { ...critic, learningRate: criticLearningRate(config) * factor },
  };
}

/** The k of pass@k and maj@k, rising. */
export function evaluationKs({ evaluation: { k, samples } }: TrainConfig): number[] {
  return [...new Set(k ?? [samples])].sort((a, b) => a - b);
}

/** How often an environment answers, also one that is given in code. */
export function environmentLimits({ environment }: TrainConfig): { maxTurns: number; timeoutSeconds: number } {
  const { maxTurns, timeoutSeconds } = environment ?? environmentLimitDefaults;
  return { maxTurns, timeoutSeconds };
}

/** Whether a critic is trained beside the policy. */
export function needsCritic({ algorithm }: TrainConfig): boolean {
  return algorithm.name === 'ppo';
}

/** A head alone starts at 0 with features that are there; a network has to make them. */
const CRITIC_LEARNING_RATES = { network: 1e-5, trunk: 0.003 } as const;

export function criticLearningRate({ critic }: TrainConfig): number {
  return critic.learningRate ?? CRITIC_LEARNING_RATES[critic.kind];
}

/** Whether every prompt gets a greedy completion too. */
export function needsGreedy({ algorithm }: TrainConfig): boolean {
  return algorithm.name === 'remax';
}

/** Whether the reference model is needed. */
export function needsReference({ kl }: TrainConfig): boolean {
  return kl.initCoefficient !== 0 || kl.lossCoefficient !== 0 || kl.measure;
}

/** Steps at the start in which the critic learns and the policy stays as it is. */
function criticSteps(config: TrainConfig): number {
  return needsCritic(config) ? config.critic.warmupSteps : 0;
}

/** Whether the policy makes no optimizer step in `step`. */
export function criticLearnsAlone(config: TrainConfig, step: number): boolean {
  return step <= criticSteps(config);
}

/**
 * Learning rate of step `step` (from 1): 0 while the critic alone learns, then linear warm-up, then the schedule over the steps
 * that are left.
 */
export function learningRate(config: TrainConfig, step: number): number {
  const { learningRate: peak, schedule, warmupSteps } = config.optimizer;
  const own = step - criticSteps(config);
  const ownSteps = config.steps - criticSteps(config);
  if (own <= 0) return 0;
  if (own <= warmupSteps) return (peak * own) / warmupSteps;
  if (schedule === 'constant') return peak;
  const progress = Math.min(1, (own - 1 - warmupSteps) / Math.max(1, ownSteps - warmupSteps));
  return peak * (schedule === 'linear' ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress)));
}
