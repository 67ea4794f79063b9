/** The critic's half of a PPO step. */
import { valueTargets, type EstimatorInput } from '../algorithms';
import type { Sequence } from '../policy/types';
import type { TrainerState } from './checkpoint';
import type { TrainConfig } from './config';
import { criticStepOptions, estimatorOptions } from './phase-options';
import type { TrainingCritic } from './training-policy';

/** Figures of the critic's steps on one rollout batch. */
export interface CriticMetrics {
  /** Mean over tokens of the clipped ½(V − R)², before the first update. */
  loss: number;
  /** Before clipping, at the first update. */
  gradNorm: number;
  /** Share of tokens whose value was clipped, at the last update. */
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

/** How well `values` (N)(T_i) foretold `returns` (N)(T_i). */
export function explainedVariance(
  values: readonly ArrayLike<number>[],
  returns: readonly ArrayLike<number>[],
): number | null {
  const targets = returns.flatMap((row) => Array.from(row));
  const errors = returns.flatMap((row, i) => Array.from(row, (target, t) => target - values[i][t]));
  const spread = targets.length === 0 ? 0 : variance(targets);
  return spread === 0 ? null : 1 - variance(errors) / spread;
}

/** critic.epochs updates towards the returns of `batch`, whose sequences had `values`; null without a critic. */
export async function trainCritic(
  { config, state, critic }: { config: TrainConfig; state: TrainerState; critic: TrainingCritic | null },
  sequences: readonly Sequence[],
  batch: EstimatorInput,
  values: readonly Float32Array[],
): Promise<CriticMetrics | null> {
  if (!critic) return null;
  const { returns } = valueTargets(batch, estimatorOptions(config, state));
  const targets = sequences.map((sequence, i) => ({ ...sequence, returns: returns[i], oldValues: values[i] }));
  const options = criticStepOptions(config);
  const first = await critic.step(targets, options);
  let last = first;
  for (let epoch = 1; epoch < config.critic.epochs && last.applied; epoch++) last = await critic.step(targets, options);
  return {
    loss: first.loss,
    gradNorm: first.gradNorm,
    clipFraction: last.clipFraction,
    explainedVariance: explainedVariance(values, returns),
    applied: last.applied,
  };
}
