/** Sampling with scoring behind it, for evaluations that say how they go. */
import type { SampleOptions } from '../policy/types';
import type { RewardFunction } from '../rewards';
import { scoreRollouts, type Prompt, type Sample } from './rollouts';
import type { PlayedRollout } from './play-episodes';
import type { TrainingPolicy } from './training-policy';

/** How far an evaluation is. */
export interface EvaluationProgress {
  /** Samples drawn, and those to draw in all. */
  sampled: number;
  of: number;
  /** Share of right samples among those with a verdict so far; null before the first. */
  accuracy: number | null;
}

export interface SampleAndScoreInput {
  /** One that streams. */
  policy: TrainingPolicy;
  prompts: readonly Prompt[];
  options: Omit<SampleOptions, 'uids'> & { n: number };
  reward: RewardFunction;
  onProgress: (progress: EvaluationProgress) => void;
  signal?: AbortSignal;
}

/**
 * The samples that `samplePrompts` and `scoreRollouts` give. Those of a prompt are scored together once all are there, while
 * others are still sampled.
 */
export async function sampleAndScore(input: SampleAndScoreInput): Promise<Sample[]> {
  const { policy, prompts, options, reward, onProgress, signal } = input;
  const groups = prompts.map((): PlayedRollout[] => []);
  const samples: Sample[] = [];
  const failures: unknown[] = [];
  let waiting: PlayedRollout[] = [];
  let scoring: Promise<void> | null = null;
  let [sampled, known, right] = [0, 0, 0];
  const tell = (): void =>
    onProgress({ sampled, of: prompts.length * options.n, accuracy: known > 0 ? right / known : null });
  const score = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      for (const sample of await scoreRollouts(policy, prompts, batch, reward, signal)) {
        samples.push(sample);
        if (sample.score.correct === null) continue;
        known++;
        if (sample.score.correct) right++;
      }
      tell();
    }
  };
  tell();
  const uids = prompts.map(({ uid }) => uid);
  const tokens = prompts.map((prompt) => prompt.tokens);
  for await (const rollout of policy.stream!(tokens, { ...options, uids, signal })) {
    if (failures.length > 0) break;
    sampled++;
    const group = groups[rollout.prompt];
    group.push(rollout);
    if (group.length === options.n) {
      for (const each of group.sort((a, b) => a.sample - b.sample)) waiting.push(each);
      scoring ??= score()
        .catch((error: unknown) => void failures.push(error))
        .finally(() => (scoring = null));
    }
    tell();
  }
  await scoring;
  if (failures.length > 0) throw failures[0];
  return samples.sort((a, b) => a.group - b.group || a.index - b.index);
}
