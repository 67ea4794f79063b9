/**
 * Which problems a step takes: a pure function of (seed, step), so a resumed run needs no loader state. Problems lie in
 * consecutive parts, one per weighted source; without weights there is one part.
 */
import { RandomStream } from './random';

/** Consecutive problems that are drawn from together. */
export interface Part {
  count: number;
  /** Relative share of the prompts; of no effect where there is one part. */
  weight: number;
}

/**
 * Indices of the problems of one step, `perStep` of them. Each part is gone through epoch after epoch in an order of its
 * own, each problem once an epoch. Parts take turns so that after any number of prompts each has had its share to within
 * one prompt (smooth weighted round robin). Every `series` is such a sequence of steps for itself.
 */
export function problemsOfStep(
  parts: number | readonly Part[],
  perStep: number,
  step: number,
  seed: number,
  series = 'epoch',
): number[] {
  if (typeof parts === 'number') return problemsOfStep([{ count: parts, weight: 1 }], perStep, step, seed, series);
  const orders = new Map<string, Uint32Array>();
  const starts = parts.map((_, part) => parts.slice(0, part).reduce((sum, { count }) => sum + count, 0));
  return turns(parts, step * perStep, perStep).map(({ part, position }) => {
    const { count } = parts[part];
    const epoch = Math.floor(position / count);
    const key = `${part}/${epoch}`;
    let order = orders.get(key);
    if (!order) orders.set(key, (order = recentOrder(count, seed, epoch, part, series)));
    return starts[part] + order[position % count];
  });
}

/** Orders kept for the next steps, which are mostly of the same epoch. */
const RECENT_ORDERS = 8;
const recent = new Map<string, Uint32Array>();

function recentOrder(...which: Parameters<typeof shuffled>): Uint32Array {
  const key = JSON.stringify(which);
  const order = recent.get(key) ?? shuffled(...which);
  recent.delete(key);
  recent.set(key, order);
  for (const oldest of recent.keys()) {
    if (recent.size <= RECENT_ORDERS) break;
    recent.delete(oldest);
  }
  return order;
}

/** Whose turn it is, and how many turns it had before, for `count` prompts from number `first` on. */
function turns(parts: readonly Part[], first: number, count: number): { part: number; position: number }[] {
  if (parts.length === 1) return Array.from({ length: count }, (_, i) => ({ part: 0, position: first + i }));
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  const credit = parts.map(() => 0);
  const taken = parts.map(() => 0);
  const chosen: { part: number; position: number }[] = [];
  for (let prompt = 0; prompt < first + count; prompt++) {
    let part = 0;
    for (let i = 0; i < parts.length; i++) {
      credit[i] += parts[i].weight;
      if (credit[i] > credit[part]) part = i;
    }
    credit[part] -= total;
    if (prompt >= first) chosen.push({ part, position: taken[part] });
    taken[part]++;
  }
  return chosen;
}

/** Fisher and Yates' shuffle of 0 ... count−1, the order of one epoch of a part. */
export function shuffled(count: number, seed: number, epoch: number, part = 0, series = 'epoch'): Uint32Array {
  const random = new RandomStream(seed, part === 0 ? series : `${series} of part ${part}`, epoch);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
