/**
 * Checks many completions on worker threads: the event loop stays free, and a check that never ends is cut off.
 *
 * The pools on npm end a worker to cancel a task, but know tasks only as a whole. Here one message carries many cases, and
 * a hang must cost one of them: so the worker counts the cases it has done in shared memory, the pool watches the count,
 * and after a kill the other cases of the chunk go to another worker.
 */
import { availableParallelism } from 'node:os';
import { checkNumber, checkOneOf, invalidType, ZeroRlError } from '../../errors';
import { checkThreads } from '../../thread-count';
import { mapInSlices } from '../../event-loop';
import { log } from '../../observe/log';
import { workerScript } from '../../worker-script';
import type { Verdict, VerifyOptions } from '../verdict';
import { verify } from '../verify';
import { Batch, type Chunk, type VerifyCase } from './batch';
import { WorkerSlot } from './worker-slot';

export interface VerifierPoolOptions {
  /** Most worker threads; they start as they are needed. Default: the processors available, at most 16. */
  workers?: number;
  /** Milliseconds that one case may take before its worker is ended. Default 10,000. */
  timeoutMs?: number;
}

export interface PoolVerifyOptions extends VerifyOptions {
  /** Aborting rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Instead of the pool's. */
  timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const MOST_DEFAULT_WORKERS = 16;
/** Between two looks at the progress. */
const WATCH_MS = 100;
/** Characters of a text shown in a warning. */
const SHOWN_CHARACTERS = 200;

const shown = (text: string): string => JSON.stringify(text.slice(0, SHOWN_CHARACTERS));

export class VerifierPool implements AsyncDisposable {
  readonly #workers: number;
  readonly #timeoutMs: number;
  readonly #slots = new Set<WorkerSlot>();
  /** Batches with cases to hand out; they take turns. */
  #queue: Batch[] = [];
  readonly #batches = new Set<Batch>();
  #watch: NodeJS.Timeout | null = null;
  #watched = 0;
  #disposed = false;

  /**
   * @param script The worker's file; null checks on this thread. For tests.
   * @throws TypeError or RangeError naming the option.
   */
  constructor(
    options: VerifierPoolOptions = {},
    private readonly script: string | null = workerScript('verifier/batch/worker'),
  ) {
    const workers = options.workers ?? Math.min(MOST_DEFAULT_WORKERS, availableParallelism());
    this.#workers = checkThreads('workers', workers);
    this.#timeoutMs = checkNumber('timeoutMs', options.timeoutMs ?? DEFAULT_TIMEOUT_MS, 1);
  }

