import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../../../src/json-object';
import { readParquet } from '../../../src/data/parquet';
import { writeMetrics, writeSamples } from '../../../src/export/run-tables';
import { readRun } from '../../../src/observe/run-view';

const folder = mkdtempSync(join(tmpdir(), 'zero-rl-export-'));
const file = (name: string): string => join(folder, name);
const line = (value: object): string => `${JSON.stringify(value)}\n`;
const sample = {
  step: 1,
  id: 'p1',
  uid: 2 ** 41,
  sample: 0,
  prompt: 'Wieviel ist ½ + ½?',
  answer: '1',
  completion: 'a "quoted", 多行\n\u0000text',
  reward: 0.1,
  reason: 'equal',
  correct: true,
  formatted: null,
  advantage: -1.5,
  length: 12,
  finishReason: 'stop',
  tokenLengths: [3, 0, 9],
  logProbs: [-0.5, 0, -1.25],
  kl: [],
};

beforeAll(() => {
  mkdirSync(file('rollouts'));
  const parts = [{ name: 'math', reward: 0.1, weight: 1 }];
  const unscored = { ...sample, sample: 1, reward: null, correct: null, advantage: undefined, kl: undefined };
  const metrics = { brevity: 0.5 };
  writeFileSync(file('rollouts/step-000001.jsonl'), line({ ...sample, parts, metrics }) + line(unscored));
  writeFileSync(file('rollouts/step-000002.jsonl'), `not JSON\n${line({ ...sample, step: 2, length: 'long' })}{"torn`);
  const evaluation = { accuracy: 0.5, interval: [0.4, 0.6], passAtK: [{ k: 4, value: 0.9, interval: [0.8, 1] }] };
  writeFileSync(
    file('metrics.jsonl'),
    line({ step: 0, evaluation }) + line({ step: 1, rewardMean: 0.25, applied: true, seconds: { total: 2 } }),
  );
});

async function read(name: string): Promise<JsonObject[]> {
  const rows: JsonObject[] = [];
  for await (const row of readParquet(file(name))) rows.push(row);
  return rows;
}

test('samples come back from Parquet as they were, and what cannot be read is said', async () => {
  const run = await readRun(folder);
  expect(await writeSamples(file('rollouts.parquet'), run.rollouts, run.problems)).toBe(3);
  const [first, second, third] = await read('rollouts.parquet');
  expect(first).toEqual({ ...sample, parts: '[{"name":"math","reward":0.1,"weight":1}]', metrics: '{"brevity":0.5}' });
  const missing = { reward: null, correct: null, advantage: null, kl: null, parts: null, metrics: null };
  expect(second).toEqual({ ...sample, sample: 1, ...missing });
  expect(third).toMatchObject({ step: 2, length: null });
  expect(run.problems).toContainEqual(expect.stringContaining('step-000002.jsonl: line 1 cannot be read'));
});

test('metrics are a row a step with a column for every figure', async () => {
  const run = await readRun(folder);
  expect(await writeMetrics(file('metrics.parquet'), run)).toBe(2);
  const [before, first] = await read('metrics.parquet');
  expect(before).toMatchObject({
    step: 0,
    'evaluation/accuracy': 0.5,
    'evaluation/accuracyLow': 0.4,
    'evaluation/pass@4': 0.9,
  });
  expect(first).toMatchObject({ step: 1, 'train/rewardMean': 0.25, 'train/applied': 1, 'seconds/total': 2 });
  expect(first['evaluation/accuracy']).toBeNull();
  await writeMetrics(file('metrics.csv'), run);
  const [head, , second] = readFileSync(file('metrics.csv'), 'utf8')
    .split('\r\n')
    .map((text) => text.split(','));
  expect(second[head.indexOf('train/rewardMean')]).toBe('0.25');
  expect(second[head.indexOf('evaluation/accuracy')]).toBe('');
});

test('a failed export leaves nothing behind', async () => {
  const failing = (function* () {
    yield { step: 1, file: file('rollouts/step-000001.jsonl') };
    throw new Error('stopped');
  })();
  const files = { [Symbol.iterator]: () => failing } as unknown as Parameters<typeof writeSamples>[1];
  await expect(writeSamples(file('failed.parquet'), files, [])).rejects.toThrow('stopped');
  expect(readdirSync(folder).filter((name) => name.startsWith('failed'))).toEqual([]);
  await expect(writeSamples(join(folder, 'missing', 'x.parquet'), [], [])).rejects.toMatchObject({
    code: 'ERR_ZERO_RL_OUTPUT',
  });
});
