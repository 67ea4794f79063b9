/**
 * One worker thread of the pool, with the chunk it works on. A thread is the only thing in Node that can be ended while
 * its code loops, so this is what makes a limit in seconds hold.
 */
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Verdict } from '../verdict';
import { chunkMessage, type Chunk } from './batch';
import { PROGRESS_FIELDS, progressField, type ChunkMessage, type PieceMessage, type WorkerReply } from './protocol';

/** A text longer than this goes in pieces, each in a turn of the event loop of its own: copying a megabyte takes a millisecond or two. */
const PIECE_CHARACTERS = 2 ** 20;

export interface SlotEvents {
  /** The chunk is done, the worker idle. */
  verdicts: (slot: WorkerSlot, chunk: Chunk, verdicts: Verdict[], failed: { index: number; message: string }[]) => void;
  /** The thread has ended by itself. */
  died: (slot: WorkerSlot, error: Error) => void;
}

export class WorkerSlot {
  chunk: Chunk | null = null;
  /** Whether the worker has ever run: one that has not cannot start at all. */
  ready = false;
  readonly #worker: Worker;
  readonly #progress = new Int32Array(new SharedArrayBuffer(PROGRESS_FIELDS * Int32Array.BYTES_PER_ELEMENT));
  #error: Error | null = null;
  #stalled = { done: -1, ms: 0 };

  constructor(script: string, events: SlotEvents) {
    // Flags of the process such as --input-type are not for this file.
    this.#worker = new Worker(script, { name: 'zero-rl verifier', workerData: this.#progress, execArgv: [] });
    this.#worker.on('message', (reply: WorkerReply) => {
      if (reply.kind === 'ready') {
        this.ready = true;
        return;
      }
      const { chunk } = this;
      if (chunk === null) return;
      this.chunk = null;
      this.#worker.unref();
      events.verdicts(this, chunk, reply.verdicts, reply.failed);
    });
    this.#worker.on('error', (error: Error) => (this.#error = error));
    this.#worker.on('exit', (code) => events.died(this, this.#error ?? new Error(`it exited with code ${code}`)));
  }

  /** Gives the idle worker a chunk, and keeps the process alive for it. */
  start(chunk: Chunk): void {
    this.chunk = chunk;
    this.#progress.fill(0);
    this.#stalled = { done: -1, ms: 0 };
    this.#worker.ref();
    const message = chunkMessage(chunk);
    if (message.golds[0].length + message.completions[0].length <= PIECE_CHARACTERS) this.#worker.postMessage(message);
    else void this.#sendInPieces(message);
  }

  /** A chunk whose batch has failed no longer keeps the process alive. */
  abandon(): void {
    this.#worker.unref();
  }

  /**
   * Position in the chunk of the case that has taken `timeoutMs`, or null. `elapsedMs` is the time since the last call;
   * that the whole process was stopped does not count.
   */
  hungCase(elapsedMs: number, timeoutMs: number): number | null {
    if (this.chunk === null || this.#progress[progressField.started] === 0) return null;
    const done = Atomics.load(this.#progress, progressField.done);
    if (done !== this.#stalled.done || done >= this.chunk.indices.length) this.#stalled = { done, ms: 0 };
    else this.#stalled.ms += elapsedMs;
    return this.#stalled.ms >= timeoutMs ? done : null;
  }

  /** Position in the chunk of the case at which the worker is. */
  get position(): number {
    return Atomics.load(this.#progress, progressField.done);
  }

  /** Ends the thread, whatever it does; nothing is heard of it any more. */
  async terminate(): Promise<void> {
    this.chunk = null;
    this.#worker.removeAllListeners('message').removeAllListeners('exit');
    await this.#worker.terminate();
  }

  async #sendInPieces(message: ChunkMessage): Promise<void> {
    const { chunk } = this;
    for (const [of, texts] of [
      ['gold', message.golds],
      ['completion', message.completions],
    ] as const) {
      const text = texts[0];
      texts[0] = '';
      for (let at = 0; at < text.length; at += PIECE_CHARACTERS) {
        await setImmediate();
        if (this.chunk !== chunk) return;
        const piece: PieceMessage = { kind: 'piece', of, text: text.slice(at, at + PIECE_CHARACTERS) };
        this.#worker.postMessage(piece);
      }
    }
    this.#worker.postMessage(message);
  }
}
