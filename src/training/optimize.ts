/** The policy's half of a step: the optimizer steps on one rollout batch. */
import type { StepStats, TrainingSequence } from '../policy/types';
import type { TrainConfig } from './config';
import type { TrainerState } from './checkpoint';
import { meanOver, passOver, type Update } from './minibatches';
import { stepOptions } from './phase-options';
import type { TrainingPolicy } from './training-policy';

/**
 * Figures of the optimizer steps on one rollout batch. Loss, entropy, KL and gradient norm are means over the first pass, each
 * minibatch as the weights were when its turn came; the share of clipped tokens is that of the last pass, the difference of
 * the log-probs that of the first optimizer step, before any update. Tokens and micro-batches are those of one pass.
 */
export interface RolloutStats extends StepStats {
  /** Optimizer steps that were applied. */
  optimizerSteps: number;
}

const tokens = ({ stats }: Update<StepStats>): number => stats.tokens;
const measuredTokens = ({ stats }: Update<StepStats>): number => stats.measuredTokens;

/** optimizer.epochs passes of optimizer.minibatches steps; old log-probs and advantages stay. */
export async function optimize(
  { config, policy, state }: { config: TrainConfig; policy: TrainingPolicy; state: TrainerState },
  sequences: readonly TrainingSequence[],
  groups: ArrayLike<number>,
  step: number,
): Promise<RolloutStats> {
  const options = stepOptions(config, step, state);
  const { epochs, minibatches, aggregation } = config.optimizer;
  const passes = await passOver(sequences, groups, { epochs, minibatches, seed: config.seed, step }, (minibatch) =>
    policy.step(minibatch, options),
  );
  const [first] = passes;
  const updates = passes.flat();
  const sum = (figure: (stats: StepStats) => number): number =>
    first.reduce((total, { stats }) => total + figure(stats), 0);
  return {
    loss: meanOver(first, ({ loss }) => loss, aggregation === 'token-mean' ? tokens : (update) => update.sequences),
    gradNorm: meanOver(first, ({ gradNorm }) => gradNorm),
    entropy: meanOver(first, ({ entropy }) => entropy, measuredTokens),
    kl: meanOver(first, ({ kl }) => kl, measuredTokens),
    logProbDifference: first[0].stats.logProbDifference,
    clipFraction: meanOver(passes[passes.length - 1], ({ clipFraction }) => clipFraction, tokens),
    tokens: sum((stats) => stats.tokens),
    measuredTokens: sum((stats) => stats.measuredTokens),
    totalTokens: sum((stats) => stats.totalTokens),
    microBatches: sum((stats) => stats.microBatches),
    applied: updates.every(({ stats }) => stats.applied),
    optimizerSteps: updates.filter(({ stats }) => stats.applied).length,
    seconds: updates.reduce((total, { stats }) => total + stats.seconds, 0),
  };
}