  /**
   * What `verify` says of every case, in their order. A case on which the check hangs for `timeoutMs` (10 s) or ends its
   * worker gets `{ correct: null, reason: 'timeout' }` and a warning. The cases must not change meanwhile.
   *
   * @throws TypeError or RangeError naming the case or option; the signal's reason; ZeroRlError `ERR_ZERO_RL_DISPOSED`, or
   *   `_NATIVE` when no worker can start.
   */
  async verify(cases: readonly VerifyCase[], options: PoolVerifyOptions = {}): Promise<Verdict[]> {
    if (!Array.isArray(cases)) throw invalidType('cases', 'array of { gold, completion }', cases);
    const statement = checkOneOf('statement', options.statement ?? 'any', ['any', 'boxed']);
    const timeoutMs = checkNumber('timeoutMs', options.timeoutMs ?? this.#timeoutMs, 1);
    const { signal } = options;
    if (this.#disposed) throw disposed();
    const batch = new Batch(cases, { statement, signal, timeoutMs, workers: this.#workers });
    if (batch.settled) return batch.promise;
    if (this.script === null) return verifyHere(batch);
    this.#batches.add(batch);
    this.#queue.push(batch);
    this.#pump();
    try {
      return await batch.promise;
    } finally {
      this.#batches.delete(batch);
      for (const slot of this.#slots) if (slot.chunk?.batch === batch) slot.abandon();
    }
  }

  /** Ends the workers that have nothing to do, to give their memory back. Later calls start new ones. */
  stopIdle(): void {
    for (const slot of this.#slots) if (slot.chunk === null) void this.#end(slot);
  }

  /** Ends all workers; calls under way reject with `ERR_ZERO_RL_DISPOSED`. Idempotent. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#queue = [];
    for (const batch of this.#batches) batch.fail(disposed());
    await Promise.all([...this.#slots].map((slot) => this.#end(slot)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  /** Hands chunks to workers while there are both. */
  #pump(): void {
    for (;;) {
      const idle = [...this.#slots].find(({ chunk }) => chunk === null);
      if (idle === undefined && this.#slots.size >= this.#workers) break;
      const chunk = this.#nextChunk();
      if (chunk === null) break;
      (idle ?? this.#startWorker()).start(chunk);
    }
    const busy = [...this.#slots].some(({ chunk }) => chunk !== null);
    if (busy) this.#startWatch();
    else this.#stopWatch();
  }

  #nextChunk(): Chunk | null {
    for (let batch = this.#queue.shift(); batch !== undefined; batch = this.#queue.shift()) {
      try {
        const chunk = batch.take();
        if (chunk === null) continue;
        this.#queue.push(batch);
        return chunk;
      } catch (error) {
        batch.fail(error);
      }
    }
    return null;
  }

  #startWorker(): WorkerSlot {
    const slot = new WorkerSlot(this.script ?? '', {
      verdicts: (_, { batch, indices }, verdicts, failed) => {
        batch.finish(indices, verdicts);
        for (const { index, message } of failed) warn(batch.cases[indices[index]], `failed (${message})`);
        this.#pump();
      },
      died: (died, error) => {
        this.#slots.delete(died);
        if (died.ready) this.#giveUpCase(died, died.position, `ended its thread (${error.message})`);
        else this.#failAll(error);
        this.#pump();
      },
    });
    this.#slots.add(slot);
    return slot;
  }

  #end(slot: WorkerSlot): Promise<void> {
    this.#slots.delete(slot);
    return slot.terminate();
  }

  /** A worker that cannot start will not start the next time either. */
  #failAll(cause: Error): void {
    const message = `The worker of the verifier could not start: ${cause.message}`;
    for (const batch of this.#batches) batch.fail(new ZeroRlError('ERR_ZERO_RL_NATIVE', message, { cause }));
  }

  /** The case of `slot` at `position` gets no verdict; the others of its chunk are handed out again. */
  #giveUpCase(slot: WorkerSlot, position: number, what: string): void {
    if (slot.chunk === null) return;
    const { batch, indices } = slot.chunk;
    if (batch.settled) return;
    const [index] = indices.splice(position, 1);
    warn(batch.cases[index], what);
    batch.giveBack(indices);
    batch.finish([index], [{ correct: null, reason: 'timeout', ms: batch.options.timeoutMs }]);
    if (!this.#queue.includes(batch)) this.#queue.push(batch);
  }

  #startWatch(): void {
    if (this.#watch !== null) return;
    this.#watched = performance.now();
    this.#watch = setInterval(() => this.#endHungWorkers(), WATCH_MS);
    // Workers with work keep the process alive, not this.
    this.#watch.unref();
  }

  #stopWatch(): void {
    if (this.#watch !== null) clearInterval(this.#watch);
    this.#watch = null;
  }

  #endHungWorkers(): void {
    const now = performance.now();
    const elapsed = Math.min(now - this.#watched, 2 * WATCH_MS);
    this.#watched = now;
    let ended = false;
    for (const slot of this.#slots) {
      const timeoutMs = slot.chunk?.batch.options.timeoutMs ?? Infinity;
      const hung = slot.hungCase(elapsed, timeoutMs);
      if (hung === null) continue;
      this.#giveUpCase(slot, hung, `did not end within ${timeoutMs / 1000} s and was cut off`);
      void this.#end(slot);
      ended = true;
    }
    if (ended) this.#pump();
  }
}

function disposed(): ZeroRlError {
  return new ZeroRlError('ERR_ZERO_RL_DISPOSED', 'The verifier pool was disposed; make another one.');
}

function warn({ gold, completion }: VerifyCase, what: string): void {
  log.warn(
    `The check of an answer ${what}. This is a bug of zero-rl, please report it: gold ${shown(gold)}, completion ${shown(completion)}`,
  );
}

/** The same on this thread, with turns for the event loop in between. */
async function verifyHere(batch: Batch): Promise<Verdict[]> {
  const { statement, signal } = batch.options;
  for (let chunk = batch.take(); chunk !== null; chunk = batch.take()) {
    const { indices } = chunk;
    const cases = indices.map((index) => batch.cases[index]);
    const verdicts = await mapInSlices(
      cases,
      ({ gold, completion }) => verify(gold, completion, { statement }),
      signal,
    );
    batch.finish(indices, verdicts);
  }
  return batch.promise;
}
