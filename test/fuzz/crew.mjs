// Worker processes with a watchdog: one that hangs or dies names the input that it had, and is replaced.
import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** CPU seconds on one input after which it counts as a hang. */
const HANG_S = 10;
const WATCH_MS = 1000;

const script = fileURLToPath(new URL('worker.mjs', import.meta.url));

/** CPU seconds that a process has used; 0 when it is gone. */
function cpuSeconds(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

/** What a process was at when it hung or died. */
export class Lost extends Error {
  /** @param at Index of the input in its batch. */
  constructor(kind, at) {
    super(kind);
    this.kind = kind;
    this.at = at;
  }
}

export class Worker {
  #child;
  #folder = mkdtempSync(join(tmpdir(), 'zero-rl-fuzz-'));
  #ready;

  constructor(dist, seed) {
    this.dist = dist;
    this.seed = seed;
  }

  #start() {
    this.#child = fork(script, [this.dist, this.#progress, String(this.seed)], { execArgv: ['--expose-gc'] });
    this.#ready = new Promise((resolve, reject) => {
      this.#child.once('message', resolve);
      this.#child.once('exit', () => reject(new Error('a worker could not start')));
    });
  }

  get #progress() {
    return join(this.#folder, 'progress');
  }

  #at() {
    try {
      return Number(readFileSync(this.#progress, 'utf8'));
    } catch {
      return 0;
    }
  }

  /** Whether the process is the one that earlier calls had: its heap can be compared. */
  get generation() {
    return this.#child?.pid ?? 0;
  }

  /** Does one task. @throws Lost when the process hangs or dies over it */
  async run(task) {
    if (!this.#child) this.#start();
    const child = this.#child;
    await this.#ready;
    let since = { at: -1, cpu: cpuSeconds(child.pid) };
    return new Promise((resolve, reject) => {
      const finish = (settle, value) => {
        clearInterval(timer);
        child.removeAllListeners('message');
        child.removeAllListeners('exit');
        settle(value);
      };
      const lose = (kind) => {
        this.#child = undefined;
        finish(reject, new Lost(kind, this.#at()));
      };
      const timer = setInterval(() => {
        const now = { at: task.kind === 'batch' ? this.#at() : 0, cpu: cpuSeconds(child.pid) };
        if (now.at !== since.at) since = now;
        else if (now.cpu - since.cpu > HANG_S) {
          child.removeAllListeners('exit');
          child.kill('SIGKILL');
          lose('hang');
        }
      }, WATCH_MS);
      child.once('message', (answer) => finish(resolve, answer));
      child.once('exit', () => lose('crash'));
      child.send(task);
    });
  }

  stop() {
    this.#child?.removeAllListeners('exit');
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
