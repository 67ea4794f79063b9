/**
 * `zero-rl export` and the event files of a run, read by pandas, pyarrow and TensorBoard: where ZERO_RL_TEST_PYTHON names a
 * Python that has them.
 */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChild } from '../support/child';
import { temporaryFolder } from '../support/fixture-model';
import { runCli } from '../support/run-cli';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

const python = process.env.ZERO_RL_TEST_PYTHON;
const folder = temporaryFolder();
const file = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

let run: string;
beforeAll(async () => {
  using policy = await createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens: [7, 8, 9] });
  await policy.save(file('model'));
  const config = {
    model: file('model'),
    data: { train: 'arithmetic', count: 20 },
    rollout: { promptsPerStep: 4, samplesPerPrompt: 2, maxTokens: 8 },
    evaluation: { problems: 5, every: 2 },
    checkpoint: { every: 2 },
    preview: { prompts: 0 },
    steps: 3,
    threads: 1,
    output: file('runs'),
  };
  writeFileSync(file('config.yaml'), JSON.stringify(config));
  expect((await runCli(['train', file('config.yaml')])).code).toBe(0);
  run = join(file('runs'), readdirSync(file('runs'))[0]);
  // Two more steps in another session.
  expect((await runCli(['train', '--resume', run, '--set', 'steps=5'])).code).toBe(0);
});

test('tables are written, and a summary is printed', async () => {
  const names = [
    '--rollouts',
    file('rollouts.parquet'),
    '--evaluations',
    file('e.parquet'),
    '--metrics',
    file('m.csv'),
  ];
  const { code, stdout } = await runCli(['export', run, ...names, '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ run, rows: { rollouts: 40, evaluations: 25, metrics: 6 }, problems: [] });
});

test('wrong usage and a folder that is no run are said in one sentence', async () => {
  expect(await runCli(['export', run])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Name what to export') as string,
  });
  const { code, stderr } = await runCli(['export', folder, '--metrics', file('none.csv')]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^zero-rl: .* is not a run folder: .*\n$/);
});

(python === undefined ? test.skip : test)('pandas, pyarrow and TensorBoard read them', async () => {
  for (const metrics of ['m.csv', 'm.parquet']) {
    await runCli(['export', run, '--rollouts', file('rollouts.parquet'), '--metrics', file(metrics)]);
    const script = ['bench/read-exports.py', run, file('rollouts.parquet'), file(metrics)];
    const { code, stdout, stderr } = await runChild(script, { command: python });
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ events: 5, rollouts: 40 });
  }
});
