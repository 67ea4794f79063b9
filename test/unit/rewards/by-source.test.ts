/** A reward for each source: chosen by a column or by the name of the source, scored together, checked before a run begins. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Problem } from '../../../src/data/dataset';
import { scoreSample, scoreSamples, type RewardFunction, type RewardSample } from '../../../src/rewards';
import { bySource } from '../../../src/rewards/by-source';
import type { TrainConfigInput } from '../../../src/training/config';
import { resolveConfig } from '../../../src/training/load-config';
import { loadReward } from '../../../src/training/load-reward';
import { readRows, type SampleRow } from '../../../src/training/run-folder';
import { train } from '../../../src/training/train';
import type { TrainEvent } from '../../../src/training/train-event';
import { BanditPolicy } from '../../support/bandit-policy';

const folder = mkdtempSync(join(tmpdir(), 'zero-rl-sources-'));
afterAll(() => rmSync(folder, { recursive: true }));

const sample = (source: string | undefined, index = 0): RewardSample => ({
  problem: { id: `p${index}`, problem: 'Q', answer: '2', source },
  prompt: 'Q',
  completion: 'x',
  answer: '2',
  tokens: new Int32Array(1),
  finishReason: 'stop',
  index,
});

describe('the function', () => {
  const batches: [string, number[]][] = [];
  const recording = (name: string, reward: number): RewardFunction =>
    Object.assign(() => reward, {
      scoreAll: (samples: readonly RewardSample[]) => {
        batches.push([name, samples.map(({ index = 0 }) => index)]);
        return Promise.resolve(samples.map(() => reward));
      },
    });
  const keyOf = ({ source }: Problem): string | undefined => source;
  const rewards = new Map([
    ['a', recording('a', 1)],
    ['b', recording('b', 2)],
  ]);

  test('scores the samples of each source together, in the order of all', async () => {
    const samples = ['a', 'b', 'a', 'c', undefined].map(sample);
    const scores = await scoreSamples(bySource({ keyOf, rewards, otherwise: recording('rest', 3) }), samples);
    expect(scores.map(({ reward }) => reward)).toEqual([1, 2, 1, 3, 3]);
    expect(scores.map(({ parts }) => parts?.[0].name)).toEqual(['a', 'b', 'a', 'c', 'otherwise']);
    expect(batches).toEqual([
      ['a', [0, 2]],
      ['b', [1]],
      ['rest', [3, 4]],
    ]);
  });

  test('a source without a reward is an error that names the problem and the nearest source', async () => {
    const reward = bySource({ keyOf: ({ source }) => source, rewards: new Map([['gsm8k', () => 1]]) });
    await expect(scoreSample(reward, sample('gsm8', 4))).rejects.toMatchObject({ code: 'ERR_ZERO_RL_CONFIG' });
    const message = /Problem "p4" is of the source "gsm8", .*did you mean "gsm8k"\?.*reward\.otherwise/;
    expect(() => reward.check([sample('gsm8k').problem, sample('gsm8', 4).problem])).toThrow(message);
    expect(reward.check([sample('gsm8k').problem])).toEqual([]);
  });
});

const file = (name: string, rows: object[]): string => {
  writeFileSync(join(folder, name), rows.map((row) => JSON.stringify(row)).join('\n'));
  return join(folder, name);
};
const mixed = file(
  'mixed.jsonl',
  Array.from({ length: 8 }, (_, i) => ({ problem: `${i}`, answer: '2', data_source: i % 2 ? 'gsm8k' : 'math' })),
);

async function run(
  changes: Partial<TrainConfigInput>,
): Promise<{ rows: SampleRow[]; step: object; warnings: string[] }> {
  const warnings: string[] = [];
  let path = '';
  const onEvent = (event: TrainEvent): void => {
    if (event.type === 'warning') warnings.push(event.message);
    if (event.type === 'start') path = event.folder;
  };
  const config: TrainConfigInput = {
    model: folder,
    data: { train: mixed },
    rollout: { promptsPerStep: 8, samplesPerPrompt: 2 },
    rollouts: { prompts: 8 },
    preview: { prompts: 0 },
    steps: 1,
    output: join(folder, 'runs'),
    ...changes,
  };
  let last: object = {};
  for await (const step of train(config, { onEvent, loadPolicy: (directory) => BanditPolicy.load(directory) }))
    last = step;
  return { rows: readRows<SampleRow>(join(path, 'rollouts', 'step-000001.jsonl')), step: last, warnings };
}
const ofFormat = (right: number) => ({ name: 'format', style: 'boxed', right, wrong: right }) as const;

describe('in a config', () => {
  test("a column such as verl's data_source chooses the reward, a list of parts too, within a sum", async () => {
    const { rows, step } = await run({
      reward: [
        {
          name: 'by-source',
          column: 'data_source',
          rewards: { gsm8k: [ofFormat(3), { ...ofFormat(1), weight: 2 }], math: ofFormat(7) },
          weight: 10,
        },
        ofFormat(0.5),
      ],
    });
    expect(rows).toHaveLength(16);
    for (const { id, reward } of rows) expect(reward).toBe(Number(id) % 2 ? 70.5 : 50.5);
    expect(step).toMatchObject({
      rewardParts: { math: 7, 'gsm8k: format': 3, 'gsm8k: format 2': 1, format: 0.5 },
    });
  });

  test('without a column the sources of a mixture choose it, by the names that they are written with', async () => {
    const other = file('other.jsonl', [{ problem: 'b', answer: '2' }]);
    const { rows } = await run({
      data: {
        train: [
          { source: mixed, weight: 1 },
          { source: other, name: 'others', weight: 1 },
        ],
      },
      reward: { name: 'by-source', rewards: { [mixed]: ofFormat(1), others: ofFormat(2) } },
    });
    expect(new Set(rows.map(({ id, reward }) => `${id.split('/')[0]} ${reward}`))).toEqual(new Set(['1 1', '2 2']));
    const relative = resolveConfig({
      model: folder,
      data: { train: ['./a.jsonl', 'arithmetic'] },
      reward: { name: 'by-source', rewards: { './a.jsonl': 'math', arithmetic: './r.mjs' } },
    });
    expect(relative.data.train.map(({ name }) => name)).toEqual(['./a.jsonl', undefined]);
    expect(resolveConfig(relative)).toEqual(relative);
    expect(relative.reward).toMatchObject({ rewards: { arithmetic: { code: join(process.cwd(), 'r.mjs') } } });
  });

  test('rows without a reward end the run before its first step, and rewards without a row are a warning', async () => {
    const bySource = (rewards: Record<string, 'math'>) =>
      ({ name: 'by-source', column: 'data_source', rewards }) as const;
    await expect(run({ reward: bySource({ gsm8k: 'math' }) })).rejects.toMatchObject({
      code: 'ERR_ZERO_RL_CONFIG',
      message: expect.stringContaining('is of the source "math"'),
    });
    const { warnings } = await run({ reward: bySource({ gsm8k: 'math', math: 'math', aime: 'math' }) });
    expect(warnings).toContain('No problem is of the source aime, for which reward.rewards has a reward');
  });

  test('its column is read and kept where no other is', async () => {
    const config = resolveConfig({
      model: folder,
      data: { train: 'arithmetic' },
      reward: { name: 'by-source', column: 'extra_info.level', rewards: { 3: ofFormat(3) }, otherwise: ofFormat(0) },
    });
    const { reward } = await loadReward(config, { warn: () => undefined });
    const ofLevel = (level: unknown) => {
      const one = sample('x');
      return scoreSample(reward, { ...one, problem: { ...one.problem, row: { extra_info: { level } } } });
    };
    expect((await Promise.all([3, '3', null, 4].map(ofLevel))).map((score) => score.reward)).toEqual([3, 3, 0, 0]);
    const levels = file(
      'levels.jsonl',
      [1, 3].map((level) => ({ problem: `${level}`, answer: '2', extra_info: { level } })),
    );
    const { rows } = await run({ data: { train: levels }, reward: config.reward });
    expect(new Set(rows.map(({ id, reward: value }) => `${id} ${value}`))).toEqual(new Set(['1 0', '2 3']));
  });

  test.each([
    [{ name: 'by-source', rewards: { a: { name: 'math', corect: 1 } } }, 'Unknown key "reward.rewards.a.corect"'],
    [{ name: 'by-source', rewards: { a: 'maths' } }, 'for reward.rewards.a'],
    [{ name: 'by-source', rewards: { a: { name: 'by-source', rewards: {} } } }, 'reward.rewards.a'],
    [{ name: 'by-source' }, 'reward.rewards'],
  ])('%j is refused', (reward, message) => {
    const input = { model: folder, data: { train: 'arithmetic' }, reward } as unknown as TrainConfigInput;
    expect(() => resolveConfig(input)).toThrow(message);
  });
});
