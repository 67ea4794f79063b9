/**
 * The cases of one call: cut into chunks as workers ask for them, so that the main thread never handles more than a
 * chunk at a time however large the batch is, and put together in order.
 */
import { invalidType } from '../../errors';
import type { Verdict, VerifyOptions } from '../verdict';
import type { ChunkMessage } from './protocol';

/** One case: the right answer and what the model wrote. */
export interface VerifyCase {
  gold: string;
  completion: string;
}

export interface BatchOptions extends VerifyOptions {
  signal?: AbortSignal;
  timeoutMs: number;
  /** Workers that may share the batch. */
  workers: number;
}

/** Cases for one message to a worker. */
export interface Chunk {
  batch: Batch;
  /** Positions of the cases in the batch. */
  indices: number[];
}

/** Characters of a chunk; the case that goes beyond is its last. Copying so much takes about a millisecond. */
const CHUNK_CHARACTERS = 2 ** 18;
/** Cases of a chunk: few enough to share the batch evenly, enough that messages do not count. */
const CHUNK_CASES = { least: 16, most: 256 };
/** Chunks of one worker in a batch, where its size allows. */
const CHUNKS_PER_WORKER = 8;

export class Batch {
  readonly promise: Promise<Verdict[]>;
  settled = false;
  readonly #verdicts: Verdict[] = [];
  readonly #chunkCases: number;
  readonly #returned: number[][] = [];
  #next = 0;
  #left: number;
  #resolve!: (verdicts: Verdict[]) => void;
  #reject!: (error: unknown) => void;

  constructor(
    readonly cases: readonly VerifyCase[],
    readonly options: BatchOptions,
  ) {
    this.#left = cases.length;
    const even = Math.ceil(cases.length / (CHUNKS_PER_WORKER * options.workers));
    this.#chunkCases = Math.min(CHUNK_CASES.most, Math.max(CHUNK_CASES.least, even));
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { signal } = options;
    if (signal) {
      const abort = (): void => this.fail(signal.reason);
      signal.addEventListener('abort', abort);
      const forget = (): void => signal.removeEventListener('abort', abort);
      this.promise.then(forget, forget);
      if (signal.aborted) abort();
    }
    if (this.#left === 0) this.#settle(() => this.#resolve([]));
  }

  /** The next cases; null when all are handed out, or the batch has failed. */
  take(): Chunk | null {
    if (this.settled) return null;
    const indices = this.#returned.pop() ?? this.#cut();
    return indices.length === 0 ? null : { batch: this, indices };
  }

  finish(indices: readonly number[], verdicts: readonly Verdict[]): void {
    if (this.settled) return;
    indices.forEach((index, i) => (this.#verdicts[index] = verdicts[i]));
    this.#left -= indices.length;
    if (this.#left === 0) this.#settle(() => this.#resolve(this.#verdicts));
  }

  /** Hands cases out again. */
  giveBack(indices: number[]): void {
    if (indices.length > 0) this.#returned.push(indices);
  }

  fail(error: unknown): void {
    this.#settle(() => this.#reject(error));
  }

  #settle(how: () => void): void {
    if (this.settled) return;
    this.settled = true;
    how();
  }

  #cut(): number[] {
    const indices: number[] = [];
    let characters = 0;
    while (this.#next < this.cases.length && indices.length < this.#chunkCases) {
      const { gold, completion } = this.#checked(this.#next);
      const size = gold.length + completion.length;
      // A text that fills a chunk by itself is sent by itself.
      if (indices.length > 0 && characters + size > CHUNK_CHARACTERS) break;
      characters += size;
      indices.push(this.#next++);
    }
    return indices;
  }

  #checked(index: number): VerifyCase {
    const item = this.cases[index] as Partial<VerifyCase> | undefined | null;
    if (typeof item !== 'object' || item === null) throw invalidType(`cases[${index}]`, '{ gold, completion }', item);
    for (const key of ['gold', 'completion'] as const)
      if (typeof item[key] !== 'string') throw invalidType(`cases[${index}].${key}`, 'string', item[key]);
    return item as VerifyCase;
  }
}

/** A chunk as its worker gets it. */
export function chunkMessage({ batch, indices }: Chunk): ChunkMessage {
  const golds: string[] = [];
  const goldOf: number[] = [];
  const completions: string[] = [];
  for (const index of indices) {
    const { gold, completion } = batch.cases[index];
    if (gold !== golds[golds.length - 1]) golds.push(gold);
    goldOf.push(golds.length - 1);
    completions.push(completion);
  }
  return { kind: 'chunk', statement: batch.options.statement, golds, goldOf, completions };
}
