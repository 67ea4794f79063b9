/** Waiting for work that cannot be trusted to end, such as user code. */

/** Longest delay of a timer; a longer one would end at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** `seconds` as the delay of a timer. */
export function timerDelay(seconds: number): number {
  return Math.min(seconds * 1000, MAX_DELAY_MS);
}

/** `work`, or the signal's reason as soon as it is aborted: what waits for a server must not hold up a stop. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  const settled = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true, signal: settled.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    settled.abort();
  }
}
