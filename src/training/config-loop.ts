/** Keys of what stands around the steps of a run: checkpoints, the moving average, refills, the penalty on cut-off completions and the watchdog. */
import { z } from 'zod';
import { count, fraction, positiveInteger } from './config-numbers';

export const checkpointSchema = z.strictObject({
  /** Steps between checkpoints; 0: only after the last step. Default 20. */
  every: count.default(20),
  /** Newest checkpoints that stay. Default 2. */
  keep: positiveInteger.default(2),
  /**
   * Whether the checkpoint of the best held-out evaluation (its accuracy or its mean reward) is written and stays beside
   * the newest. Default `none`.
   */
  best: z.enum(['none', 'accuracy', 'rewardMean']).default('none'),
});

export const emaSchema = z.strictObject({
  /** Share of the moving average of the weights that is kept at each step, e.g. 0.99; null keeps no average. Default null. */
  decay: fraction.nullable().default(null),
  /** Evaluate the average too wherever the policy is evaluated. Default true. */
  evaluate: z.boolean().default(true),
  /** Sample rollouts from the average instead of the policy; `ppo` and its kin then correct by the ratio. Default false. */
  sample: z.boolean().default(false),
});

export const dynamicSamplingSchema = z.strictObject({
  /**
   * Rounds of further prompts sampled in a step in place of groups whose rewards are all alike (DAPO, arXiv 2503.14476);
   * groups still alike after the last round stay. Default 0: none.
   */
  rounds: count.default(0),
});

export const lengthPenaltySchema = z.strictObject({
  /**
   * OpenRLHF's stop-properly penalty on completions cut off by the limit: from 0 on their reward is multiplied by it, below
   * 0 it becomes their reward. null is off. Default null. DAPO's soft overlong punishment is the reward `length`.
   */
  stopProperly: z.number().max(1).nullable().default(null),
});

const rule = (limit: number | null, steps: number, action: 'warn' | 'stop' | 'rollback') =>
  z
    .strictObject({
      /** Limit of the figure; null turns the rule off. */
      limit: z.number().nullable().default(limit),
      /** Steps in a row beyond the limit before the rule acts. */
      steps: positiveInteger.default(steps),
      /**
       * `warn` says so, `stop` ends the run, `rollback` goes back to the newest checkpoint from before the trouble, with other
       * randomness and a learning rate lowered by `rollback.learningRateFactor`.
       */
      action: z.enum(['warn', 'stop', 'rollback']).default(action),
    })
    .prefault({});

export const watchdogSchema = z.strictObject({
  /** Steps before the trouble that jumps are measured against. Default 20. */
  window: positiveInteger.default(20),
  /** Samples written to the run folder when a rule acts. Default 8. */
  samples: positiveInteger.default(8),
  /** Mean entropy per token below so many nats: the policy has collapsed. Default 0.01, 5 steps, `warn`. */
  entropy: rule(0.01, 5, 'warn'),
  /** Mean share of repeated 4-grams in a response above this. Default 0.6, 3 steps, `warn`. */
  repetition: rule(0.6, 3, 'warn'),
  /** Response length over its median, or its median over it, above this. Default 3, 3 steps, `warn`. */
  length: rule(3, 3, 'warn'),
  /** Share of groups whose rewards are all alike above this. Default 0.99, 5 steps, `warn`. */
  deadGroups: rule(0.99, 5, 'warn'),
  /** KL per token over the largest of the window, both in absolute value, above this. Default 10, 3 steps, `warn`. */
  kl: rule(10, 3, 'warn'),
  /** Gradient norm over its median above this. Default 20, 3 steps, `warn`. */
  gradient: rule(20, 3, 'warn'),
  /** Gradients or losses that are not finite: 1 when so, above this. Default 0, 3 steps, `stop`. */
  notFinite: rule(0, 3, 'stop'),
  rollback: z
    .strictObject({
      /** What the learning rate is multiplied by at each rollback. Default 0.5. */
      learningRateFactor: fraction.default(0.5),
      /** Rollbacks of a run; after them the rule stops it. Default 2. */
      most: count.default(2),
    })
    .prefault({}),
});

/**
 * The rules that would go back beyond every checkpoint that is kept, to the start of the run, with what checkpoint.keep has to
 * be; null where there are no checkpoints on the way.
 *
 * @param evaluationEvery steps between evaluations, whose best checkpoints count among the newest
 */
export function rulesWithoutCheckpoint(
  watchdog: z.output<typeof watchdogSchema>,
  { every, keep, best }: z.output<typeof checkpointSchema>,
  evaluationEvery: number,
): { rule: string; keep: number | null }[] {
  const spacing = best !== 'none' && evaluationEvery > 0 ? Math.min(every, evaluationEvery) : every;
  return Object.entries(watchdog).flatMap(([rule, settings]): { rule: string; keep: number | null }[] => {
    if (typeof settings !== 'object' || !('action' in settings)) return [];
    if (settings.action !== 'rollback' || settings.limit === null || watchdog.rollback.most === 0) return [];
    if (spacing === 0) return [{ rule, keep: null }];
    const needed = 1 + Math.ceil((settings.steps - 1) / spacing);
    return needed > keep ? [{ rule, keep: needed }] : [];
  });
}
