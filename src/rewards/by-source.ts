/** A reward for each source of a mixture, or for each value of a column such as verl's `data_source`. */
import type { Problem } from '../data/dataset';
import { ZeroRlError } from '../errors';
import { nearest } from '../nearest';
import type { CompleteScore } from './complete-score';
import { scoreSamples } from './score';
import type { RewardFunction, RewardSample, ScorePart } from './types';

export interface BySourceOptions {
  /** What a problem's reward is chosen by; undefined where it has nothing of the kind. */
  keyOf: (problem: Problem) => string | undefined;
  /** By key. */
  rewards: ReadonlyMap<string, RewardFunction>;
  /** For all other keys. Default none: such a problem is an error. */
  otherwise?: RewardFunction;
}

/** Terms are told apart by source: its own score, or the terms of its sum. */
function termsOf(key: string, { reward, reason, parts }: CompleteScore): ScorePart[] {
  return (
    parts?.map((part) => ({ ...part, name: `${key}: ${part.name}` })) ?? [
      { name: key, reward: reward ?? 0, weight: 1, reason },
    ]
  );
}

function missing(problem: Problem, key: string | undefined, keys: readonly string[]): ZeroRlError {
  const near = key === undefined ? undefined : nearest(key, keys);
  const what = key === undefined ? 'has no source' : `is of the source ${JSON.stringify(key)}, which has no reward`;
  return new ZeroRlError(
    'ERR_ZERO_RL_CONFIG',
    `Problem ${JSON.stringify(problem.id)} ${what}${near === undefined ? '' : ` (did you mean "${near}"?)`}; there are rewards for ${keys.join(', ')}: add one to reward.rewards, or set reward.otherwise for all others`,
  );
}

/**
 * Each sample is scored by the reward of its problem's key. Those of one reward are scored together, all rewards at the same time.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` naming a problem that no reward is for
 */
export function bySource({ keyOf, rewards, otherwise }: BySourceOptions): RewardFunction & {
  /** Throws the same for the first problem that no reward is for; returns the keys that no problem has. */
  check: (problems: readonly Problem[]) => string[];
} {
  const keys = [...rewards.keys()];
  const choose = (problem: Problem): { key: string; reward: RewardFunction } => {
    const key = keyOf(problem);
    const reward = (key === undefined ? undefined : rewards.get(key)) ?? otherwise;
    if (reward === undefined) throw missing(problem, key, keys);
    return { key: key ?? 'otherwise', reward };
  };
  const scoreAll = async (samples: readonly RewardSample[], signal?: AbortSignal): Promise<CompleteScore[]> => {
    const chosen = samples.map(({ problem }) => choose(problem));
    const scores = new Array<CompleteScore>(samples.length);
    const work = [...new Set(chosen.map(({ reward }) => reward))].map(async (reward) => {
      const places = chosen.flatMap((choice, i) => (choice.reward === reward ? [i] : []));
      const results = await scoreSamples(
        reward,
        places.map((i) => samples[i]),
        signal,
      );
      places.forEach((place, i) => {
        const score = results[i];
        scores[place] = score.reward === null ? score : { ...score, parts: termsOf(chosen[place].key, score) };
      });
    });
    await Promise.all(work);
    return scores;
  };
  const check = (problems: readonly Problem[]): string[] => {
    const seen = new Set(problems.map((problem) => choose(problem).key));
    return keys.filter((key) => !seen.has(key));
  };
  return Object.assign(async (sample: RewardSample) => (await scoreAll([sample]))[0], { scoreAll, check });
}
