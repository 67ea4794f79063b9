/** Runs with a reward of one's own that hangs, as a user starts them. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StepMetrics } from '../../src/observe/metrics';
import { readRows, type SampleRow } from '../../src/training/run-folder';
import { childProgram, repository } from '../support/child';
import { temporaryFolder } from '../support/fixture-model';
import { runCli } from '../support/run-cli';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

let folder: string;
let config: string;
let runs: string;
beforeAll(async () => {
  folder = temporaryFolder();
  runs = join(folder, 'runs');
  config = join(folder, 'tiny.yaml');
  using policy = await createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens: [7, 8, 9] });
  await policy.save(join(folder, 'model'));
  writeFileSync(
    config,
    `model: ${join(folder, 'model')}
data: { train: arithmetic, count: 20 }
rollout: { promptsPerStep: 2, samplesPerPrompt: 4, maxTokens: 8 }
evaluation: { problems: 2 }
steps: 1
preview: { prompts: 0 }
threads: 1
output: ${runs}
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => rmSync(runs, { recursive: true, force: true }));

const train = (name: string, seconds: number) => {
  const reward = `{ name: custom, code: "${childProgram('rewards.mjs')}#${name}", timeoutSeconds: ${seconds} }`;
  return runCli(['train', config, '--set', `reward=${reward}`]);
};

test('a sample on which the reward hangs is left out of the step, counted and named', async () => {
  const { code, stderr } = await train('loopsNowAndThen', 1);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(stderr.match(/^warning: The reward .* did not end within 1 s on sample 1 of prompt /gm)).toHaveLength(2);
  const [run] = readdirSync(runs);
  const metrics = readRows<StepMetrics>(join(runs, run, 'metrics.jsonl')).at(-1);
  expect(metrics).toMatchObject({ step: 1, samples: 8, excludedSamples: 2, timedOutSamples: 2, applied: true });
  const samples = readRows<SampleRow>(join(runs, run, 'rollouts', 'step-000001.jsonl'));
  expect(samples.map(({ reward, reason }) => [reward, reason])).toEqual(
    [0, 1].flatMap(() => [
      [0, 'custom'],
      [null, 'timeout'],
      [2, 'custom'],
      [0, 'custom'],
    ]),
  );
});

test('a reward that hangs on every sample ends the run with one sentence', async () => {
  const { code, stderr } = await train('alwaysLoops', 1);
  expect(code).toBe(1);
  expect(stderr).toContain('The reward did not end in time on any of 2 samples');
  expect(stderr).not.toMatch(/^ +at /m);
});

test('the shipped example trains, alone and in a sum', async () => {
  const example = join(repository, 'examples', 'rewards.mjs');
  for (const reward of [
    `${example}#rightAndShown`,
    `[{ name: custom, code: "${example}#rightAndShown", weight: 0.5 }, math]`,
  ]) {
    const { code, stderr } = await runCli(['train', config, '--set', `reward=${reward}`]);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const [run] = readdirSync(runs);
    const samples = readRows<SampleRow>(join(runs, run, 'rollouts', 'step-000001.jsonl'));
    expect(samples).toHaveLength(8);
    for (const { reward: value, correct } of samples) {
      expect(typeof value).toBe('number');
      expect(typeof correct).toBe('boolean');
    }
    rmSync(runs, { recursive: true });
  }
});

test('the example that asks a service leaves samples out where it has none', async () => {
  const example = join(repository, 'examples', 'rewards.mjs');
  const { code, stderr } = await runCli(['train', config, '--set', `reward=${example}#judged`], {
    env: { JUDGE_URL: undefined },
  });
  expect(code).toBe(1);
  expect(stderr).toContain('could be scored (no-judge)');
});

test('the example environment plays episodes of several turns', async () => {
  const example = join(repository, 'examples', 'environment.mjs');
  // Every third token of the vocabulary ends a turn.
  const stops = Array.from({ length: 400 }, (_, i) => 3 * i).join();
  const { code, stderr } = await runCli([
    'train',
    config,
    '--set',
    `environment=${example}#guess`,
    '--set',
    `rollout.stopTokens=[${stops}]`,
  ]);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  const [run] = readdirSync(runs);
  const samples = readRows<SampleRow>(join(runs, run, 'rollouts', 'step-000001.jsonl'));
  expect(samples).toHaveLength(8);
  for (const { prompt, reason, finishReason, completion } of samples) {
    expect(prompt).toMatch(/\nGuess: $/);
    expect(['found', 'not-found']).toContain(reason);
    if (finishReason === 'stop' && reason === 'not-found')
      expect(completion).toMatch(/\n(Higher|Lower|Say a number): /);
  }
  expect(samples.some(({ completion }) => completion.includes('Say a number: '))).toBe(true);
});
