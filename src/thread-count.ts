/** Numbers of threads that a machine can run. */
import { availableParallelism } from 'node:os';
import { checkInteger, invalidRange } from './errors';

/** Threads for each processor, beyond which threads that wait for each other hardly get a turn. */
const MOST_EACH = 16;

/**
 * Checks a number of threads and returns it. More than there are processors may be meant: a run that began on a larger
 * machine repeats its sums with its own number alone.
 *
 * @throws TypeError or RangeError naming the option, also beyond 16 for each processor that the process may use
 */
export function checkThreads(name: string, value: unknown): number {
  const processors = availableParallelism();
  const threads = checkInteger(name, value, 1);
  if (threads > MOST_EACH * processors)
    throw invalidRange(
      name,
      `integer between 1 and ${MOST_EACH * processors}, ${MOST_EACH} for each processor here,`,
      value,
    );
  return threads;
}
