/** Samples whose siblings could not be scored: a group baseline says nothing about them. */
import { algorithms, type AlgorithmName, type Estimator } from '../algorithms';
import type { TrainConfig } from './config';
import { samplesByGroup, type Sample } from './rollouts';

/** Estimators that measure a sample against the others of its prompt. */
const groupEstimators: ReadonlySet<Estimator | undefined> = new Set(
  (['rloo', 'grpo', 'dr-grpo', 'opo', 'pass-at-k', 'reinforce++-baseline'] as const).map((name) => algorithms[name]),
);

/** Whether the advantage of a sample comes from the other samples of its prompt. */
export function hasGroupBaseline(
  { algorithm, rollout }: TrainConfig,
  estimator: Estimator | undefined = algorithms[algorithm.name as AlgorithmName],
): boolean {
  return rollout.samplesPerPrompt > 1 && groupEstimators.has(estimator);
}

/**
 * Under an estimator with a group baseline, the samples without those that are the only scored one of their group: these have
 * no reward and the reason `alone`. Otherwise the samples as they are.
 */
export function leaveOutAlone(samples: readonly Sample[], config: TrainConfig, estimator: Estimator): Sample[] {
  if (!hasGroupBaseline(config, estimator)) return [...samples];
  return samplesByGroup(samples).flatMap((group) => {
    if (group.filter(({ score }) => score.reward !== null).length !== 1) return group;
    return group.map((sample) =>
      sample.score.reward === null ? sample : { ...sample, score: { ...sample.score, reward: null, reason: 'alone' } },
    );
  });
}
