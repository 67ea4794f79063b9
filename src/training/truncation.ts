/** Truncated rollouts: what of them biases training. */

interface Truncation {
  topP: number;
  topK: number;
  minP: number;
}

/** Whether rollouts are drawn from a part of the vocabulary. */
export function truncates({ topP, topK, minP }: Truncation): boolean {
  return topP < 1 || topK > 0 || minP > 0;
}

/** What a run is told that ignores the truncation of its rollouts; null where it does not. */
export function truncationWarning(rollout: Truncation & { truncation?: 'replay' | 'ignore' }): string | null {
  if (rollout.truncation !== 'ignore' || !truncates(rollout)) return null;
  return (
    'rollout.truncation is ignore: rollouts are drawn from a part of the vocabulary but scored over all of it, so every ratio ' +
    'is off by the probability of that part; replay has no such bias'
  );
}
