/** A thread with a user's module loaded. */
import { Worker } from 'node:worker_threads';
import { ZeroRlError } from '../../errors';
import { untilAborted } from '../../until-aborted';
import type { RewardReply, RewardWorkerData, SampleMessage } from './protocol';

export interface ThreadEvents {
  reply: (reply: RewardReply) => void;
  /** The thread has ended by itself. */
  died: (error: Error) => void;
}

export class RewardThread {
  /** Told of what happens from now on. */
  events: ThreadEvents | null = null;
  dead = false;
  /** Whether the reward scores batches. */
  batches = false;

  private constructor(
    private readonly worker: Worker,
    private readonly current: Int32Array,
  ) {
    let failure: Error | null = null;
    worker.on('error', (error) => (failure = error));
    worker.on('exit', (code) => {
      this.dead = true;
      this.events?.died(failure ?? new Error(`exit code ${code}`));
    });
    worker.on('message', (reply: RewardReply) => this.events?.reply(reply));
  }

  /**
   * Starts the file `script`, which loads `reference`.
   *
   * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` when there is no such reward; the signal's reason when it is aborted meanwhile, for
   *   the module may wait for something
   */
  static async start(script: string, reference: string, signal?: AbortSignal): Promise<RewardThread> {
    signal?.throwIfAborted();
    const current = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)).fill(-1);
    const workerData: RewardWorkerData = { reference, current };
    const worker = new Worker(script, { name: 'zero-rl reward', workerData, execArgv: [] });
    const thread = new RewardThread(worker, current);
    const ready = new Promise<void>((resolve, reject) => {
      thread.events = {
        reply: (reply) => {
          if (reply.kind === 'ready') {
            thread.batches = reply.batches;
            resolve();
          } else if (reply.kind === 'unusable') reject(new ZeroRlError(reply.code, reply.message));
        },
        died: ({ message }) =>
          reject(new ZeroRlError('ERR_ZERO_RL_CONFIG', `Cannot load the reward ${reference}: ${message}`)),
      };
    });
    try {
      await untilAborted(ready, signal);
    } catch (error) {
      thread.end();
      throw error;
    }
    thread.events = null;
    thread.keepsProcess(false);
    return thread;
  }

  /** Key of the sample whose call is on the stack, or null: none is, or all wait for something. */
  get key(): number | null {
    const key = Atomics.load(this.current, 0);
    return key < 0 ? null : key;
  }

  /** @throws DataCloneError where the sample holds what cannot be sent */
  post(message: SampleMessage): void {
    this.worker.postMessage(message);
  }

  keepsProcess(keeps: boolean): void {
    if (keeps) this.worker.ref();
    else this.worker.unref();
  }

  /** Ends it, whatever it does; nothing is heard of it any more. */
  end(): void {
    this.events = null;
    void this.worker.terminate();
  }
}
