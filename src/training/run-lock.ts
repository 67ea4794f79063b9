/**
 * One process writes a run folder at a time. The lock is a file that names its process; a lock whose process is gone
 * (kill -9) is taken over. On another host a process cannot be looked up, so its lock stands.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ZeroRlError } from '../errors';

const LOCK_FILE = 'lock';

interface Owner {
  pid: number;
  /** Start time of the process in clock ticks since boot: a reused pid is told apart. */
  started: string | null;
  host: string;
}

/** Field 22 of /proc/PID/stat; null when there is no such process. */
function processStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function readOwner(file: string): Owner | null {
  try {
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Partial<Owner>;
    return typeof owner.pid === 'number' && typeof owner.host === 'string' ? (owner as Owner) : null;
  } catch {
    return null;
  }
}

/** Whether the process is there; one on another host counts as there. */
const isAlive = (owner: Owner): boolean =>
  owner.host !== hostname() || (owner.started !== null && processStart(owner.pid) === owner.started);

/** Whether a process is writing the run. */
export function isLocked(folder: string): boolean {
  const owner = readOwner(join(folder, LOCK_FILE));
  return owner !== null && isAlive(owner);
}

/**
 * Locks `folder` and returns what unlocks it.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_OUTPUT` when another process holds it.
 */
export function lockRun(folder: string): () => void {
  const file = join(folder, LOCK_FILE);
  const own: Owner = { pid: process.pid, started: processStart(process.pid), host: hostname() };
  const take = (): boolean => {
    try {
      writeFileSync(file, JSON.stringify(own), { flag: 'wx' });
      return true;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw new ZeroRlError(
        'ERR_ZERO_RL_OUTPUT',
        `Cannot write ${file} (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`,
        { cause },
      );
    }
  };
  if (!take()) {
    const owner = readOwner(file);
    if (owner && isAlive(owner)) {
      throw new ZeroRlError(
        'ERR_ZERO_RL_OUTPUT',
        `The run ${folder} is being written by process ${owner.pid} on ${owner.host}; wait for it, or delete ${file} if that process is gone`,
      );
    }
    rmSync(file, { force: true });
    if (!take())
      throw new ZeroRlError(
        'ERR_ZERO_RL_OUTPUT',
        `The run ${folder} was locked by another process just now; try again`,
      );
  }
  return () => {
    const owner = readOwner(file);
    if (owner?.pid === own.pid && owner.started === own.started) rmSync(file, { force: true });
  };
}
