/** Runs rewards: weighted sums of several, and the checks on what user code returns. */
import { isZeroRlError, ZeroRlError } from '../errors';
import { userCodeThrew } from '../user-code';
import type { RewardFunction, RewardResult, RewardSample, Score } from './types';

/** A term of a reward that is a sum. */
export interface ScorePart {
  name: string;
  /** Before the weight. */
  reward: number;
  weight: number;
  reason: string;
}

export interface CompleteScore extends Required<Score> {
  reason: string;
  /** The terms of {@link combineRewards}. */
  parts?: ScorePart[];
}

export interface WeightedReward {
  reward: RewardFunction;
  /** Default 1. */
  weight?: number;
  /** What its term is called in rollouts. Default its place, from 1. */
  name?: string;
}

/**
 * Σ weight·reward. The first part that knows it says whether the sample is correct and formatted; the reasons are joined.
 * One part that cannot score a sample (null) leaves it out.
 */
export function combineRewards(parts: readonly WeightedReward[]): RewardFunction {
  const combine = (scores: readonly CompleteScore[]): CompleteScore => {
    const unscored = scores.find(({ reward }) => reward === null);
    if (unscored) return unscored;
    return {
      reward: scores.reduce((sum, { reward }, i) => sum + (parts[i].weight ?? 1) * (reward ?? 0), 0),
      reason: scores.map(({ reason }) => reason).join('+'),
      correct: scores.find(({ correct }) => correct !== null)?.correct ?? null,
      formatted: scores.find(({ formatted }) => formatted !== null)?.formatted ?? null,
      answer: scores.find(({ answer }) => answer !== null)?.answer ?? null,
      parts: scores.map(({ reward, reason }, i) => ({
        name: parts[i].name ?? String(i + 1),
        reward: reward ?? 0,
        weight: parts[i].weight ?? 1,
        reason,
      })),
    };
  };
  const scoreOne = async (sample: RewardSample): Promise<CompleteScore> =>
    combine(await Promise.all(parts.map(({ reward }) => scoreSample(reward, sample))));
  return Object.assign(scoreOne, {
    scoreAll: async (samples: readonly RewardSample[], signal?: AbortSignal): Promise<CompleteScore[]> => {
      const columns = await Promise.all(parts.map(({ reward }) => scoreSamples(reward, samples, signal)));
      return samples.map((_, i) => combine(columns.map((scores) => scores[i])));
    },
  });
}

/** What errors call a sample. */
export function sampleName({ index, problem }: Pick<RewardSample, 'index' | 'problem'>): string {
  return `sample ${index ?? 0} of prompt ${JSON.stringify(problem.id)}`;
}

/** What the reward threw, as one error; an error of ours says enough already. */
function rewardThrew(cause: unknown, where: string): unknown {
  return isZeroRlError(cause) ? cause : userCodeThrew(`The reward threw on ${where}`, cause);
}

function completeScore(result: unknown, sample: RewardSample): CompleteScore {
  const score = (typeof result === 'object' && result !== null ? result : { reward: result }) as Partial<CompleteScore>;
  if (score.reward !== null && !(typeof score.reward === 'number' && Number.isFinite(score.reward))) {
    const received = typeof score.reward === 'number' ? String(score.reward) : typeof score.reward;
    throw new ZeroRlError(
      'ERR_ZERO_RL_DATA',
      `The reward of ${sampleName(sample)} is ${received}: return a finite number, or null to leave the sample out`,
    );
  }
  return {
    reward: score.reward,
    reason: score.reason ?? (score.reward === null ? 'unscored' : 'custom'),
    correct: score.correct ?? null,
    formatted: score.formatted ?? null,
    answer: score.answer ?? null,
    ...(score.parts ? { parts: score.parts } : {}),
  };
}

/**
 * One sample's score, complete.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` naming the prompt when the reward throws or is neither a finite number nor null.
 */
export async function scoreSample(reward: RewardFunction, sample: RewardSample): Promise<CompleteScore> {
  let result: RewardResult;
  try {
    result = await reward(sample);
  } catch (cause) {
    throw rewardThrew(cause, sampleName(sample));
  }
  return completeScore(result, sample);
}

/**
 * The scores of many samples in their order, by the reward's batch form where it has one.
 *
 * @throws as {@link scoreSample}; the signal's reason where the batch form heeds it
 */
export async function scoreSamples(
  reward: RewardFunction,
  samples: readonly RewardSample[],
  signal?: AbortSignal,
): Promise<CompleteScore[]> {
  if (reward.scoreAll === undefined) return Promise.all(samples.map((sample) => scoreSample(reward, sample)));
  let results: readonly RewardResult[];
  try {
    results = await reward.scoreAll(samples, signal);
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw rewardThrew(cause, `a batch of ${samples.length} samples`);
  }
  // User code may not keep to the types.
  const received = Array.isArray(results) ? results.length : typeof results;
  if (received !== samples.length)
    throw new ZeroRlError(
      'ERR_ZERO_RL_DATA',
      `The reward's scoreAll gave ${received} results for ${samples.length} samples: return an array with one result each`,
    );
  return samples.map((sample, i) => completeScore(results[i], sample));
}
