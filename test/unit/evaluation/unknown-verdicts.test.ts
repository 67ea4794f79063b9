/** Rewards that do not say whether a sample is correct, or which answer it states: figures that are not known are not made up. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareResults, evaluateModel, type SuiteResult } from '../../../src/evaluation/suite';
import { comparisonText, suiteText } from '../../../src/observe/evaluation-output';
import { writeReport } from '../../../src/observe/report';
import { scalarsOf } from '../../../src/observe/scalars';
import { evaluationLine, outcomeTable } from '../../../src/observe/train-output';
import type { RewardFunction } from '../../../src/rewards';
import type { TrainConfigInput } from '../../../src/training/config';
import { resolveConfig } from '../../../src/training/load-config';
import { train } from '../../../src/training/train';
import type { TrainEvent } from '../../../src/training/train-event';
import { BanditPolicy } from '../../support/bandit-policy';

const folder = mkdtempSync(join(tmpdir(), 'zero-rl-unknown-'));
afterAll(() => rmSync(folder, { recursive: true }));
const rows = join(folder, 'rows.jsonl');
writeFileSync(rows, Array.from({ length: 6 }, (_, i) => JSON.stringify({ problem: `${i}`, answer: '2' })).join('\n'));

const config: TrainConfigInput = {
  model: folder,
  data: { train: rows, evaluation: rows },
  rollout: { promptsPerStep: 2, samplesPerPrompt: 4 },
  evaluation: { problems: 6, samples: 8, k: [1, 8] },
  preview: { prompts: 0 },
  steps: 2,
  output: join(folder, 'runs'),
};
const loadPolicy = (directory: string): Promise<BanditPolicy> => BanditPolicy.load(directory);
const evaluated = async (reward: RewardFunction): Promise<SuiteResult> => {
  const [result] = await evaluateModel(folder, [resolveConfig(config)], { loadPolicy, reward });
  return result;
};
/** One of eight samples is right. */
const oneOfEight =
  (more: object): RewardFunction =>
  ({ index }) => ({ reward: Number(index === 0), correct: index === 0, ...more });

test('a bare number leaves accuracy, pass@k and maj@k unknown, not 0', async () => {
  const result = await evaluated(() => 0.25);
  const unknown = { problems: 0, accuracy: null, interval: null, passAtK: [], majorityAtK: [], rewardMean: 0.25 };
  expect(result.evaluation).toMatchObject(unknown);
  const names = scalarsOf({ step: 0, evaluation: result.evaluation }).map(({ name }) => name);
  expect(names).toContain('evaluation/rewardMean');
  expect(names.filter((name) => /accuracy|@/.test(name))).toEqual([]);
  const comparison = compareResults([result], [result]);
  expect(comparison[0].accuracy).toBeNull();
  const texts = [
    suiteText(result),
    comparisonText(comparison[0]),
    evaluationLine(3, result.evaluation),
    outcomeTable(result.evaluation, result.evaluation),
  ];
  for (const text of texts) {
    expect(text).toContain('0.250');
    expect(text).not.toMatch(/accuracy 0\.0 %|NaN|of 0 problems|over 0 problems/);
  }
});

test('maj@k is not estimated where the reward does not say what wrong samples answer', async () => {
  const { evaluation } = await evaluated(oneOfEight({}));
  expect(evaluation).toMatchObject({ accuracy: 1 / 8, majorityAtK: [] });
  expect(evaluation.passAtK.map(({ value }) => value)).toEqual([expect.closeTo(1 / 8, 12), 1]);
  const right = await evaluated(() => ({ reward: 1, correct: true }));
  expect(right.evaluation.majorityAtK.map(({ value }) => value)).toEqual([1, 1]);
});

test.each([
  ['stated', '7'],
  ['not stated', null],
])('one right sample of eight is no majority where the other answers are %s', async (_, answer) => {
  const { evaluation } = await evaluated(oneOfEight({ answer }));
  expect(evaluation.majorityAtK).toMatchObject([{ k: 1 }, { k: 8, value: 0 }]);
});

async function run(
  changes: Partial<TrainConfigInput>,
  reward: RewardFunction,
): Promise<{ folder: string; steps: number; error: unknown }> {
  const done = { folder: '', steps: 0, error: null as unknown };
  const onEvent = (event: TrainEvent): void => {
    if (event.type === 'start') done.folder = event.folder;
  };
  try {
    for await (const { step } of train({ ...config, ...changes }, { loadPolicy, reward, onEvent })) done.steps = step;
  } catch (error) {
    done.error = error;
  }
  return done;
}

test('checkpoint.best: accuracy is refused before the first step where the reward says nothing of it', async () => {
  const refused = await run({ checkpoint: { best: 'accuracy' } }, () => 1);
  expect(refused).toMatchObject({ steps: 0, error: { code: 'ERR_ZERO_RL_CONFIG' } });
  expect((refused.error as Error).message).toContain('set checkpoint.best to rewardMean');
  const byReward = await run({ checkpoint: { best: 'rewardMean' } }, () => 1);
  expect(byReward).toMatchObject({ steps: 2, error: null });
  const known = await run({ checkpoint: { best: 'accuracy' } }, () => ({
    reward: 1,
    correct: 1 as unknown as boolean,
  }));
  expect(known).toMatchObject({ steps: 2, error: null });
});

test('a run of such a reward has a summary without accuracies, and a report', async () => {
  const { folder: path, error } = await run({}, () => 0.5);
  expect(error).toBeNull();
  const summary = JSON.parse(readFileSync(join(path, 'summary.json'), 'utf8')) as object;
  expect(summary).toMatchObject({ heldOut: null, responseLength: { before: expect.any(Number) } });
  const report = readFileSync(await writeReport(path), 'utf8');
  expect(report).toContain('not known');
  expect(report).not.toContain('NaN');
});

test('what is right counts the same in steps and in evaluations, whether it is said as true or as 1', async () => {
  for (const correct of [true, 1]) {
    const reward = (() => ({ reward: 1, correct })) as RewardFunction;
    expect((await evaluated(reward)).evaluation).toMatchObject({ problems: 6, accuracy: 1 });
    for await (const step of train({ ...config, steps: 1 }, { loadPolicy, reward }))
      expect(step).toMatchObject({ accuracy: 1, evaluation: { accuracy: 1 } });
  }
});

test('steps, evaluations and rollouts have the parts of the reward and its further figures', async () => {
  const reward: RewardFunction = ({ index = 0 }) => ({
    reward: index,
    correct: true,
    ...(index % 2 ? { brevity: index } : {}),
    parts: [{ name: 'place', reward: index / 2, weight: 2, reason: 'custom' }],
  });
  const { folder: path } = await run({ steps: 1 }, reward);
  const lines = (name: string) =>
    readFileSync(join(path, name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const metrics = lines('metrics.jsonl');
  const held = { rewardParts: { place: 1.75 }, rewardMetrics: { brevity: 4 } };
  expect(metrics).toMatchObject([
    { step: 0, evaluation: held },
    { step: 1, rewardParts: { place: 0.75 }, rewardMetrics: { brevity: 2 }, evaluation: held },
  ]);
  expect(lines('rollouts/step-000001.jsonl')[1]).toMatchObject({ metrics: { brevity: 1 }, parts: [{ name: 'place' }] });
  expect(scalarsOf(metrics[1] as never).map(({ name }) => name)).toEqual(
    expect.arrayContaining(['rewardParts/place', 'rewardMetrics/brevity', 'evaluation/rewardParts/place']),
  );
  expect(suiteText(await evaluated(reward))).toMatch(/place +1\.750\n +brevity +4\.000/);
});
