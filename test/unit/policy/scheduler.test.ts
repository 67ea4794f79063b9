/** Submissions: which requests they become, what each is given back, how they end, and the sentences for what is wrong. */
import type { AbortFlag, NativeModel, NativeRollout, NativeSampleRequest } from '../../../binding/native';
import type { ModelConfig } from '../../../src';
import { Caller } from '../../../src/policy/caller';
import { EngineCalls } from '../../../src/policy/engine-calls';
import { Sampler } from '../../../src/policy/sampler';
import { Scheduler, type OpenOptions, type Submission } from '../../../src/policy/scheduler';
import type { Tokenizer } from '../../../src/policy/tokenizer';

const config = { vocabSize: 100, maxPositions: 20 } as ModelConfig;
const END = 9;
/** One character a token: its digit; the end token is special. */
const tokenizer = {
  encode: (text: string, { addSpecialTokens = true } = {}) =>
    Int32Array.from([...(addSpecialTokens ? [50] : []), ...Array.from(text, Number)]),
  decode: (ids: ArrayLike<number>) => Array.from(ids).join(''),
} as unknown as Tokenizer;

interface Flag {
  aborted: boolean;
  abort: () => void;
  onAbort: () => void;
}

const newFlag = (): unknown => ({
  aborted: false,
  onAbort: () => undefined,
  abort(this: Flag) {
    this.aborted = true;
    this.onAbort();
  },
});

interface Call {
  request: NativeSampleRequest;
  /** Gives the completion of a prompt. */
  complete: (prompt: number) => void;
  finish: () => void;
  fail: (error: Error) => void;
}

/** An engine that does what the test says. */
class Engine {
  readonly calls: Call[] = [];
  readonly model = {
    setTokenBytes: () => undefined,
    sample: (request: NativeSampleRequest, onRollouts: (rollouts: NativeRollout[]) => void, flag: Flag) =>
      new Promise((resolve, reject) => {
        const complete = (prompt: number): void =>
          onRollouts([
            {
              prompt,
              sample: request.firstSample,
              tokens: Int32Array.of(request.uids[prompt], 3, END),
              logProbs: new Float32Array(3),
              entropies: new Float32Array(3),
              finishReason: 'stop',
            },
          ]);
        const abort = (): void => reject(Object.assign(new Error('aborted'), { code: 'ERR_ZERO_RL_ABORTED' }));
        flag.onAbort = abort;
        if (flag.aborted) abort();
        this.calls.push({ request, complete, finish: () => resolve({}), fail: reject });
      }),
  } as unknown as NativeModel;
}

