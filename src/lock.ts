/**
 * A lock between processes, also of several hosts on one file system: a folder that holds one file, named after its holder at
 * random. It takes its place by a rename, which fails where another holder's file lies, so no two can have it and none is seen
 * half made. A lock whose holder is gone is freed by deleting that holder's file and no other, so of several that take it over
 * one wins.
 *
 * On the holder's own system the table of processes says whether it is there. From elsewhere it is watched: the holder touches
 * its file every few seconds, and one that stays untouched for long is taken to be gone. Times of different clocks are never
 * compared. A holder that was held up for as long (a suspended machine, a file system that hung) finds out by {@link Lock.held}.
 *
 * Not `proper-lockfile`: of two processes that find its lock stale the second may delete the lock that the first has just made,
 * and it does not know who holds one, so a killed process holds up the next for its whole time limit.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  utimes,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** How often a holder touches its file, and how long an untouched one of another host counts. */
export interface LockTimes {
  beatSeconds: number;
  goneSeconds: number;
}
const TIMES: LockTimes = { beatSeconds: 5, goneSeconds: 60 };
const POLL_MILLISECONDS = 200;

interface Owner {
  pid: number;
  /** Start time of the process in clock ticks since boot: a reused pid is told apart. */
  started: string | null;
  host: string;
  /** Boot and namespace that the pid is of; null where that is not known. */
  system: string | null;
}

/** What lies in a lock. */
interface Held {
  /** Of the owner, or the lock itself where that is a file, as older releases made it. */
  file: string;
  /** Null where the file does not say. */
  owner: Owner | null;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** The value, or `otherwise` where the system refuses with one of `codes`. */
function unless<T, U>(codes: readonly string[], action: () => T, otherwise: U): T | U {
  try {
    return action();
  } catch (error) {
    if (codes.includes(codeOf(error) ?? '')) return otherwise;
    throw error;
  }
}

/** State and start of a process: fields 3 and 22 of /proc/PID/stat; null where it cannot be read. */
function readProcess(pid: number): { state: string; started: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0], started: fields[19] };
  } catch {
    return null;
  }
}

function thisSystem(): string | null {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}

