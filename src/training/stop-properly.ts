/** OpenRLHF's stop-properly penalty: on the whole reward of a completion that the token limit cut off. */
import type { TrainConfig } from './config';
import type { Sample } from './rollouts';

/** The samples with rollout.lengthPenalty.stopProperly in their rewards; those that cannot be scored stay so. */
export function penalizeTruncated(samples: readonly Sample[], { rollout }: TrainConfig): Sample[] {
  const { stopProperly } = rollout.lengthPenalty;
  if (stopProperly === null) return [...samples];
  return samples.map((sample) => {
    const { score, rollout: response } = sample;
    if (score.reward === null || response.finishReason !== 'length') return sample;
    const reward = stopProperly >= 0 ? score.reward * stopProperly : stopProperly;
    return { ...sample, score: { ...score, reward } };
  });
}
