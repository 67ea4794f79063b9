/**
 * Minibatches: a rollout batch in several optimizer steps. Each takes whole groups, so that what a group baseline cancels
 * stays together, and responses to one prompt share its pass through the network.
 */
import { shuffled } from '../data/order';

/** How a rollout batch is gone through. */
export interface Passes {
  /** Passes over the batch. */
  epochs: number;
  /** Optimizer steps of a pass; one per group where there are fewer groups. */
  minibatches: number;
  seed: number;
  /** Number of the rollout batch: with `seed` and the epoch the key of the order. */
  step: number;
}

/**
 * Indices of the sequences of each minibatch of pass `epoch` (from 0), rising. Every sequence is in one minibatch; numbers of
 * groups differ by one at most.
 * @param groups group of each sequence
 */
export function splitGroups(
  groups: ArrayLike<number>,
  { minibatches, seed, step }: Omit<Passes, 'epochs'>,
  epoch: number,
): number[][] {
  const distinct = [...new Set(Array.from(groups))];
  const count = Math.min(minibatches, distinct.length);
  const place = new Map(
    Array.from(shuffled(distinct.length, seed, step, 0, `minibatches of pass ${epoch}`), (group, position) => [
      distinct[group],
      Math.floor((position * count) / distinct.length),
    ]),
  );
  const parts = Array.from({ length: count }, (): number[] => []);
  Array.from(groups, (group, i) => parts[place.get(group) ?? 0].push(i));
  return parts;
}

/** An optimizer step on a minibatch of so many sequences. */
export interface Update<S> {
  stats: S;
  sequences: number;
}

/**
 * Runs `update` on every minibatch of every pass. The first one that is not applied is the last: what made it so is in the
 * weights or in the batch.
 * @returns the optimizer steps by pass
 */
export async function passOver<T, S extends { applied: boolean }>(
  sequences: readonly T[],
  groups: ArrayLike<number>,
  passes: Passes,
  update: (minibatch: T[]) => Promise<S>,
): Promise<Update<S>[][]> {
  const done: Update<S>[][] = [];
  for (let epoch = 0; epoch < passes.epochs; epoch++) {
    const pass: Update<S>[] = [];
    done.push(pass);
    for (const part of splitGroups(groups, passes, epoch)) {
      const stats = await update(part.map((i) => sequences[i]));
      pass.push({ stats, sequences: part.length });
      if (!stats.applied) return done;
    }
  }
  return done;
}

/** Mean of a figure over the optimizer steps of a pass; of a single one, the figure itself. */
export function meanOver<S>(
  pass: readonly Update<S>[],
  figure: (stats: S) => number,
  weight: (update: Update<S>) => number = () => 1,
): number {
  if (pass.length === 1) return figure(pass[0].stats);
  const total = pass.reduce((sum, update) => sum + weight(update), 0);
  if (total === 0) return 0;
  return pass.reduce((sum, update) => sum + weight(update) * figure(update.stats), 0) / total;
}
