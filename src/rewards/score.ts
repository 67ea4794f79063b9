/** Runs rewards: weighted sums of several, and the checks on what user code returns. */
import { ZeroRlError } from '../errors';
import type { RewardFunction, RewardSample, Score } from './types';

export interface CompleteScore extends Required<Score> {
  reason: string;
}

export interface WeightedReward {
  reward: RewardFunction;
  /** Default 1. */
  weight?: number;
}

/**
 * Σ weight·reward. The first part that knows it says whether the sample is correct and formatted; the reasons are joined.
 * One part that cannot score a sample (null) leaves it out.
 */
export function combineRewards(parts: readonly WeightedReward[]): RewardFunction {
  return async (sample) => {
    const scores = await Promise.all(parts.map(({ reward }) => scoreSample(reward, sample)));
    const unscored = scores.find(({ reward }) => reward === null);
    if (unscored) return unscored;
    return {
      reward: scores.reduce((sum, { reward }, i) => sum + (parts[i].weight ?? 1) * (reward ?? 0), 0),
      reason: scores.map(({ reason }) => reason).join('+'),
      correct: scores.find(({ correct }) => correct !== null)?.correct ?? null,
      formatted: scores.find(({ formatted }) => formatted !== null)?.formatted ?? null,
    };
  };
}

/**
 * One sample's score, complete.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` naming the prompt when the reward throws or is neither a finite number nor null.
 */
export async function scoreSample(reward: RewardFunction, sample: RewardSample, index = 0): Promise<CompleteScore> {
  const where = `sample ${index} of prompt ${JSON.stringify(sample.problem.id)}`;
  let result: unknown;
  try {
    result = await reward(sample);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ZeroRlError('ERR_ZERO_RL_DATA', `The reward threw on ${where}: ${message}`, { cause });
  }
  const score = (typeof result === 'object' && result !== null ? result : { reward: result }) as Partial<Score>;
  if (score.reward !== null && !(typeof score.reward === 'number' && Number.isFinite(score.reward))) {
    const received = typeof score.reward === 'number' ? String(score.reward) : typeof score.reward;
    throw new ZeroRlError(
      'ERR_ZERO_RL_DATA',
      `The reward of ${where} is ${received}: return a finite number, or null to leave the sample out`,
    );
  }
  return {
    reward: score.reward,
    reason: score.reason ?? (score.reward === null ? 'unscored' : 'custom'),
    correct: score.correct ?? null,
    formatted: score.formatted ?? null,
  };
}
