/** Runs rewards: weighted sums of several, and samples one by one or all at once. */
import { isZeroRlError } from '../errors';
import { userCodeThrew } from '../user-code';
import { checkResults, completeScore, sampleName, type CompleteScore } from './complete-score';
import type { RewardFunction, RewardResult, RewardSample, ScorePart } from './types';

export interface WeightedReward {
  reward: RewardFunction;
  /** Default 1. */
  weight?: number;
  /** What its term is called in rollouts and metrics. Default its place, from 1. */
  name?: string;
}

/** The term of a part; of one that is a sum itself, its own. */
function terms({ name, weight = 1 }: WeightedReward, place: number, score: CompleteScore): ScorePart[] {
  const own = { name: name ?? String(place + 1), reward: score.reward ?? 0, weight: 1, reason: score.reason };
  return (score.parts ?? [own]).map((part) => ({ ...part, weight: part.weight * weight }));
}

/**
 * Σ weight·reward. The first part that knows it says whether the sample is correct and formatted, and which answer it states; the
 * reasons are joined, metrics are put together (of two of one name the first counts). One part that cannot score a sample (null)
 * leaves it out.
 */
export function combineRewards(parts: readonly WeightedReward[]): RewardFunction {
  const combine = (scores: readonly CompleteScore[]): CompleteScore => {
    const unscored = scores.find(({ reward }) => reward === null);
    if (unscored) return unscored;
    const answer = scores.find((score) => score.answer !== undefined)?.answer;
    const metrics = Object.assign({}, ...scores.map((score) => score.metrics ?? {}).reverse()) as Record<
      string,
      number
    >;
    return {
      reward: scores.reduce((sum, { reward }, i) => sum + (parts[i].weight ?? 1) * (reward ?? 0), 0),
      reason: scores.map(({ reason }) => reason).join('+'),
      correct: scores.find(({ correct }) => correct !== null)?.correct ?? null,
      formatted: scores.find(({ formatted }) => formatted !== null)?.formatted ?? null,
      ...(answer === undefined ? {} : { answer }),
      parts: scores.flatMap((score, i) => terms(parts[i], i, score)),
      ...(Object.keys(metrics).length > 0 ? { metrics } : {}),
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

/** What the reward threw, as one error; an error of ours says enough already. */
function rewardThrew(cause: unknown, where: string): unknown {
  return isZeroRlError(cause) ? cause : userCodeThrew(`The reward threw on ${where}`, cause);
}

/**
 * One sample's score, complete.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_DATA` naming the prompt when the reward throws, or when what it returns is neither a finite
 *   number nor null nor a {@link Score}
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
  return checkResults(results, samples.length).map((result, i) => completeScore(result, samples[i]));
}
