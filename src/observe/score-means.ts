/** Means of what rewards say beside the reward itself. */
import type { CompleteScore } from '../rewards';

export interface ScoreMeans {
  /** Mean of each term of a reward that is a sum, before its weight, over the samples that have it. */
  rewardParts?: Record<string, number>;
  /** Mean of each further figure of the reward, over the samples of which it is known. */
  rewardMetrics?: Record<string, number>;
}

/** Means by name in the order in which names first occur; none where nothing is known. */
function meansOf(values: Iterable<readonly [string, number | null]>): Record<string, number> | undefined {
  const sums = new Map<string, { sum: number; count: number }>();
  for (const [name, value] of values) {
    if (value === null) continue;
    const entry = sums.get(name) ?? { sum: 0, count: 0 };
    entry.sum += value;
    entry.count++;
    sums.set(name, entry);
  }
  if (sums.size === 0) return undefined;
  return Object.fromEntries([...sums].map(([name, { sum, count }]) => [name, sum / count]));
}

export function scoreMeans(scores: readonly CompleteScore[]): ScoreMeans {
  const rewardParts = meansOf(
    scores.flatMap(({ parts = [] }) => parts.map(({ name, reward }) => [name, reward] as const)),
  );
  const rewardMetrics = meansOf(scores.flatMap(({ metrics = {} }) => Object.entries(metrics)));
  return { ...(rewardParts ? { rewardParts } : {}), ...(rewardMetrics ? { rewardMetrics } : {}) };
}
