/** Episodes of several turns: masks, randomness, limits, and what of them reaches the reward, the estimator and the step. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rloo } from '../../../src/algorithms/rloo';
import type { EstimatorInput } from '../../../src/algorithms';
import type { Environment, Episode } from '../../../src/environments/environment';
import { PromptTooLong } from '../../../src/policy/sample-request';
import type { Completion, SampleOptions, TrainingSequence } from '../../../src/policy/types';
import type { RewardSample } from '../../../src/rewards';
import type { TrainConfigInput } from '../../../src/training/config';
import { playEpisodes } from '../../../src/training/play-episodes';
import { readRows, type SampleRow } from '../../../src/training/run-folder';
import { train } from '../../../src/training/train';
import { firstUid } from '../../../src/training/uids';
import type { TrainEvent } from '../../../src/training/train-event';
import { BanditPolicy } from '../../support/bandit-policy';

const codes = (text: string): Int32Array => Int32Array.from(text, (character) => character.charCodeAt(0));
const textOf = (tokens: ArrayLike<number>): string => String.fromCharCode(...Array.from(tokens));
const CONTEXT = 60;

/** Writes what `write` makes of the text so far; tokens are character codes and log-probs their negative thousandths. */
class ScriptedPolicy extends BanditPolicy {
  override readonly tokenizer = { decode: textOf };
  calls: { texts: string[]; options: SampleOptions }[] = [];
  trained: readonly TrainingSequence[][] = [];

  constructor(private readonly write: (text: string, sample: number) => string) {
    super();
  }

  override encodePrompt(prompt: unknown): Int32Array {
    const tokens = typeof prompt === 'string' ? codes(prompt) : (prompt as Int32Array);
    if (tokens.length >= CONTEXT) throw new PromptTooLong('Expected a shorter prompt');
    return tokens;
  }

  override sample(prompts: readonly unknown[], options: SampleOptions = {}): Promise<Completion[]> {
    const texts = (prompts as Int32Array[]).map(textOf);
    this.calls.push({ texts, options });
    return Promise.resolve(
      texts.flatMap((text, prompt) =>
        Array.from({ length: options.n ?? 1 }, (_, sample): Completion => {
          const written = this.write(text, sample);
          const tokens = codes(written);
          const finishReason = written.endsWith('~') ? 'length' : 'stop';
          return { prompt, sample, tokens, logProbs: Float32Array.from(tokens, (code) => -code / 1000), finishReason };
        }),
      ),
    );
  }

  override step(sequences: readonly TrainingSequence[]): ReturnType<BanditPolicy['step']> {
    this.trained = [...this.trained, [...sequences]];
    return Promise.resolve({
      loss: 0,
      gradNorm: 1,
      entropy: 1,
      tokens: 1,
      measuredTokens: 1,
      totalTokens: 1,
      applied: true,
      kl: 0,
      logProbDifference: 0,
      clipFraction: 0,
      microBatches: 1,
      seconds: 0,
    });
  }

  override logProbs(
    sequences: readonly { tokens: ArrayLike<number>; promptLength: number }[],
  ): Promise<Float32Array[]> {
    return Promise.resolve(
      sequences.map(({ tokens, promptLength }) => new Float32Array(tokens.length - promptLength).fill(-0.5)),
    );
  }
}

/** Asks for 6*7, is told 42 and states it. */
const calculator = new ScriptedPolicy((text) => (text.includes('=42;') ? '\\boxed{42}' : 'calc(6*7)'));
const tool: Environment = {
  respond: ({ turns }) => (turns.at(-1)?.text.startsWith('calc') ? '=42;' : null),
};
const prompt = (text: string, uid: number) => ({
  problem: { id: text, problem: text, answer: '42' },
  text,
  tokens: codes(text),
  uid,
});
const limits = { maxTurns: 4, timeoutSeconds: 30 };
const warnings: string[] = [];
const warn = (message: string): void => void warnings.push(message);
const play = (
  policy: ScriptedPolicy,
  environment: Environment,
  n = 2,
  more: Partial<typeof limits> & { uid?: number; signal?: AbortSignal } = {},
) => {
  const { uid = 0, signal, ...changes } = more;
  const given = { environment, name: 'environment', warn, ...limits, ...changes };
  return playEpisodes(policy, [prompt('P', uid), prompt('Q', uid + 5)], { n, signal }, given);
};

