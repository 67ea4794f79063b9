/** What changes from step to step beside the weights: coefficients that are steered, and the reference that follows. */
import type { TrainerState } from './checkpoint';
import type { TrainConfig } from './config';
import type { TrainingPolicy } from './training-policy';

/** Most that one step's KL counts as off target, as a share of it. */
const MAX_KL_ERROR = 0.2;

/**
 * The next factor of the KL coefficients (Ziegler et al., 2019): × 1 + clamp(KL/target − 1, ±0.2)·samples/horizon.
 * @param klPerSequence mean KL of the step's sequences in nats
 */
export function nextKlScale(
  { target, horizon }: TrainConfig['kl'],
  scale: number,
  klPerSequence: number,
  samples: number,
): number {
  if (target === null) return scale;
  const error = Math.min(MAX_KL_ERROR, Math.max(-MAX_KL_ERROR, klPerSequence / target - 1));
  return scale * Math.max(0, 1 + (error * samples) / horizon);
}

/**
 * The next coefficient of the entropy bonus, as the temperature of SAC (Haarnoja et al., 2018): a gradient step of
 * α(H − target) in log α. Null where it is not steered.
 * @param entropy mean over tokens in nats
 */
export function nextEntropyCoefficient(
  { coefficient, target, rate }: TrainConfig['optimizer']['entropy'],
  current: number | null,
  entropy: number,
): number | null {
  if (target === null) return null;
  return (current ?? coefficient) * Math.exp(-rate * (entropy - target));
}

/** Moves the reference where this step is one of those at which it follows. */
export async function followPolicy(
  { kl: { follow } }: TrainConfig,
  step: number,
  reference: TrainingPolicy | null,
  policy: TrainingPolicy,
): Promise<void> {
  if (reference && follow.every > 0 && step % follow.every === 0) await reference.follow(policy, follow.rate);
}

/** Moves the average towards the policy: ema ← decay·ema + (1 − decay)·policy. */
export async function averageWeights(
  { ema: { decay } }: TrainConfig,
  ema: TrainingPolicy | null,
  policy: TrainingPolicy,
): Promise<void> {
  if (ema && decay !== null) await ema.follow(policy, 1 - decay);
}

/** The state after a step of these measurements. A step that was not applied changes nothing. */
export function adapt(
  config: TrainConfig,
  state: TrainerState,
  measured: { applied: boolean; klPerSequence: number | null; samples: number; entropy: number },
): void {
  if (!measured.applied) return;
  if (measured.klPerSequence !== null)
    state.klScale = nextKlScale(config.kl, state.klScale, measured.klPerSequence, measured.samples);
  state.entropyCoefficient = nextEntropyCoefficient(
    config.optimizer.entropy,
    state.entropyCoefficient,
    measured.entropy,
  );
}
