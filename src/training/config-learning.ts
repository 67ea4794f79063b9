/** The keys of a run's config that say how it learns: estimator, KL, objective, optimizer and critic. */
import { z } from 'zod';
import { algorithmNames } from '../algorithms';
import { NO_K1_LOSS } from '../policy/step-request';
import { aggregations, objectives, sequenceRatios } from '../policy/types';
import { isUserCode } from '../user-code';
import { betas, count, fraction, mebibytes, nonNegative, positiveInteger } from './config-numbers';

const path = z.string().min(1);

export const algorithmSchema = z.strictObject({
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

export const criticSchema = z
  .strictObject({
    /**
     * `ppo`: `network`, a network of its own that starts as a copy of a model; `trunk`, one linear value on the policy's hidden
     * states, which it does not change: a forward pass in time and no memory, but it knows less.
     */
    kind: z.enum(['network', 'trunk']).default('network'),
    /** Folder that a network starts from, that of a policy or of a saved critic. Default: `model`. */
    model: path.optional(),
    /** Of the critic's optimizer; it stays constant. Default: 1e-5, of a trunk's head 0.003. */
    learningRate: z.number().positive().optional(),
    /** Decay of AdamW's two moments per step. */
    betas: betas.default([0.9, 0.95]),
    /** Added to the root of the second moment. */
    eps: z.number().positive().default(1e-8),
    /** Decoupled decay of every parameter, per unit of learning rate. */
    weightDecay: nonNegative.default(0),
    /** Gradients of the critic are scaled down to this global norm; 0 does not clip. */
    maxGradNorm: nonNegative.default(1),
    /** Most that V may move in a step with a gradient, in units of the reward; 0 does not clip. */
    clip: nonNegative.default(0.5),
    /** Passes of the critic over each rollout batch. Default 1. */
    epochs: positiveInteger.default(1),
    /** Optimizer steps of such a pass, at most rollout.promptsPerStep. Default: optimizer.minibatches. */
    minibatches: positiveInteger.optional(),
    /** Steps at the start in which the critic alone learns: the policy's optimizer and its `warmupSteps` begin after them. */
    warmupSteps: count.default(0),
  })
  .refine(({ kind, model }) => kind === 'network' || model === undefined, {
    path: ['model'],
    message: 'Expected none (critic.kind trunk has no network of its own)',
  });

export const klSchema = z
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
     * 1 + clamp(KL/target − 1, ±0.2)·samples/horizon, at least by ½ and at most by 2, and stay within a hundredth and a hundred
     * times what they were set to. null: they stay.
     */
    target: z.number().positive().nullable().default(null),
    /** Samples over which `target` is approached. */
    horizon: positiveInteger.default(10_000),
    /** The reference follows the policy: every `every` steps (0: never) it moves by `rate`; 1 copies, less averages. */
    follow: z
      .strictObject({
        /** Steps between two moves; 0: the reference stands still. */
        every: count.default(0),
        /** Share of the way to the policy that a move goes. */
        rate: fraction.default(1),
      })
      .prefault({}),
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

export const optimizerSchema = z.strictObject({
  /** Peak of the schedule. Small models take more: the demo 3e-4. */
  learningRate: z.number().positive().default(1e-6),
  /**
   * `linear` and `cosine` fall from the peak, in the first step after the warm-up, towards 0, which they would reach one step
   * after the last.
   */
  schedule: z.enum(['constant', 'linear', 'cosine']).default('constant'),
  /** Steps over which the learning rate rises from 0, counted from the first in which the policy learns. */
  warmupSteps: count.default(0),
  /** Decay of AdamW's two moments per step. */
  betas: betas.default([0.9, 0.95]),
  /** Added to the root of the second moment. */
  eps: z.number().positive().default(1e-8),
  /** Decoupled decay of every parameter, per unit of learning rate. */
  weightDecay: nonNegative.default(0),
  /** Gradients are scaled down to this global norm; 0 does not clip. */
  maxGradNorm: nonNegative.default(1),
  /**
   * How token losses become one: the mean over all response tokens of the step; over sequences of their token mean, or of
   * their token sum; `constant`, over sequences of the token sum over `aggregationConstant`. Default: `token-mean`;
   * `seq-mean-token-mean` for `gspo`, `seq-mean-token-sum` with its product of ratios; `constant` for `dr-grpo`.
   */
  aggregation: z.enum(aggregations).default('token-mean'),
  /** Tokens that `constant` divides by. Default: rollout.maxTokens. */
  aggregationConstant: z.number().min(1).optional(),
  /**
   * `reinforce`, or an objective on the ratio to the policy that sampled: `ppo`, `gspo` (of the sequence), `cispo`. Default:
   * `ppo` for the algorithm `ppo`, with more than one optimizer step per batch and with `ema.sample`; else `reinforce`.
   */
  objective: z.enum(objectives).default('reinforce'),
  /** Ratio of `gspo`: the geometric mean of the tokens' ratios, or their product (TRL's RLOO). */
  sequenceRatio: z.enum(sequenceRatios).default('geometric-mean'),
  /** Ratios count within [1 − low, 1 + high]; `dual`: at most so much where A < 0 (0: no such bound). */
  clip: z
    .strictObject({
      /** Most that a ratio may fall below 1 and still count. Default: 0.2; of `gspo` 3e-4, of `cispo` 1, which is no bound. */
      low: z.number().positive().max(1).default(0.2),
      /** Most that a ratio may rise above 1 and still count; more than `low` is clip-higher (DAPO). Default: 0.2; of `gspo` 4e-4, of `cispo` 4. */
      high: z.number().positive().default(0.2),
      /** Most that a ratio counts where A < 0, above 1; 0: no such bound. */
      dual: z.union([z.literal(0), z.number().gt(1)]).default(0),
    })
    .prefault({}),
  entropy: z
    .strictObject({
      /** c of the entropy bonus c·H in the loss, per nat; where `target` is set, its first value. */
      coefficient: nonNegative.default(0),
      /**
       * Entropy per token in nats that c is steered to: log c ← log c − rate·(H − target) each step, within a hundredth and a
       * hundred times the coefficient that is set. null: c stays.
       */
      target: nonNegative.nullable().default(null),
      /** How fast c follows, per nat and step. */
      rate: z.number().positive().default(0.1),
    })
    .refine(({ coefficient, target }) => target === null || coefficient > 0, {
      path: ['coefficient'],
      message: 'Expected a value above 0 (entropy.target multiplies it)',
    })
    .prefault({}),
  /** Passes over each rollout batch; more than 1 wants an objective on ratios. Default 1. */
  epochs: positiveInteger.default(1),
  /**
   * Optimizer steps of a pass, at most rollout.promptsPerStep: each takes an equal share of the prompts with all their samples,
   * drawn anew in every pass. Advantages, old log-probs and learning rate are those of the rollout batch; the loss is
   * aggregated within the minibatch. More than 1 wants an objective on ratios. verl's ppo_mini_batch_size is
   * promptsPerStep/minibatches. Default 1; where neither this nor `epochs` is set, nor `ema.sample`, that of the paper: of `ppo` 8,
   * of `gspo` 4, of `cispo` 16, or as many as there are prompts.
   */
  minibatches: positiveInteger.default(1),
  /**
   * Most activation memory of a micro-batch in MiB. Less takes more micro-batches, or computes activations again; the result
   * changes by rounding only. Default: 1024 on the CPU, kept in the resolved config; on a CUDA device most of what is free at
   * each step, so set it there where a resumed run is to be the same to the last bit.
   */
  memoryBudgetMiB: mebibytes.optional(),
});