beforeEach(() => {
  calculator.calls = [];
  calculator.trained = [];
  warnings.length = 0;
});

describe('an episode', () => {
  test("kept tokens of truncated turns are joined, the environment's count as drawn from all", async () => {
    class Truncated extends ScriptedPolicy {
      override async sample(prompts: readonly unknown[], options: SampleOptions = {}): Promise<Completion[]> {
        return (await super.sample(prompts, options)).map((rollout) => ({
          ...rollout,
          logMass: new Float32Array(rollout.tokens.length).fill(-0.25),
          keptTokens: Uint8Array.from(rollout.tokens, (code) => code).map((code, i) => (i === 0 ? 3 : code)),
        }));
      }
    }
    const policy = new Truncated((text) => (text.includes('=') ? 'end' : 'go'));
    const prompt = { problem: { id: '1', question: '', answer: '' }, text: 'q', tokens: codes('q'), uid: 0 };
    const [episode] = await playEpisodes(
      policy,
      [prompt as never],
      {},
      {
        environment: { respond: ({ turns }) => (turns.length === 1 ? '=1;' : null) },
        name: 'environment',
        warn: () => undefined,
        maxTurns: 3,
        timeoutSeconds: 5,
      },
    );
    expect(textOf(episode.tokens)).toBe('go=1;end');
    expect([...episode.logMass!]).toEqual([-0.25, -0.25, 0, 0, 0, -0.25, -0.25, -0.25]);
    const [o, n, d] = codes('ond');
    expect([...episode.keptTokens!]).toEqual([3, o, 0, 0, 0, 3, n, d]);
  });

  test('is one sequence in which the environment has mask 0 and log-prob 0', async () => {
    const [first] = await play(calculator, tool);
    expect(textOf(first.tokens)).toBe('calc(6*7)=42;\\boxed{42}');
    expect(Array.from(first.mask!).join('')).toBe('1'.repeat(9) + '0'.repeat(4) + '1'.repeat(10));
    expect(Array.from(first.logProbs)).toEqual(
      Array.from(codes('calc(6*7)\0\0\0\0\\boxed{42}'), (code) => Math.fround(-code / 1000)).map((value) => value + 0),
    );
    expect(first.turns).toEqual([
      { from: 'policy', text: 'calc(6*7)' },
      { from: 'environment', text: '=42;' },
      { from: 'policy', text: '\\boxed{42}' },
    ]);
  });

  test('keeps the order, and has randomness of its own in every turn', async () => {
    const rollouts = await play(calculator, tool);
    expect(rollouts.map(({ prompt: index, sample }) => [index, sample])).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    const [first, second] = calculator.calls;
    expect(first.options.uids).toEqual([0, 5]);
    expect(second.texts).toEqual(['Pcalc(6*7)=42;', 'Pcalc(6*7)=42;', 'Qcalc(6*7)=42;', 'Qcalc(6*7)=42;']);
    expect(second.options.n).toBe(1);
    const uids = second.options.uids!;
    expect(new Set(uids).size).toBe(4);
    expect(uids.every((uid) => Number.isSafeInteger(uid) && uid > 2 ** 51)).toBe(true);
  });

  test.each(Object.entries(firstUid))('has it with 512 samples of 64 turns in the %s', async (_, uid) => {
    const policy = new ScriptedPolicy(() => 'calc');
    const rollouts = await play(policy, { respond: () => '=' }, 512, { maxTurns: 3, uid });
    expect(rollouts).toHaveLength(1024);
    const uids = policy.calls.flatMap(({ options }) => options.uids!);
    expect(new Set(uids).size).toBe(uids.length);
    expect(uids.every(Number.isSafeInteger)).toBe(true);
  });

  test('of one turn is a plain completion', async () => {
    const [first] = await play(calculator, { respond: () => null });
    expect(first).toEqual({
      prompt: 0,
      sample: 0,
      tokens: codes('calc(6*7)'),
      logProbs: expect.any(Float32Array),
      finishReason: 'stop',
    });
  });

  test('ends after the turns that are allowed, without an answer that no turn follows', async () => {
    const always = await play(calculator, { respond: () => '!' }, 1, { maxTurns: 2 });
    expect(textOf(always[0].tokens)).toBe('calc(6*7)!calc(6*7)');
    const once = await play(calculator, { respond: () => '!' }, 1, { maxTurns: 1 });
    expect(textOf(once[0].tokens)).toBe('calc(6*7)');
  });

  test('ends where the context is full, or a turn is cut off', async () => {
    const [full] = await play(calculator, { respond: () => 'x'.repeat(25) }, 1, { maxTurns: 10 });
    expect(full.finishReason).toBe('length');
    expect(textOf(full.tokens)).toBe(`calc(6*7)${'x'.repeat(25)}calc(6*7)`);
    const [huge] = await play(calculator, { respond: () => 'x'.repeat(2 * CONTEXT) }, 1);
    expect(huge).toMatchObject({ finishReason: 'length', tokens: codes('calc(6*7)') });
    const cut = new ScriptedPolicy(() => 'so~');
    expect((await play(cut, { respond: () => 'x' }))[0]).toMatchObject({
      finishReason: 'length',
      tokens: codes('so~'),
    });
    expect(cut.calls).toHaveLength(1);
  });

  test('may go on while another is over', async () => {
    const policy = new ScriptedPolicy((text, sample) => (text.includes('=') ? 'done' : sample === 0 ? 'calc' : 'stop'));
    const rollouts = await play(policy, tool);
    expect(rollouts.map(({ tokens }) => textOf(tokens))).toEqual(['calc=42;done', 'stop', 'calc=42;done', 'stop']);
  });
});

