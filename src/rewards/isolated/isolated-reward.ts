/**
 * Runs a user's reward on a thread of its own, so that one that never ends costs a sample and not the run. All samples of a
 * batch are started at once, as on the main thread, so rewards that wait for a server wait together; the limit counts from
 * the last sample that was finished. A thread that is ended takes the module's state with it, and the samples that were
 * under way on it are scored again.
 */
import { setImmediate } from 'node:timers/promises';
import { ZeroRlError } from '../../errors';
import { userCodeThrew } from '../../user-code';
import { sampleName } from '../complete-score';
import type { RewardFunction, RewardResult, RewardSample } from '../types';
import type { RewardReply } from './protocol';
import { RewardThread } from './reward-thread';

export interface IsolatedRewardOptions {
  /** Seconds without a finished sample after which one is given up. */
  timeoutSeconds: number;
  /** Told of every sample given up. */
  warn: (message: string) => void;
  /** Ends the loading. */
  signal?: AbortSignal;
}

/** Samples in a row that hang before the others of their batch are not tried any more. */
const HANGS_IN_A_ROW = 3;
/** Between two looks at the time. */
const WATCH_MS = 100;
/** Samples sent in one turn of the event loop. */
const SAMPLES_A_TURN = 32;

const TIMED_OUT: RewardResult = { reward: null, reason: 'timeout' };

/** The samples of a call and what has come of them. */
interface Call {
  samples: readonly RewardSample[];
  results: Map<number, RewardResult>;
  signal: AbortSignal | undefined;
}

/** How a round ended; `key` is the sample that hangs where that is known, `batch` that `scoreAll` had them all at once. */
type RoundEnd = { hung: false } | { hung: true; key: number | null; batch: boolean };

const batchName = (count: number): string => (count === 1 ? 'a batch of one sample' : `a batch of ${count} samples`);

export class IsolatedReward {
  #thread: RewardThread | null = null;
  /** Calls wait for each other: a batch has the thread to itself. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Rejects the round under way. */
  #interrupt: (error: unknown) => void = () => undefined;

  private constructor(
    private readonly script: string,
    private readonly reference: string,
    private readonly options: IsolatedRewardOptions,
  ) {}

  /**
   * Loads `./my.mjs#name` on a thread that `script` runs.
   *
   * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` when it cannot be loaded or is no function
   */
  static async load(script: string, reference: string, options: IsolatedRewardOptions): Promise<IsolatedReward> {
    const isolated = new IsolatedReward(script, reference, options);
    isolated.#thread = await RewardThread.start(script, reference, options.signal);
    return isolated;
  }

  get reward(): RewardFunction {
    const scoreAll = (samples: readonly RewardSample[], signal?: AbortSignal): Promise<RewardResult[]> => {
      const scores = this.#turn.then(() => this.#scoreAll({ samples, results: new Map(), signal }));
      this.#turn = scores.catch(() => undefined);
      return scores;
    };
    return Object.assign(async (sample: RewardSample) => (await scoreAll([sample]))[0], { scoreAll });
  }

  /** Ends the thread. A call under way rejects with `ERR_ZERO_RL_ABORTED`. */
  close(): void {
    this.#interrupt(new ZeroRlError('ERR_ZERO_RL_ABORTED', `The reward ${this.reference} was closed`));
    this.#end();
  }

