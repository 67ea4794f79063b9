/** A suite is a training config: what `train` takes, `zero-rl eval` takes, in the same sense. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { compareResults, evaluateModel, readSuites, type EvaluateModelOptions } from '../../../src/evaluation/suite';
import type { JsonObject } from '../../../src/json-object';
import type { PolicyOptions, SampleOptions } from '../../../src/policy/types';
import { configSchema, type TrainConfigInput } from '../../../src/training/config';
import { resolveConfig } from '../../../src/training/load-config';
import { BanditPolicy } from '../../support/bandit-policy';
import { commitOf, startFakeHub } from '../../support/fake-hub';

const folder = mkdtempSync(join(tmpdir(), 'zero-rl-suite-'));
afterAll(() => rmSync(folder, { recursive: true }));
const model = join(folder, 'model');
const nowhere = join(folder, 'nowhere');
mkdirSync(model);
const rowsFile = (name: string, count: number): string => {
  const rows = Array.from({ length: count }, (_, i) =>
    JSON.stringify({ id: `${name}${i}`, problem: `${i}`, answer: '2' }),
  );
  writeFileSync(join(folder, `${name}.jsonl`), rows.join('\n'));
  return join(folder, `${name}.jsonl`);
};
const [held, others] = [rowsFile('held', 4), rowsFile('others', 3)];
writeFileSync(
  join(folder, 'code.mjs'),
  `export const twice = { respond: ({ turns }) => (turns.length < 2 ? ' and ' : null) };
export const half = () => ({ reward: 0.5, correct: true });`,
);
const code = (name: string): string => `${join(folder, 'code.mjs')}#${name}`;

let files = 0;
const suiteFile = (content: object): string => {
  const file = join(folder, `suite-${files++}.yaml`);
  writeFileSync(file, JSON.stringify(content));
  return file;
};

/** Takes later turns, whose prompts are tokens. */
class PlayingPolicy extends BanditPolicy {
  override encodePrompt(prompt: unknown): Int32Array {
    return prompt instanceof Int32Array ? prompt : super.encodePrompt(prompt);
  }
}

interface Seen {
  loaded: [string, PolicyOptions][];
  sampled: { prompts: number; options: SampleOptions }[];
  results: unknown;
}

/** What an evaluation asks of the policy and what comes out. */
async function observe(content: object, options: EvaluateModelOptions & { model?: string } = {}): Promise<Seen> {
  const policies: BanditPolicy[] = [];
  const loaded: Seen['loaded'] = [];
  const results = await evaluateModel(options.model ?? model, readSuites(suiteFile(content)), {
    loadPolicy: (directory, engine) => {
      loaded.push([directory, engine]);
      const policy = new PlayingPolicy();
      policies.push(policy);
      return Promise.resolve(policy);
    },
    ...options,
  });
  expect(policies.every(({ disposed }) => disposed)).toBe(true);
  const rows = results.map(({ suite, evaluation, samples }) => ({
    suite,
    ...evaluation,
    seconds: 0,
    samples: samples.map(({ prompt: { text }, completion, score }) => ({ text, completion, score })),
  }));
  return { loaded, sampled: policies.flatMap(({ sampleCalls }) => sampleCalls), results: rows };
}

const base = { name: 'base', data: { evaluation: held }, evaluation: { problems: 4, samples: 4 } };

