/**
 * A scheduler of a policy: sequences join the running batch one by one and leave it as they end. Those submitted in one turn of
 * the event loop go to the engine together where they are drawn alike.
 */
import { checkInteger, invalidRange, invalidType, isZeroRlError } from '../errors';
import { Caller } from './caller';
import { checkSignal } from './engine-calls';
import { concatTokens, copyTokens, MAX_INT32 } from './numbers';
import { checkOptions } from './option-keys';
import {
  checkSampling,
  checkSpecialTokens,
  encodePrompt,
  packPrompts,
  SAMPLING_OPTIONS,
  type SampleContext,
  type SamplingSettings,
} from './sample-request';
import type { Sampler } from './sampler';
import type { Rollout, SamplingOptions } from './types';

/** Options of `Policy.open`. */
export interface OpenOptions extends SamplingOptions {
  /** Key of the randomness, a non-negative safe integer. Default 0. */
  seed?: number;
}

/**
 * What `Scheduler.submit` takes: what is gone on from, one of `prompt`, `tokens` and `parent`, keys of the randomness, and
 * sampling options in place of the scheduler's.
 */
export interface Submission extends SamplingOptions {
  /** Text; needs a tokenizer. */
  prompt?: string;
  /** Token ids. */
  tokens?: Int32Array | readonly number[];
  /**
   * A rollout to go on after: its prompt, its tokens (an end token included) and `append`, token by token, so that what the
   * engine still has of them is not computed again.
   */
  parent?: Pick<Rollout, 'promptTokens' | 'tokens'>;
  /** What follows the parent, such as the next turn of a dialogue: tokens, or a text that is encoded without special tokens. */
  append?: string | Int32Array | readonly number[];
  /** Default: how many submissions came before this one. */
  uid?: number;
  /** Default 0. With another number the completion that `Policy.sample` would give of this index. */
  sample?: number;
  signal?: AbortSignal;
}

const SUBMISSION_KEYS = [
  'prompt',
  'tokens',
  'parent',
  'append',
  'uid',
  'sample',
  'signal',
  ...SAMPLING_OPTIONS,
] as const satisfies readonly (keyof Submission)[];

/** A submission that waits for its rollout. */
interface Waiting {
  context: Int32Array;
  uid: number;
  resolve: (rollout: Rollout) => void;
  reject: (error: unknown) => void;
}

/** Sampling options, checked, and a text that only equal ones have. */
interface Drawing {
  settings: SamplingSettings;
  addSpecialTokens: boolean;
  key: string;
}

/** Submissions of one turn that are one request. */
interface Group {
  caller: Caller;
  settings: SamplingSettings;
  sample: number;
  signal: AbortSignal | undefined;
  members: Waiting[];
}

function drawing(options: SamplingOptions, context: SampleContext): Drawing {
  const settings = checkSampling(options, context);
  const { stopTokens, stopStrings, ...numbers } = settings;
  const key = JSON.stringify([numbers, String(stopTokens), stopStrings.map(String)]);
  return { settings, addSpecialTokens: checkSpecialTokens(options), key };
}

/** A scheduler of a {@link Policy}, which `Policy.open` makes. */
export class Scheduler implements Disposable {
  private readonly seed: number;
  private readonly defaults: SamplingOptions;
  private readonly usual: Drawing;
  private submitted = 0;
  private state: 'open' | 'closed' | 'disposed' = 'open';
  private groups = new Map<AbortSignal | undefined, Map<string, Group>>();
  private readonly aborts = new Set<() => void>();

  /** @internal */
  constructor(
    private readonly sampler: Sampler,
    options: OpenOptions | undefined,
  ) {
    const given = checkOptions('options', options, ['seed', ...SAMPLING_OPTIONS]);
    this.seed = checkInteger('seed', given.seed ?? 0, 0);
    this.defaults = { ...given };
    this.usual = drawing(given, sampler.context);
  }

  /**
   * One completion. It is a function of (seed, uid, sample) and of what it goes on from, whatever else is sampled: the token at
   * each position is drawn with the key (seed, uid, sample, position), positions counted from the first new token. So a
   * submission of a prompt with uid u and sample s gives what `Policy.sample` gives as sample s of that prompt with uid u, and
   * turns that go on after each other want uids of their own. An optimizer step or a change of weights waits for what was
   * submitted before it, and what is submitted after it waits for the change.
   * @throws TypeError or RangeError naming the argument; the signal's reason, or `ERR_ZERO_RL_ABORTED`, when aborted;
   *   `ERR_ZERO_RL_DISPOSED` after {@link close}
   */
  async submit(submission: Submission): Promise<Rollout> {
    this.checkOpen();
    const given = checkOptions('submission', submission, SUBMISSION_KEYS);
    const drawn = this.drawingOf(given);
    const context = this.contextOf(given, drawn.addSpecialTokens);
    const uid = checkInteger('uid', given.uid ?? this.submitted, 0);
    const sample = checkInteger('sample', given.sample ?? 0, 0, MAX_INT32 - 1);
    const signal = checkSignal(given.signal);
    this.submitted++;
    const { members } = this.groupOf(drawn, sample, signal);
    return new Promise((resolve, reject) => members.push({ context, uid, resolve, reject }));
  }