describe('an environment', () => {
  test('sees the problem, the prompt and the turns, which it cannot change', async () => {
    const seen: Episode[] = [];
    await play(calculator, {
      respond: async (episode) => {
        seen.push(structuredClone(episode));
        (episode.turns as unknown[]).length = 0;
        await Promise.resolve();
        return seen.length <= 4 ? '=42;' : null;
      },
    });
    expect(seen).toHaveLength(8);
    expect(seen[7]).toMatchObject({
      problem: { id: 'Q' },
      prompt: 'Q',
      sample: 1,
      turns: [{ from: 'policy' }, { from: 'environment' }, { from: 'policy', text: '\\boxed{42}' }],
    });
  });

  test('that does not answer in time leaves its episode out', async () => {
    const slow: Environment = { respond: ({ sample }) => (sample === 1 ? new Promise(() => undefined) : null) };
    const rollouts = await play(calculator, slow, 2, { timeoutSeconds: 0.05 });
    expect(rollouts.map(({ failure }) => failure)).toEqual([undefined, 'timeout', undefined, 'timeout']);
    expect(warnings).toEqual([
      'The environment did not answer within 0.05 s on sample 1 of prompt "P" and 1 more, which are left out',
    ]);
  });

  test('hears that its time is up, and may have more of it than a timer can count', async () => {
    let heard = 0;
    const waits: Environment['respond'] = (_, signal) =>
      new Promise((resolve, reject) => {
        signal!.addEventListener('abort', () => {
          heard++;
          reject(signal!.reason as Error);
        });
        setImmediate(() => resolve(null));
      });
    const [late] = await play(calculator, { respond: waits }, 1, { timeoutSeconds: 1e7 });
    expect(late.failure).toBeUndefined();
    expect(heard).toBe(0);
    const forEver: Environment['respond'] = (_, signal) =>
      new Promise((__, reject) =>
        signal!.addEventListener('abort', () => {
          heard++;
          reject(signal!.reason as Error);
        }),
      );
    await play(calculator, { respond: forEver }, 1, { timeoutSeconds: 0.01 });
    expect(heard).toBe(2);
  });

  test('that is waited for does not hold up a stop', async () => {
    const controller = new AbortController();
    const signals: AbortSignal[] = [];
    const respond: Environment['respond'] = (_, signal) => {
      signals.push(signal!);
      if (signals.length === 4) controller.abort(new Error('enough'));
      return new Promise(() => undefined);
    };
    await expect(play(calculator, { respond }, 2, { signal: controller.signal })).rejects.toThrow('enough');
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
  });

  test.each<[Environment['respond'], string]>([
    [() => Promise.reject(new Error('no tool')), 'The environment threw on sample 0 of prompt "P": no tool'],
    [() => '', 'The environment answered sample 0 of prompt "P" with an empty text'],
    [() => 42 as unknown as string, 'with number: return a text, or null'],
    [() => undefined as unknown as null, 'sample 0 of prompt "P" with nothing (does its respond lack a return?)'],
    [() => Promise.resolve(undefined as unknown as null), 'with nothing (does its respond lack a return?)'],
  ])('that fails is one error which names the sample', async (respond, message) => {
    await expect(play(calculator, { respond })).rejects.toMatchObject({
      code: 'ERR_ZERO_RL_DATA',
      message: expect.stringContaining(message),
    });
  });
});