/** Keys of a section that the schema knows; sections that are off by default are looked into as well. */
function keysOf(schema: z.core.JSONSchema.BaseSchema): Record<string, z.core.JSONSchema.BaseSchema> {
  const branches = [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  return Object.assign({}, ...branches.map(({ properties }) => properties ?? {})) as ReturnType<typeof keysOf>;
}

/** Every key of a training config, none with the value that it has by itself; models that are not needed lie nowhere. */
const every: TrainConfigInput = {
  ...resolveConfig({ model, data: { train: 'arithmetic' } }),
  preset: 'seed',
  name: 'every',
  referenceModel: nowhere,
  device: 'cpu',
  dtype: 'bfloat16',
  masterWeights: false,
  threads: 3,
  memoryMiB: 99,
  data: {
    ...resolveConfig({ model, data: { train: 'arithmetic' } }).data,
    train: nowhere,
    evaluation: [others],
    template: 'question',
    problemKey: 'problem',
    answerKey: 'answer',
    difficulty: { minPassRate: 0.2, problems: 3 },
  },
  reward: { name: 'custom', code: code('half') },
  environment: { code: code('twice'), maxTurns: 2 },
  algorithm: { name: 'ppo' },
  kl: { initCoefficient: 0.1, measure: true },
  rollout: { promptsPerStep: 2, maxTokens: 7, stopTokens: ['x', 5], stopStrings: ['?'], maxBatch: 3, temperature: 0.5 },
  optimizer: { learningRate: 1, minibatches: 2 },
  critic: { model: nowhere },
  steps: 7,
  seed: 3,
  evaluation: { problems: 3, samples: 3, k: [1, 2], seed: 5, temperature: 0.25, every: 2 },
  checkpoint: { every: 1, keep: 9, best: 'accuracy' },
  ema: { decay: 0.5 },
  watchdog: { entropy: { limit: 0.1, steps: 8, action: 'rollback' } },
  preview: { prompts: 1 },
  rollouts: { every: 3, prompts: 1, tokens: false },
  output: nowhere,
};

test('a suite may have every key that a training config may have, with the same checks and defaults', async () => {
  const known = Object.keys(keysOf(z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' })));
  expect(Object.keys(every).sort()).toEqual(known.sort());
  expect(readSuites(suiteFile(every))).toEqual([resolveConfig(every)]);
  const { loaded, sampled, results } = await observe(every);
  expect(loaded).toEqual([
    [model, { device: 'cpu', dtype: 'bfloat16', masterWeights: false, moments: 'device', threads: 3, memoryMiB: 99 }],
  ]);
  expect(results).toMatchObject([{ suite: 'every', problems: 3 }]);
  expect(sampled).toHaveLength(2);
});

/** Keys that say what is evaluated and how; each changes something. The others change nothing. */
const evaluated: (keyof TrainConfigInput)[] = [
  'preset',
  'name',
  'device',
  'dtype',
  'threads',
  'memoryMiB',
  'data',
  'reward',
  'environment',
  'rollout',
  'evaluation',
];

test.each(Object.keys(every) as (keyof TrainConfigInput)[])('the key %s counts as it should', async (key) => {
  const { data } = base;
  // Presets bring data of their own.
  const changed = key === 'data' ? { ...base, data: every.data } : { ...base, data, [key]: every[key] };
  const [before, after] = [await observe(base), await observe(changed)];
  if (evaluated.includes(key)) expect(after).not.toEqual(before);
  else expect(after).toEqual(before);
});

const changes: [string, object, (seen: Seen) => unknown, unknown][] = [
  ['rollout.maxTokens', { rollout: { maxTokens: 7 } }, ({ sampled }) => sampled[0].options.maxTokens, 7],
  [
    'rollout.stopTokens',
    { rollout: { stopTokens: ['x', 5] } },
    ({ sampled }) => sampled[0].options.stopTokens,
    [120, 5],
  ],
  ['rollout.stopStrings', { rollout: { stopStrings: ['?'] } }, ({ sampled }) => sampled[0].options.stopStrings, ['?']],
  ['rollout.maxBatch', { rollout: { maxBatch: 3 } }, ({ sampled }) => sampled[0].options.maxBatch, 3],
  [
    'evaluation.temperature',
    { evaluation: { temperature: 0.25 } },
    ({ sampled }) => sampled[0].options.temperature,
    0.25,
  ],
  ['evaluation.seed', { evaluation: { seed: 5 } }, ({ sampled }) => sampled[0].options.seed, 5],
  ['evaluation.problems', { evaluation: { problems: 2 } }, ({ sampled }) => sampled[0].prompts, 2],
  ['evaluation.samples', { evaluation: { samples: 3 } }, ({ sampled }) => sampled[0].options.n, 3],
  [
    'data.template',
    { data: { evaluation: held, template: 'question' } },
    ({ results }) => results,
    [
      expect.objectContaining({
        samples: expect.arrayContaining([expect.objectContaining({ text: 'Question: 0\nAnswer:' })]),
      }),
    ],
  ],
  ['environment', { environment: code('twice') }, ({ sampled }) => sampled.map(({ options: { n } }) => n), [4, 1]],
];
test.each(changes)('%s is in force', async (_, change, pick, expected) => {
  expect(pick(await observe({ ...base, ...change }))).toEqual(expected);
});

test('an environment answers the turns of an evaluation', async () => {
  const { results } = await observe({ ...base, environment: code('twice') });
  const [{ samples }] = results as { samples: { completion: string }[] }[];
  expect(samples).toHaveLength(16);
  for (const { completion } of samples) expect(completion).toContain(' and ');
});

test('options given to it come before the suites, which share a policy where they agree', async () => {
  const suites = [
    { ...base, name: 'a' },
    { ...base, name: 'b' },
    { ...base, name: 'c', dtype: 'bfloat16' },
  ];
  const plain = { device: undefined, dtype: 'float32', masterWeights: true, moments: 'device', threads: undefined };
  expect((await observe({ suites })).loaded).toEqual([
    [model, plain],
    [model, { ...plain, dtype: 'bfloat16', masterWeights: false }],
  ]);
  expect((await observe({ suites }, { dtype: 'float32', threads: 2 })).loaded).toEqual([
    [model, { ...plain, threads: 2 }],
  ]);
});

test('a reward and an environment may be given in code', async () => {
  const { results } = await observe(base, { reward: () => ({ reward: 3, correct: true }) });
  expect(results).toMatchObject([{ accuracy: 1, rewardMean: 3 }]);
  const { sampled } = await observe(base, { environment: { respond: ({ turns }) => (turns.length < 2 ? '!' : null) } });
  expect(sampled).toHaveLength(2);
});

test('the config of a run on several sources is a suite of one of them without a warning', async () => {
  const reward = { name: 'by-source', rewards: { [held]: 'math', [others]: 'format' } };
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const data = (evaluation: string) => ({ train: [held, others], evaluation });
  await observe({ model, data: data(held), reward, evaluation: { problems: 4 } }, { warn });
  expect(warnings).toEqual([]);
  const unknown = { name: 'by-source', rewards: { [others]: 'format' } };
  await expect(observe({ model, data: data(held), reward: unknown })).rejects.toMatchObject({
    code: 'ERR_ZERO_RL_CONFIG',
  });
});

test('a model of the hub is one, and a folder that is not there is an error', async () => {
  const repository = { 'config.json': '{}', 'model.safetensors': 'x' };
  const hub = await startFakeHub({ 'model org/name': repository });
  const before = { ...process.env };
  Object.assign(process.env, { HF_ENDPOINT: hub.url, HF_HUB_CACHE: join(folder, 'cache') });
  try {
    const { loaded, results } = await observe(base, { model: 'org/name' });
    expect(loaded).toEqual([[expect.stringContaining(commitOf(repository)), expect.anything()]]);
    expect(results).toMatchObject([{ problems: 4 }]);
  } finally {
    process.env = before;
    await hub.close();
  }
  await expect(observe(base, { model: nowhere })).rejects.toMatchObject({ code: 'ERR_ZERO_RL_CHECKPOINT' });
});

test('a misspelt key of any section is refused as in training', () => {
  const wrong: [JsonObject, string][] = [
    [{ evaluation: { sampels: 2 } }, 'evaluation.samples'],
    [{ optimizer: { lerningRate: 2 } }, 'optimizer.learningRate'],
  ];
  for (const [change, nearest] of wrong)
    expect(() => readSuites(suiteFile({ ...base, ...change }))).toThrow(`did you mean "${nearest}"?`);
});

test('results are paired by problem, where one model could not be asked all of them', async () => {
  const suite = { data: { evaluation: held }, evaluation: { problems: 4, samples: 3 } };
  const loadPolicy = (): Promise<BanditPolicy> => Promise.resolve(new BanditPolicy());
  const first = await evaluateModel(model, readSuites(suiteFile(suite)), { loadPolicy });
  const second = first.map((result) => ({
    ...result,
    samples: result.samples.filter(({ group }) => group > 0).map((sample) => ({ ...sample, group: sample.group - 1 })),
  }));
  const shares = first[0].samples.map(({ score }) => score.correct);
  expect(new Set(shares).size).toBe(2);
  const [{ accuracy }] = compareResults(first, second);
  expect(accuracy).toMatchObject({ problems: 3, same: 3 });
});
