import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EstimatorInput } from '../../../src/algorithms';
import type { TrainConfigInput } from '../../../src/training/config';
import { replay } from '../../../src/training/replay';
import { planRun } from '../../../src/training/plan';
import { train, type TrainOptions } from '../../../src/training/train';
import { readYamlFile, resolveConfig } from '../../../src/training/load-config';
import { BanditPolicy } from '../../support/bandit-policy';

const scratch = mkdtempSync(join(tmpdir(), 'zero-rl-replay-test-'));
const loadPolicy = (directory: string): Promise<BanditPolicy> => BanditPolicy.load(directory);
afterAll(() => rmSync(scratch, { recursive: true }));

async function trained(
  name: string,
  changes: Partial<TrainConfigInput> = {},
  options: TrainOptions = {},
): Promise<string> {
  const rows = join(scratch, 'rows.jsonl');
  writeFileSync(
    rows,
    Array.from({ length: 10 }, (_, i) => JSON.stringify({ id: `p${i}`, problem: `${i}`, answer: '2' })).join('\n'),
  );
  let folder = '';
  const config: TrainConfigInput = {
    name,
    model: scratch,
    data: { train: rows, evaluation: rows },
    rollout: { promptsPerStep: 4, samplesPerPrompt: 4 },
    optimizer: { learningRate: 0.5 },
    rollouts: { every: 1, prompts: 3 },
    steps: 6,
    checkpoint: { every: 2, keep: 9 },
    output: join(scratch, 'runs'),
    ...changes,
  };
  const onEvent = (event: { type: string; folder?: string }): void => void (folder = event.folder ?? folder);
  const steps: number[] = [];
  for await (const { step } of train(config, { loadPolicy, onEvent, ...options })) steps.push(step);
  expect(steps).toHaveLength(6);
  return folder;
}

const listing = (folder: string): string[] =>
  readdirSync(folder, { recursive: true })
    .map((name) => `${String(name)} ${statSync(join(folder, String(name))).mtimeMs}`)
    .sort();

test('every step comes out as the run wrote it, and the run is not touched', async () => {
  const folder = await trained('plain', { rollout: { promptsPerStep: 4, samplesPerPrompt: 4, finalTemperature: 0.5 } });
  const before = listing(folder);
  const again: { step: number; from: number; trained: number }[] = [];
  for (let step = 1; step <= 6; step++) {
    let trainedAgain = 0;
    const result = await replay(folder, step, { loadPolicy, onStep: () => trainedAgain++ });
    again.push({ step, from: result.checkpoint, trained: trainedAgain });
    expect(result).toMatchObject({ step, written: 12, same: 12 });
    expect(result.samples).toHaveLength(16);
    expect(result.samples.filter(({ same }) => same === null)).toHaveLength(4);
    for (const { tokens, logProbs, length } of result.samples) {
      expect(tokens).toHaveLength(length);
      expect(logProbs).toHaveLength(length);
    }
  }
  expect(again).toEqual([
    { step: 1, from: 0, trained: 0 },
    { step: 2, from: 0, trained: 1 },
    { step: 3, from: 2, trained: 0 },
    { step: 4, from: 2, trained: 1 },
    { step: 5, from: 4, trained: 0 },
    { step: 6, from: 4, trained: 1 },
  ]);
  expect(listing(folder)).toEqual(before);
});

test('a sample that differs says what the run wrote', async () => {
  const folder = await trained('changed');
  const file = join(folder, 'rollouts', 'step-000003.jsonl');
  const rows = readFileSync(file, 'utf8').split('\n');
  rows[1] = JSON.stringify({ ...(JSON.parse(rows[1]) as object), completion: 'another' });
  writeFileSync(file, rows.join('\n'));
  const { samples, written, same } = await replay(folder, 3, { loadPolicy });
  expect({ written, same }).toEqual({ written: 12, same: 11 });
  expect(samples.filter((row) => row.same === false)).toEqual([
    expect.objectContaining({ written: expect.objectContaining({ completion: 'another' }) as object }),
  ]);
});

test('a step that the run does not have, and a folder that is no run, are one sentence', async () => {
  const folder = await trained('short');
  await expect(replay(folder, 7, { loadPolicy })).rejects.toMatchObject({ code: 'ERR_ZERO_RL_CONFIG' });
  await expect(replay(folder, 7, { loadPolicy })).rejects.toThrow('has done steps 1 to 6, not 7');
  await expect(replay(scratch, 1, { loadPolicy })).rejects.toThrow('is not a run folder');
  writeFileSync(join(folder, 'metrics.jsonl'), '');
  await expect(replay(folder, 1, { loadPolicy })).rejects.toThrow('has done no step yet');
});

test('where nothing is left to begin from, that is said', async () => {
  const model = join(scratch, 'gone');
  mkdirSync(model);
  const folder = await trained('orphan', { model });
  rmSync(model, { recursive: true });
  await expect(replay(folder, 2, { loadPolicy })).rejects.toMatchObject({ code: 'ERR_ZERO_RL_CHECKPOINT' });
  await expect(replay(folder, 2, { loadPolicy })).rejects.toThrow('keeps no checkpoint before step 2');
});

test('reward, estimator and environment that were given to train are given to replay and to a plan as well', async () => {
  const rewarded: string[] = [];
  const code = {
    reward: ({ problem }: { problem: { id: string } }) => {
      rewarded.push(problem.id);
      return 7;
    },
    estimator: ({ lengths }: EstimatorInput) => Array.from(lengths, (n) => new Float32Array(n).fill(0.5)),
    environment: { respond: () => null, prompt: () => 'asked otherwise' },
  };
  const folder = await trained('given', {}, code);
  const result = await replay(folder, 3, { loadPolicy, ...code });
  expect(result).toMatchObject({ written: 12, same: 12 });
  expect(result.samples[0]).toMatchObject({ prompt: 'asked otherwise', reward: 7, advantage: 0.5 });
  rewarded.length = 0;
  const config = resolveConfig(readYamlFile(join(folder, 'config.resolved.yaml')) as TrainConfigInput);
  expect(await planRun(config, { loadPolicy, ...code })).toMatchObject({ start: { prompts: 4, rewardMean: 7 } });
  expect(rewarded).toHaveLength(16);
});
