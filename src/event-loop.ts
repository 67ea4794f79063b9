/** Long synchronous work on the main thread in slices, so that timers and sockets get their turn. */
import { setImmediate } from 'node:timers/promises';

/** Milliseconds of work between two turns of the event loop. */
const SLICE_MS = 5;

/** `items.map(work)` that lets the event loop turn every few milliseconds. One call of `work` is never cut up. */
export async function mapInSlices<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => R,
  signal?: AbortSignal,
): Promise<R[]> {
  const results: R[] = [];
  let start = performance.now();
  for (const [i, item] of items.entries()) {
    results.push(work(item, i));
    if (performance.now() - start < SLICE_MS) continue;
    await setImmediate();
    signal?.throwIfAborted();
    start = performance.now();
  }
  return results;
}