  /** Takes no more submissions; those that it has are sampled to their end. Idempotent. */
  close(): void {
    if (this.state === 'open') this.state = 'closed';
  }

  /** Closes, and aborts what is under way, which rejects with `ERR_ZERO_RL_ABORTED`. Idempotent. */
  dispose(): void {
    if (this.state === 'disposed') return;
    // What waits for the end of the turn is on its way as well.
    this.start();
    this.state = 'disposed';
    for (const abort of this.aborts) abort();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private checkOpen(): void {
    const { calls } = this.sampler;
    if (this.state === 'open' && calls.usable) return;
    const caller = new Caller();
    calls.checkUsable(caller);
    throw caller.error('ERR_ZERO_RL_DISPOSED', 'The scheduler was closed; open another with policy.open() to go on.');
  }

  private drawingOf(given: Submission): Drawing {
    const own = SAMPLING_OPTIONS.filter((key) => given[key] !== undefined);
    if (own.length === 0) return this.usual;
    const options = { ...this.defaults, ...Object.fromEntries(own.map((key) => [key, given[key]])) };
    return drawing(options, this.sampler.context);
  }

  private contextOf(given: Submission, addSpecialTokens: boolean): Int32Array {
    const { context } = this.sampler;
    const { prompt, tokens, parent, append } = given;
    const ways = (['prompt', 'tokens', 'parent'] as const).filter((key) => given[key] !== undefined);
    if (ways.length !== 1)
      throw invalidRange('submission', 'exactly one of prompt, tokens and parent', ways.join(', ') || given);
    if (append !== undefined && parent === undefined)
      throw invalidRange('append', 'nothing without a parent (put it in the prompt)', append);
    if (prompt !== undefined) {
      if (typeof prompt !== 'string') throw invalidType('prompt', 'string (token ids are given as tokens)', prompt);
      return encodePrompt('prompt', prompt, context, addSpecialTokens);
    }
    if (parent === undefined) {
      if (typeof tokens === 'string') throw invalidType('tokens', 'token ids (text is given as prompt)', tokens);
      return encodePrompt('tokens', tokens, context, addSpecialTokens);
    }
    if (typeof parent !== 'object' || (parent as unknown) === null) throw invalidType('parent', 'rollout', parent);
    const parts = (['promptTokens', 'tokens'] as const).map((key) =>
      copyTokens(`parent.${key}`, parent[key], context.vocabSize),
    );
    if (typeof append === 'string') {
      if (context.encode === null)
        throw invalidType('append', 'token ids (the model folder has no tokenizer.json)', append);
      parts.push(copyTokens('tokens of append', context.encode(append, false), context.vocabSize));
    } else if (append !== undefined) parts.push(copyTokens('append', append, context.vocabSize));
    return encodePrompt('context', concatTokens(parts), context, false);
  }

  private groupOf({ settings, key }: Drawing, sample: number, signal: AbortSignal | undefined): Group {
    if (this.groups.size === 0) this.sampler.calls.defer(() => this.start());
    let ofSignal = this.groups.get(signal);
    if (ofSignal === undefined) this.groups.set(signal, (ofSignal = new Map<string, Group>()));
    const place = `${sample} ${key}`;
    let group = ofSignal.get(place);
    if (group === undefined)
      ofSignal.set(place, (group = { caller: new Caller(), settings, sample, signal, members: [] }));
    return group;
  }

  /** Hands what has been submitted to the engine. */
  private start(): void {
    const { groups } = this;
    this.groups = new Map();
    for (const ofSignal of groups.values()) for (const group of ofSignal.values()) void this.run(group);
  }

  private async run({ caller, settings, sample, signal, members }: Group): Promise<void> {
    let stop: (() => void) | undefined;
    try {
      const request = {
        ...settings,
        ...packPrompts(
          members.map(({ context }) => context),
          settings.maxTokens,
          this.sampler.context,
        ),
        uids: Float64Array.from(members, ({ uid }) => uid),
        n: 1,
        firstSample: sample,
        seed: this.seed,
        maxBatch: 0,
      };
      const onRollouts = (rollouts: Rollout[]): void => {
        for (const rollout of rollouts) {
          const { resolve } = members[rollout.prompt];
          rollout.prompt = 0;
          resolve(rollout);
        }
      };
      await this.sampler.run(caller, request, signal, onRollouts, (abort) => {
        this.aborts.add((stop = abort));
        if (this.state === 'disposed') abort();
      });
    } catch (error) {
      const disposed =
        this.state === 'disposed' && !signal?.aborted && isZeroRlError(error) && error.code === 'ERR_ZERO_RL_ABORTED';
      const reason = disposed
        ? caller.error('ERR_ZERO_RL_ABORTED', 'The submission was aborted because its scheduler was disposed.', error)
        : error;
      for (const { reject } of members) reject(reason);
    } finally {
      if (stop) this.aborts.delete(stop);
    }
  }
}
