/** The critic's half of a PPO step. */
import { valueTargets, type EstimatorInput } from '../algorithms';
import type { CriticStepStats, Sequence } from '../policy/types';
import type { TrainerState } from './checkpoint';
import type { TrainConfig } from './config';
import { meanOver, passOver, type Update } from './minibatches';
import { criticStepOptions, estimatorOptions } from './phase-options';
import type { TrainingCritic } from './training-policy';

/** Figures of the critic's steps on one rollout batch. */
export interface CriticMetrics {
  /** Mean over tokens of the clipped ½(V − R)² in the first pass, each minibatch before its update. */
  loss: number;
  /** Before clipping, mean over the first pass. */
  gradNorm: number;
  /** Share of tokens whose value was clipped, in the last pass. */
  clipFraction: number;
  /** 1 − Var(R − V)/Var(R) over the tokens: 1 for a perfect critic, 0 for a constant, null where all R are equal. */
  explainedVariance: number | null;
  /** False: a gradient was not finite. */
  applied: boolean;
}

function variance(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}

/** How well `values` (N)(T_i) foretold `returns` (N)(T_i) where `mask` (N)(T_i) is not 0. */
export function explainedVariance(
  values: readonly ArrayLike<number>[],
  returns: readonly ArrayLike<number>[],
  mask?: EstimatorInput['mask'],
): number | null {
  const trained = (row: readonly number[], i: number): number[] => row.filter((_, t) => mask?.[i][t] !== 0);
  const targets = returns.flatMap((row, i) => trained(Array.from(row), i));
  const errors = returns.flatMap((row, i) =>
    trained(
      Array.from(row, (target, t) => target - values[i][t]),
      i,
    ),
  );
  const spread = targets.length === 0 ? 0 : variance(targets);
  return spread === 0 ? null : 1 - variance(errors) / spread;
}

/**
 * critic.epochs passes of critic.minibatches updates towards the returns of `batch`, whose sequences had `values`; null
 * without a critic.
 */
export async function trainCritic(
  { config, state, critic }: { config: TrainConfig; state: TrainerState; critic: TrainingCritic | null },
  sequences: readonly Sequence[],
  batch: EstimatorInput,
  values: readonly Float32Array[],
  step: number,
): Promise<CriticMetrics | null> {
  if (!critic) return null;
  const { returns } = valueTargets(batch, estimatorOptions(config, state));
  const { mask } = batch;
  const targets = sequences.map((sequence, i) => ({
    ...sequence,
    returns: returns[i],
    oldValues: values[i],
    ...(mask ? { mask: mask[i] } : {}),
  }));
  const options = criticStepOptions(config);
  const { epochs, minibatches = config.optimizer.minibatches } = config.critic;
  const passes = await passOver(
    targets,
    batch.groups,
    { epochs, minibatches, seed: config.seed, step },
    (minibatch): Promise<CriticStepStats> => critic.step(minibatch, options),
  );
  const tokens = ({ stats }: Update<CriticStepStats>): number => stats.tokens;
  return {
    loss: meanOver(passes[0], ({ loss }) => loss, tokens),
    gradNorm: meanOver(passes[0], ({ gradNorm }) => gradNorm),
    clipFraction: meanOver(passes[passes.length - 1], ({ clipFraction }) => clipFraction, tokens),
    explainedVariance: explainedVariance(values, returns, mask),
    applied: passes.flat().every(({ stats }) => stats.applied),
  };
}