function open(options?: OpenOptions, withText: Tokenizer | null = tokenizer) {
  const engine = new Engine();
  const calls = new EngineCalls(newFlag as () => AbortFlag);
  const scheduler = new Scheduler(new Sampler(engine.model, calls, withText, config, [END]), options);
  return { engine, calls, scheduler };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const plain = (values: ArrayLike<number>) => Array.from(values);

describe('requests', () => {
  test('submissions of one turn that are drawn alike are one request, each with its own uid; defaults are of the scheduler', async () => {
    const { engine, scheduler } = open({ seed: 3, temperature: 0.5, maxTokens: 4 });
    const pending = [
      scheduler.submit({ tokens: [1, 2] }),
      scheduler.submit({ prompt: '34' }),
      scheduler.submit({ tokens: [5], uid: 77 }),
    ];
    expect(engine.calls).toHaveLength(0);
    await turn();
    expect(engine.calls).toHaveLength(1);
    const [{ request, complete, finish }] = engine.calls;
    expect(plain(request.tokens)).toEqual([1, 2, 50, 3, 4, 5]);
    expect(plain(request.offsets)).toEqual([0, 2, 5, 6]);
    expect(plain(request.uids)).toEqual([0, 1, 77]);
    expect(plain(request.stopTokens)).toEqual([END]);
    expect(request).toMatchObject({
      n: 1,
      firstSample: 0,
      seed: 3,
      temperature: 0.5,
      maxTokens: 4,
      priority: 'normal',
    });

    // Each as soon as it is done, whatever the others do.
    complete(1);
    const rollout = await pending[1];
    expect(rollout).toMatchObject({ prompt: 0, sample: 0, finishReason: 'stop', text: '13' });
    expect(plain(rollout.promptTokens)).toEqual([50, 3, 4]);
    expect(plain(rollout.tokens)).toEqual([1, 3, END]);
    complete(0);
    complete(2);
    finish();
    await Promise.all(pending);
    // The default uid counts what was submitted, with or without a uid of its own.
    const later = scheduler.submit({ tokens: [1] });
    await turn();
    expect(plain(engine.calls[1].request.uids)).toEqual([3]);
    engine.calls[1].complete(0);
    await later;
  });

  test('what is drawn otherwise, at another priority or under another signal is another request', async () => {
    const { engine, scheduler } = open();
    const signal = new AbortController().signal;
    const submissions: Submission[] = [
      {},
      { temperature: 0.5 },
      { sample: 2 },
      { priority: 'low' },
      { stopTokens: [1] },
      { stopStrings: ['1'] },
      { stopStrings: ['2'] },
      { maxTokens: 3 },
      { signal },
      { signal: new AbortController().signal },
      { sample: 2 },
      { signal },
      // What says nothing leaves the default.
      { temperature: undefined, signal: undefined },
    ];
    const pending = submissions.map((given) => scheduler.submit({ tokens: [1], ...given }));
    await turn();
    expect(engine.calls.map(({ request }) => plain(request.uids))).toEqual(
      expect.arrayContaining([[0, 12], [1], [2, 10], [3], [4], [5], [6], [7], [8, 11], [9]]),
    );
    expect(engine.calls).toHaveLength(10);
    for (const { request, complete, finish } of engine.calls) {
      request.uids.forEach((_, i) => complete(i));
      finish();
    }
    expect((await Promise.all(pending)).map(({ sample }) => sample)).toEqual([0, 0, 2, ...Array(7).fill(0), 2, 0, 0]);
  });

  test('a call of the policy comes after what was submitted before it in the same turn', async () => {
    const { engine, calls, scheduler } = open();
    const pending = scheduler.submit({ tokens: [1] });
    const order: number[] = [];
    const step = calls.run(new Caller(), undefined, () => Promise.resolve(order.push(engine.calls.length)));
    await step;
    expect(order).toEqual([1]);
    engine.calls[0].complete(0);
    await pending;
    await turn();
    expect(engine.calls).toHaveLength(1);
  });

  test("a child goes on after its parent's prompt and tokens, and what is appended, token by token", async () => {
    const { engine, scheduler } = open();
    const first = scheduler.submit({ prompt: '12' });
    await turn();
    engine.calls[0].complete(0);
    const parent = await first;
    const children = [
      scheduler.submit({ parent }),
      scheduler.submit({ parent, append: '78' }),
      scheduler.submit({ parent, append: Int32Array.of(80) }),
    ];
    await turn();
    const { request, complete } = engine.calls[1];
    const context = [50, 1, 2, 0, 3, END];
    expect(plain(request.tokens)).toEqual([...context, ...context, 7, 8, ...context, 80]);
    [0, 1, 2].forEach(complete);
    const [, child] = await Promise.all(children);
    const grandchild = scheduler.submit({ parent: child, append: [4] });
    await turn();
    expect(plain(engine.calls[2].request.tokens)).toEqual([...context, 7, 8, 2, 3, END, 4]);
    engine.calls[2].complete(0);
    await grandchild;
  });

  test('arrays are copied at the call', async () => {
    const { engine, scheduler } = open();
    const tokens = Int32Array.of(1, 2);
    const pending = scheduler.submit({ tokens });
    tokens.fill(0);
    await turn();
    expect(plain(engine.calls[0].request.tokens)).toEqual([1, 2]);
    engine.calls[0].complete(0);
    await pending;
  });
});

describe('ends', () => {
  test('a signal aborts the requests under it alone, with its reason, and those of a turn that it ended already', async () => {
    const { engine, scheduler } = open();
    const [own, plainly, reason] = [new AbortController(), new AbortController(), new Error('enough')];
    const aborted = scheduler.submit({ tokens: [1], signal: own.signal });
    const also = scheduler.submit({ tokens: [1], signal: plainly.signal });
    const other = scheduler.submit({ tokens: [2] });
    await turn();
    own.abort(reason);
    plainly.abort();
    await expect(aborted).rejects.toBe(reason);
    await expect(also).rejects.toMatchObject({ code: 'ERR_ZERO_RL_ABORTED' });
    await expect(scheduler.submit({ tokens: [1], signal: own.signal })).rejects.toBe(reason);
    expect(engine.calls).toHaveLength(3);
    engine.calls[2].complete(0);
    await expect(other).resolves.toMatchObject({ finishReason: 'stop' });
  });

  test('close takes no more and lets the rest end', async () => {
    const { engine, scheduler } = open();
    const started = scheduler.submit({ tokens: [1] });
    await turn();
    const waiting = scheduler.submit({ tokens: [2] });
    scheduler.close();
    scheduler.close();
    await expect(scheduler.submit({ tokens: [3] })).rejects.toMatchObject({ code: 'ERR_ZERO_RL_DISPOSED' });
    await turn();
    engine.calls.forEach(({ complete }) => complete(0));
    await expect(Promise.all([started, waiting])).resolves.toHaveLength(2);
  });

  test('dispose aborts what is under way, also what waits for the end of the turn; what is done stays', async () => {
    const { engine, scheduler } = open();
    const done = scheduler.submit({ tokens: [1] });
    const started = scheduler.submit({ tokens: [1] });
    await turn();
    engine.calls[0].complete(0);
    const waiting = scheduler.submit({ tokens: [2] });
    scheduler[Symbol.dispose]();
    for (const pending of [started, waiting])
      await expect(pending).rejects.toMatchObject({
        code: 'ERR_ZERO_RL_ABORTED',
        message: 'The submission was aborted because its scheduler was disposed.',
      });
    await expect(done).resolves.toMatchObject({ sample: 0 });
    await expect(scheduler.submit({ tokens: [3] })).rejects.toMatchObject({ code: 'ERR_ZERO_RL_DISPOSED' });
    scheduler.dispose();
  });

  test('with its policy: what is under way is aborted, and nothing is taken any more', async () => {
    const { calls, scheduler } = open();
    const started = scheduler.submit({ tokens: [1] });
    await turn();
    const waiting = scheduler.submit({ tokens: [2] });
    calls.dispose();
    for (const pending of [started, waiting])
      await expect(pending).rejects.toMatchObject({ code: 'ERR_ZERO_RL_ABORTED' });
    await expect(scheduler.submit({ tokens: [3] })).rejects.toMatchObject({ code: 'ERR_ZERO_RL_DISPOSED' });
  });

  test('a failure of the engine rejects those without a completion', async () => {
    const { engine, scheduler } = open();
    const pending = [scheduler.submit({ tokens: [1] }), scheduler.submit({ tokens: [2] })];
    await turn();
    engine.calls[0].complete(1);
    engine.calls[0].fail(Object.assign(new Error('no memory'), { code: 'ERR_ZERO_RL_OUT_OF_MEMORY' }));
    await expect(pending[0]).rejects.toMatchObject({ code: 'ERR_ZERO_RL_OUT_OF_MEMORY', message: 'no memory' });
    await expect(pending[1]).resolves.toMatchObject({ finishReason: 'stop' });
  });
});

describe('arguments', () => {
  const parent = { promptTokens: Int32Array.of(1), tokens: Int32Array.of(2) };
  const long = Array.from({ length: 20 }, () => 1);
  const wrong: [string, unknown, typeof TypeError, string][] = [
    ['nothing', undefined, RangeError, 'exactly one of prompt, tokens and parent for submission'],
    ['null', null, TypeError, 'object for submission'],
    ['no start', { maxTokens: 3 }, RangeError, 'exactly one of prompt, tokens and parent for submission'],
    ['two starts', { prompt: '1', tokens: [1] }, RangeError, 'for submission but received "prompt, tokens"'],
    ['tokens as prompt', { prompt: [1] }, TypeError, 'string (token ids are given as tokens) for prompt'],
    ['text as tokens', { tokens: '1' }, TypeError, 'token ids (text is given as prompt) for tokens'],
    ['append without a parent', { tokens: [1], append: [2] }, RangeError, 'nothing without a parent'],
    ['a parent that is none', { parent: 3 }, TypeError, 'rollout for parent'],
    ['a parent without its prompt', { parent: { tokens: [1] } }, TypeError, 'for parent.promptTokens'],
    ['a parent of another vocabulary', { parent: { ...parent, tokens: [100] } }, RangeError, 'parent.tokens[0]'],
    ['an append that is neither', { parent, append: 3 }, TypeError, 'for append'],
    ['a context without room', { parent, append: long }, RangeError, 'for context.length but received 22'],
    ['an empty prompt', { tokens: [] }, RangeError, 'at least one token for tokens'],
    ['an unknown key', { tokens: [1], maxToken: 3 }, RangeError, 'did you mean "maxTokens"?'],
    ['a seed of its own', { tokens: [1], seed: 3 }, RangeError, 'for submission'],
    ['a negative uid', { tokens: [1], uid: -1 }, RangeError, 'for uid'],
    ['a fractional sample', { tokens: [1], sample: 0.5 }, RangeError, 'for sample'],
    ['a priority that is none', { tokens: [1], priority: 'high' }, RangeError, '"normal", "low" for priority'],
    ['a signal that is none', { tokens: [1], signal: {} }, TypeError, 'AbortSignal for signal'],
    ['a temperature below 0', { tokens: [1], temperature: -1 }, RangeError, 'for temperature'],
  ];
  test.each(wrong)('%s', async (_, given, type, says) => {
    const { engine, scheduler } = open();
    const failure: unknown = await scheduler.submit(given as Submission).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(type);
    expect((failure as Error).message).toContain(says);
    expect((failure as Error).message).toMatch(/^Expected .* for .* but received .*$/);
    // What was refused has no place among the uids, and is no work.
    const next = scheduler.submit({ tokens: [1] });
    await turn();
    expect(engine.calls.map(({ request }) => plain(request.uids))).toEqual([[0]]);
    engine.calls[0].complete(0);
    await next;
  });

  test('options of open', () => {
    expect(() => open({ seed: -1 })).toThrow(RangeError);
    expect(() => open({ temperature: -1 })).toThrow('for temperature');
    expect(() => open({ uid: 1 } as OpenOptions)).toThrow('for options');
  });

  test('text needs a tokenizer', async () => {
    const { scheduler } = open({}, null);
    await expect(scheduler.submit({ prompt: '1' })).rejects.toThrow(
      'token ids (the model folder has no tokenizer.json)',
    );
    await expect(scheduler.submit({ parent, append: '1' })).rejects.toThrow(
      'token ids (the model folder has no tokenizer.json) for append',
    );
    expect(() => open({ stopStrings: ['1'] }, null)).toThrow('stopStrings');
  });
});
