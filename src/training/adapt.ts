/** What changes from step to step beside the weights: coefficients that are steered, and the reference that follows. */
import type { TrainerState } from './checkpoint';
import type { TrainConfig } from './config';
import type { TrainingPolicy } from './training-policy';

/** Most that one step's KL counts as off target, as a share of it. */
const MAX_KL_ERROR = 0.2;
/** Most that a step multiplies or divides the scale of the KL by: a batch beyond the horizon must not end it. */
const MAX_KL_FACTOR = 2;
/**
 * Steered coefficients stay within so many times, and the same part of, what they were set to: from there they find back in
 * time when the figure turns.
 */
const STEERED_RANGE = 100;

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
const withinRange = (value: number, start: number): number =>
  clamp(value, start / STEERED_RANGE, start * STEERED_RANGE);

/**
 * The next factor of the KL coefficients (Ziegler et al., 2019): × 1 + clamp(KL/target − 1, ±0.2)·samples/horizon, within [½, 2];
 * the factor stays within [0.01, 100].
 * @param klPerSequence mean KL of the step's sequences in nats
 */
export function nextKlScale(
  { target, horizon }: TrainConfig['kl'],
  scale: number,
  klPerSequence: number,
  samples: number,
): number {
  if (target === null) return scale;
  const error = clamp(klPerSequence / target - 1, -MAX_KL_ERROR, MAX_KL_ERROR);
  return withinRange(scale * clamp(1 + (error * samples) / horizon, 1 / MAX_KL_FACTOR, MAX_KL_FACTOR), 1);
}

/**
 * The next coefficient of the entropy bonus, as the temperature of SAC (Haarnoja et al., 2018): a gradient step of
 * α(H − target) in log α, within a hundredth and a hundred times the coefficient of the config. Null where it is not steered.
 * @param entropy mean over tokens in nats
 */
export function nextEntropyCoefficient(
  { coefficient, target, rate }: TrainConfig['optimizer']['entropy'],
  current: number | null,
  entropy: number,
): number | null {
  if (target === null) return null;
  return withinRange((current ?? coefficient) * Math.exp(-rate * (entropy - target)), coefficient);
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

/** Whether `value` has come to an end of the range around `start` from `before`. */
const atEnd = (before: number, value: number, start: number): boolean =>
  before !== value && (value === start / STEERED_RANGE || value === start * STEERED_RANGE);

/**
 * The state after a step of these measurements. A step in which the policy did not learn changes nothing.
 * @returns What to warn of: a coefficient that has reached the end of its range.
 */
export function adapt(
  config: TrainConfig,
  state: TrainerState,
  measured: { learnt: boolean; klPerSequence: number | null; samples: number; entropy: number },
): string[] {
  if (!measured.learnt) return [];
  const before = { ...state };
  if (measured.klPerSequence !== null)
    state.klScale = nextKlScale(config.kl, state.klScale, measured.klPerSequence, measured.samples);
  state.entropyCoefficient = nextEntropyCoefficient(
    config.optimizer.entropy,
    state.entropyCoefficient,
    measured.entropy,
  );
  const { coefficient } = config.optimizer.entropy;
  const warnings: string[] = [];
  if (atEnd(before.klScale, state.klScale, 1))
    warnings.push(
      `kl.target has multiplied the coefficient of the KL by ${state.klScale}, where it stops; set another coefficient or target`,
    );
  if (
    state.entropyCoefficient !== null &&
    atEnd(before.entropyCoefficient ?? coefficient, state.entropyCoefficient, coefficient)
  )
    warnings.push(
      `optimizer.entropy.target has brought the coefficient to ${state.entropyCoefficient}, where it stops; set another coefficient or target`,
    );
  return warnings;
}
