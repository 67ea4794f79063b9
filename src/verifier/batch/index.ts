/** `verifyBatch`, and the pool of worker threads that the whole process shares. */
import type { Verdict } from '../verdict';
import type { VerifyCase } from './batch';
import { VerifierPool, type PoolVerifyOptions } from './pool';

export type { VerifyCase } from './batch';
export { VerifierPool, type PoolVerifyOptions, type VerifierPoolOptions } from './pool';

export interface VerifyBatchOptions extends PoolVerifyOptions {
  /** Worker threads of this call alone, started and ended with it. Default: those that the process shares, one per processor. */
  workers?: number;
}

const shared = new VerifierPool();

/**
 * Checks many completions on worker threads: `verify` for each, the results in the order of the cases. The event loop
 * stays free, however many or long the cases are, and a check that hangs is cut off after `timeoutMs` (10 s). The first
 * call starts the threads, about a tenth of a second; for a few short cases `verify` is quicker. Idle threads do not keep
 * the process alive.
 *
 * @throws TypeError or RangeError naming the case or option; the signal's reason when aborted
 */
export async function verifyBatch(cases: readonly VerifyCase[], options: VerifyBatchOptions = {}): Promise<Verdict[]> {
  if (options.workers === undefined) return shared.verify(cases, options);
  await using pool = new VerifierPool({ workers: options.workers });
  return await pool.verify(cases, options);
}

/** Ends the shared threads that have nothing to do; they start again when needed. */
export function stopIdleVerifiers(): void {
  shared.stopIdle();
}