  async #scoreAll(call: Call): Promise<RewardResult[]> {
    const { samples, results, signal } = call;
    let oneByOne = false;
    let hangs = 0;
    for (;;) {
      signal?.throwIfAborted();
      const left = samples.flatMap((_, key) => (results.has(key) ? [] : [key]));
      if (left.length === 0) return samples.map((_, key) => results.get(key) as RewardResult);
      const before = results.size;
      const end = await this.#round(call, oneByOne ? left.slice(0, 1) : left);
      if (results.size > before) hangs = 0;
      if (!end.hung) continue;
      this.#end();
      const pending = left.filter((key) => !results.has(key));
      if (end.key === null && !oneByOne && pending.length > 1) {
        // Several wait and any may be the one that hangs: alone they show it.
        oneByOne = true;
        if (end.batch) this.#warnOfBatch(pending.length);
        continue;
      }
      this.#giveUp(call, end.key ?? pending[0]);
      if (++hangs < HANGS_IN_A_ROW || pending.length === 1) continue;
      this.options.warn(`It hung on ${hangs} samples in a row; ${pending.length - 1} more are left out without a try`);
      for (const other of pending) results.set(other, TIMED_OUT);
    }
  }

  #warnOfBatch(count: number): void {
    const { timeoutSeconds, warn } = this.options;
    warn(
      `The scoreAll of the reward ${this.reference} did not end within ${timeoutSeconds} s on ${batchName(count)}, whose samples are ` +
        'scored one by one now; raise timeoutSeconds if it needs longer',
    );
  }

  #giveUp({ samples, results }: Call, key: number): void {
    results.set(key, TIMED_OUT);
    const { timeoutSeconds, warn } = this.options;
    const where = sampleName(samples[key]);
    warn(`The reward ${this.reference} did not end within ${timeoutSeconds} s on ${where}, which is left out`);
  }

  /** Sends the samples `keys` and collects results until all are there, one throws, or none has come for too long. */
  async #round({ samples, results, signal }: Call, keys: readonly number[]): Promise<RoundEnd> {
    if (this.#thread === null || this.#thread.dead)
      this.#thread = await RewardThread.start(this.script, this.reference, signal);
    const thread = this.#thread;
    const settled = new AbortController();
    const ended = new Promise<RoundEnd>((resolve, reject) => {
      let left = keys.length;
      let idleMs = 0;
      let watched = performance.now();
      this.#interrupt = reject;
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { signal: settled.signal });
      const reply = (message: RewardReply): void => {
        idleMs = 0;
        if (message.kind === 'threw') {
          const where = message.key === null ? batchName(keys.length) : sampleName(samples[message.key]);
          reject(this.#threw(message.message, message.stack, where));
        } else if (message.kind === 'wrong') {
          reject(new ZeroRlError('ERR_ZERO_RL_DATA', message.message));
        } else if (message.kind === 'result') {
          results.set(message.key, message.result as RewardResult);
          if (--left === 0) resolve({ hung: false });
        }
      };
      thread.events = { reply, died: (error) => reject(this.#died(error, thread.key, samples)) };
      const timer = setInterval(() => {
        const now = performance.now();
        // That the whole process was stopped does not count.
        idleMs += Math.min(now - watched, 2 * WATCH_MS);
        watched = now;
        if (idleMs >= this.options.timeoutSeconds * 1000)
          resolve({ hung: true, key: thread.key, batch: thread.batches });
      }, WATCH_MS);
      settled.signal.addEventListener('abort', () => clearInterval(timer));
    });
    thread.keepsProcess(true);
    try {
      return await Promise.race([ended, this.#send(thread, samples, keys, settled.signal).then(() => ended)]);
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      settled.abort();
      thread.events = null;
      thread.keepsProcess(false);
    }
  }

  async #send(
    thread: RewardThread,
    samples: readonly RewardSample[],
    keys: readonly number[],
    stop: AbortSignal,
  ): Promise<void> {
    for (const [i, key] of keys.entries()) {
      if (i % SAMPLES_A_TURN === SAMPLES_A_TURN - 1) await setImmediate();
      if (stop.aborted) return;
      const sample = samples[key];
      try {
        // A view would take the whole buffer under it along.
        thread.post({ key, sample: { ...sample, tokens: sample.tokens.slice() }, last: i === keys.length - 1 });
      } catch (cause) {
        const message = `${sampleName(sample)} cannot be sent to the thread of the reward ${this.reference} (${(cause as Error).message}); set timeoutSeconds: null to run it on the main thread`;
        throw new ZeroRlError('ERR_ZERO_RL_DATA', message.replace(/^s/, 'S'), { cause });
      }
    }
  }

  #end(): void {
    this.#thread?.end();
    this.#thread = null;
  }

  #threw(message: string, stack: string | undefined, where: string): ZeroRlError {
    const cause = Object.assign(new Error(message), { stack });
    return userCodeThrew(`The reward ${this.reference} threw on ${where}`, cause);
  }

  #died(cause: Error, key: number | null, samples: readonly RewardSample[]): ZeroRlError {
    const where = key === null ? '' : ` on ${sampleName(samples[key])}`;
    const message = `The reward ${this.reference} ended its thread${where}: ${cause.message}`;
    return new ZeroRlError('ERR_ZERO_RL_DATA', message, { cause });
  }
}