/** Whether the process is there; null where this system cannot tell. */
function isAlive(owner: Owner | null): boolean | null {
  if (owner?.system == null || owner.system !== thisSystem()) return null;
  const found = readProcess(owner.pid);
  // One that has ended stays in the table until its parent asks for it, which the first process of a container may never do.
  if (found !== null) return found.started === owner.started && !'ZX'.includes(found.state);
  try {
    process.kill(owner.pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function readOwner(file: string): Owner | null {
  try {
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Partial<Owner> | null;
    return typeof owner?.pid === 'number' && typeof owner.host === 'string' ? (owner as Owner) : null;
  } catch {
    return null;
  }
}

/** Null where nobody holds the lock. */
function inspect(path: string): Held | null {
  const names = unless(['ENOTDIR'], () => unless(['ENOENT'], () => readdirSync(path), []), null);
  if (names === null) return { file: path, owner: readOwner(path) };
  if (names.length === 0) return null;
  const file = join(path, names[0]);
  return { file, owner: readOwner(file) };
}

/** Last touch of a file; opened, since network file systems ask their server only then. */
function touched(file: string): number | null {
  const descriptor = unless(['ENOENT', 'ENOTDIR'], () => openSync(file, 'r'), null);
  if (descriptor === null) return null;
  try {
    return fstatSync(descriptor).mtimeMs;
  } finally {
    closeSync(descriptor);
  }
}

/** `process 12 on host7` */
function describe(owner: Owner | null): string {
  return owner ? `process ${owner.pid} on ${owner.host}` : 'a process that left no name';
}

/** Deletes the folder of a lock that nobody holds; one that somebody holds is not empty. */
function clear(path: string): void {
  unless(['ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'], () => rmdirSync(path), undefined);
}

/** Frees the lock of one that is gone. `unlink` deletes no folder, so a new lock never falls to it. */
function free(path: string, file: string): void {
  unless(['ENOENT', 'ENOTDIR', 'EISDIR', 'EPERM'], () => unlinkSync(file), undefined);
  clear(path);
}

/** Whether a process holds the lock, as far as one look can tell: of another host's, whether it was touched of late. */
export function isHeld(path: string): boolean {
  const held = inspect(path);
  if (held === null) return false;
  const modified = statSync(held.file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return isAlive(held.owner) ?? Date.now() - modified < 1000 * TIMES.goneSeconds;
}

export class Lock {
  private readonly beat: NodeJS.Timeout;

  private constructor(
    private readonly path: string,
    private readonly file: string,
    beatSeconds: number,
  ) {
    const touch = (): void => utimes(this.file, new Date(), new Date(), () => undefined);
    this.beat = setInterval(touch, 1000 * beatSeconds).unref();
  }

  /** Takes the lock if nobody holds it; null where somebody does. Throws the system's error where `path` cannot be made. */
  static take(path: string, { beatSeconds }: LockTimes = TIMES): Lock | null {
    const token = randomUUID();
    const made = join(dirname(path), `.${basename(path)}-${token}.tmp-${process.pid}`);
    const owner: Owner = {
      pid: process.pid,
      started: readProcess(process.pid)?.started ?? null,
      host: hostname(),
      system: thisSystem(),
    };
    mkdirSync(made);
    try {
      writeFileSync(join(made, token), JSON.stringify(owner));
      renameSync(made, path);
    } catch (error) {
      rmSync(made, { recursive: true, force: true });
      if (['EEXIST', 'ENOTEMPTY', 'ENOTDIR'].includes(codeOf(error) ?? '')) return null;
      // Whoever got the lock meanwhile has swept the folder.
      if (codeOf(error) === 'ENOENT' && existsSync(dirname(path))) return null;
      throw error;
    }
    const lock = new Lock(path, join(path, token), beatSeconds);
    lock.sweep();
    return lock;
  }

  /** False once another process has taken the lock over. */
  held(): boolean {
    return existsSync(this.file);
  }

  /** Gives the lock back. Idempotent. */
  release(): void {
    clearInterval(this.beat);
    free(this.path, this.file);
  }

  /** What processes that were killed while they made a lock have left. */
  private sweep(): void {
    const folder = dirname(this.path);
    for (const name of readdirSync(folder)) {
      if (name.startsWith(`.${basename(this.path)}-`) && name.includes('.tmp-'))
        rmSync(join(folder, name), { recursive: true, force: true });
    }
  }
}

export interface AcquireOptions {
  /** Told once who holds the lock before it is waited for, and whether it is only watched for a sign of life. */
  onWait?: (holder: string, watching: boolean) => void;
  signal?: AbortSignal;
  times?: LockTimes;
}

/** A lock that is watched for a sign of life. */
interface Watch {
  file: string;
  touch: number | null;
  since: number;
}

/**
 * Takes the lock as soon as its holder gives it back or is gone. With `refuse` it does not wait for one that is there: what
 * `refuse` makes of it is thrown.
 *
 * @throws the signal's reason when it is aborted meanwhile, and the system's errors
 */
export async function acquireLock(
  path: string,
  { onWait, signal, times = TIMES }: AcquireOptions = {},
  refuse?: (holder: string) => Error,
): Promise<Lock> {
  let told = false;
  let watch: Watch | null = null;
  for (;;) {
    signal?.throwIfAborted();
    const lock = Lock.take(path, times);
    if (lock) return lock;
    const held = inspect(path);
    if (held === null) {
      clear(path);
      await delay(1);
      continue;
    }
    let alive = isAlive(held.owner);
    if (alive === null) {
      const now: Watch = { file: held.file, touch: touched(held.file), since: performance.now() };
      if (watch?.file !== now.file) watch = now;
      else if (watch.touch !== now.touch) {
        alive = true;
        watch = now;
      } else if (now.since - watch.since > 1000 * times.goneSeconds) alive = false;
    }
    if (alive === false) {
      free(path, held.file);
      continue;
    }
    if (alive === true && refuse) throw refuse(describe(held.owner));
    if (!told) {
      told = true;
      onWait?.(describe(held.owner), alive === null);
    }
    await delay(POLL_MILLISECONDS, undefined, { signal });
  }
}

/** Runs `work` while holding the lock; its folder is made if need be. */
export async function withLock<T>(path: string, work: () => Promise<T>, options: AcquireOptions = {}): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const lock = await acquireLock(path, options);
  try {
    return await work();
  } finally {
    lock.release();
  }
}