describe('a run', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'zero-rl-turns-'));
  writeFileSync(join(scratch, 'rows.jsonl'), '{"problem":"P","answer":"42"}\n{"problem":"Q","answer":"41"}\n');
  const code = join(scratch, 'tool.mjs');
  writeFileSync(
    code,
    "export const tool = () => ({ respond: ({ turns }) => (turns.at(-1).text.startsWith('calc') ? '=42;' : null) }); export const none = {};",
  );
  const config: TrainConfigInput = {
    model: scratch,
    data: { train: join(scratch, 'rows.jsonl') },
    rollout: { promptsPerStep: 2, samplesPerPrompt: 2, maxTokens: 20 },
    kl: { initCoefficient: 0.1 },
    steps: 1,
    output: join(scratch, 'runs'),
  };
  const run = async (changes: Partial<TrainConfigInput>, options: Parameters<typeof train>[1] = {}) => {
    let folder = '';
    const onEvent = (event: TrainEvent): void => {
      if (event.type === 'start') folder = event.folder;
    };
    const steps = train(
      { ...config, ...changes },
      { loadPolicy: () => Promise.resolve(calculator), onEvent, ...options },
    );
    for await (const step of steps) return { step, folder };
    throw new Error('no step');
  };

  test('trains on the tokens of the policy alone, and pays only what it wrote', async () => {
    const inputs: EstimatorInput[] = [];
    const rewarded: RewardSample[] = [];
    const { step, folder } = await run(
      {},
      {
        environment: tool,
        estimator: (input, options) => {
          inputs.push(input);
          return rloo(input, options);
        },
        reward: (sample) => {
          rewarded.push(sample);
          return { reward: rewarded.length % 2, correct: true };
        },
      },
    );
    const mask = '1'.repeat(9) + '0'.repeat(4) + '1'.repeat(10);
    expect(rewarded[0].completion).toBe('calc(6*7)\n\\boxed{42}');
    expect(textOf(rewarded[0].tokens)).toBe('calc(6*7)\\boxed{42}');
    expect(rewarded[0].turns).toHaveLength(3);
    expect(inputs[0].mask!.map((row) => Array.from(row).join(''))).toEqual(Array.from({ length: 4 }, () => mask));
    expect(inputs[0].kl!.every((row) => Array.from(row.slice(9, 13)).every((value) => value === 0))).toBe(true);
    const [trained] = calculator.trained;
    expect(trained).toHaveLength(4);
    for (const { mask: row, advantages, tokens, promptLength } of trained) {
      expect(Array.from(row!).join('')).toBe(mask);
      expect(tokens.length - promptLength).toBe(23);
      expect(Array.from((advantages as Float32Array).slice(9, 13))).toEqual([0, 0, 0, 0]);
    }
    expect(step).toMatchObject({ responseLength: 19, usableTokens: 4 * 19, sampledTokens: 4 * 19 });
    const rows = readRows<SampleRow>(join(folder, 'rollouts', 'step-000001.jsonl'));
    expect(rows[0]).toMatchObject({ completion: 'calc(6*7)=42;\\boxed{42}', length: 19 });
    const sums = trained.map(({ advantages }) => (advantages as Float32Array).reduce((sum, value) => sum + value));
    rows.forEach(({ advantage }, i) => expect(advantage).toBeCloseTo(sums[i] / 19, 6));
  });

  test('what a tool writes counts in no length and no repetition', async () => {
    const talkative: Environment = { respond: ({ turns }) => (turns.length < 2 ? '1+1=2;'.repeat(6) : null) };
    const policy = new ScriptedPolicy((text) => (text.includes('=2;') ? 'so 2' : 'calc'));
    // Penalised from 11 tokens on; the policy writes 8.
    const reward: TrainConfigInput['reward'] = ['math', { name: 'length', maxTokens: 20, buffer: 10 }];
    const options = { environment: talkative, loadPolicy: () => Promise.resolve(policy) };
    const { step, folder } = await run({ reward, rollouts: { prompts: 2 } }, options);
    expect(step).toMatchObject({ repetition: 0, responseLength: 8, rewardParts: { length: 0 } });
    const rows = readRows<SampleRow>(join(folder, 'rollouts', 'step-000001.jsonl'));
    expect(rows.map(({ reason, length }) => [reason, length])).toEqual(
      rows.map(() => ['wrong-format+right-length', 8]),
    );
  });

  test('takes an environment from user code, with its limits', async () => {
    const { step } = await run({ environment: { code: `${code}#tool`, maxTurns: 1 } });
    expect(step.responseLength).toBe(9);
    expect((await run({ environment: `${code}#tool` })).step).toMatchObject({ responseLength: 19, accuracy: 0.5 });
  });

  test('names the environment, the problem and the sample where it fails', async () => {
    const failing = join(scratch, 'failing.mjs');
    writeFileSync(
      failing,
      [
        "export const throws = { respond: () => { throw new Error('tool failed'); } };",
        "export const making = () => { throw new Error('no key'); };",
        "export const prompting = { respond: () => null, prompt: () => { throw new Error('no row'); } };",
        'export const textless = { respond: () => null, prompt: async () => "later" };',
        'export const slow = { respond: () => new Promise(() => undefined) };',
      ].join('\n'),
    );
    const fails = async (name: string, message: string): Promise<void> => {
      const environment = { code: `${failing}#${name}`, timeoutSeconds: 0.02 };
      await expect(run({ environment, preview: { prompts: 0 } })).rejects.toMatchObject({
        code: 'ERR_ZERO_RL_DATA',
        message: expect.stringContaining(message),
      });
    };
    await fails('throws', `The environment ${failing}#throws threw on sample 0 of prompt "`);
    await fails('making', `The environment ${failing}#making threw while it was made: no key`);
    await fails('prompting', `The prompt of the environment ${failing}#prompting threw on problem "`);
    await fails('textless', `The prompt of the environment ${failing}#textless gave no text for problem "`);
    await fails('slow', 'The environment did not answer in time in any of 4 episodes');
  });

  test('refuses what is no environment', async () => {
    await expect(run({ environment: `${code}#none` })).rejects.toMatchObject({
      code: 'ERR_ZERO_RL_CONFIG',
      message: expect.stringContaining('object with a function respond'),
    });
    await expect(run({ environment: { maxTurns: 2 } })).rejects.toThrow('set environment.code');
    await expect(run({ environment: { code: 'tool' } })).rejects.toThrow(
      './my.mjs#name for environment.code but received "tool"',
    );
  });
});
