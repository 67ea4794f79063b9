/** One process writes a run folder at a time. */
import { join } from 'node:path';
import { ZeroRlError } from '../errors';
import { acquireLock, isHeld, type LockTimes } from '../lock';
import { output } from '../policy/atomic-file';

const LOCK = 'lock';

export interface RunLock {
  /** @throws ZeroRlError `ERR_ZERO_RL_OUTPUT` when another process has taken the run over: nothing may be written any more */
  check(): void;
  release(): void;
}

export interface LockRunOptions {
  warn?: (message: string) => void;
  signal?: AbortSignal;
  times?: LockTimes;
}

/** Whether a process is writing the run. */
export function isLocked(folder: string): boolean {
  return isHeld(join(folder, LOCK));
}

/**
 * Locks `folder`. The lock of a process of another host is watched for a sign of life, for a minute at most; `warn` is told.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_OUTPUT` when another process holds it
 */
export async function lockRun(
  folder: string,
  { warn = () => undefined, signal, times }: LockRunOptions = {},
): Promise<RunLock> {
  const path = join(folder, LOCK);
  const onWait = (holder: string): void =>
    warn(`The run ${folder} is locked by ${holder}, which cannot be looked up from here; waiting for a sign of life`);
  const refuse = (holder: string): Error =>
    new ZeroRlError(
      'ERR_ZERO_RL_OUTPUT',
      `The run ${folder} is being written by ${holder}; wait for it to end, or stop it`,
    );
  const lock = await acquireLock(path, { onWait, signal, times }, refuse).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return output(path, () => Promise.reject(error as Error));
  });
  return {
    check: () => {
      if (lock.held()) return;
      throw new ZeroRlError(
        'ERR_ZERO_RL_OUTPUT',
        `Another process has taken over the run ${folder} while this one was held up; it ends here and writes nothing more`,
      );
    },
    release: () => lock.release(),
  };
}
