/** Length penalties on the reward of a sample, in OpenRLHF's order: the overlong one, then stop-properly. */
import type { TrainConfig } from './config';
import type { Sample } from './rollouts';

/**
 * −factor·min(length − (maxTokens − buffer), buffer)/buffer beyond maxTokens − buffer, else 0 (DAPO, arXiv 2503.14476, eq.
 * 13, with factor 1).
 * @param length response tokens
 */
export function overlongPenalty(length: number, maxTokens: number, buffer: number, factor: number): number {
  if (buffer === 0) return 0;
  const beyond = Math.min(length - (maxTokens - buffer), buffer);
  return beyond > 0 ? -(beyond / buffer) * factor : 0;
}

/** The samples with the penalties of the config in their rewards; those that cannot be scored stay so. */
export function penalizeLength(samples: readonly Sample[], { rollout }: TrainConfig): Sample[] {
  const { maxTokens } = rollout;
  const { buffer, factor, stopProperly } = rollout.lengthPenalty;
  if (buffer === 0 && stopProperly === null) return [...samples];
  return samples.map((sample) => {
    const { score, rollout: response } = sample;
    if (score.reward === null) return sample;
    let reward = score.reward + overlongPenalty(response.tokens.length, maxTokens, buffer, factor);
    if (stopProperly !== null && response.finishReason === 'length')
      reward = stopProperly >= 0 ? reward * stopProperly : stopProperly;
    return { ...sample, score: { ...score, reward } };
  });
}
