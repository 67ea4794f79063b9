/**
 * `zero-rl train` on a tiny random model: a run that is killed or stopped and resumed equals, bit for bit, one that is
 * left alone.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRows, type MetricsRow } from '../../src/training/run-folder';
import { temporaryFolder } from '../support/fixture-model';
import { runCli } from '../support/run-cli';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

let folder: string;
let config: string;
let whole: string;

/** KL, moments, a running baseline, a schedule, evaluations: everything that a resume must carry over. */
const settings = (model: string) => ({
  name: 'tiny',
  model,
  data: { train: 'arithmetic', count: 20 },
  reward: `${join(folder, 'code.mjs')}#evenness`,
  algorithm: { name: 'reinforce', baseline: 'running' },
  kl: { initCoefficient: 0.05 },
  rollout: { promptsPerStep: 4, samplesPerPrompt: 4, maxTokens: 12 },
  optimizer: { learningRate: 0.003, schedule: 'cosine', warmupSteps: 2 },
  steps: 8,
  evaluation: { every: 3, problems: 10 },
  checkpoint: { every: 3, keep: 1 },
  threads: 1,
  output: join(folder, 'runs'),
});

beforeAll(async () => {
  folder = temporaryFolder();
  const model = join(folder, 'model');
  using policy = await createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens: [7, 8, 9] });
  await policy.save(model);
  writeFileSync(
    join(folder, 'code.mjs'),
    `export const evenness = ({ tokens }) => tokens.filter((token) => token % 2 === 0).length / tokens.length;
     export const hangs = () => new Promise(() => setInterval(() => {}, 1000));
     export async function* silent() { await hangs(); yield {}; }`,
  );
  config = join(folder, 'tiny.json');
  writeFileSync(config, JSON.stringify(settings(model)));
  whole = await train();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A run from the start to its end; returns its folder. */
async function train(): Promise<string> {
  const { code, stdout, stderr } = await runCli(['train', config, '--json']);
  expect(stderr).not.toContain('error');
  expect(code).toBe(0);
  return (JSON.parse(stdout) as { folder: string }).folder;
}

/** Starts a run, sends `signal` once the line of `step` is out, and returns how it ended and the folder it left. */
async function interrupt(signal: NodeJS.Signals, step: number) {
  const before = new Set(readdirSync(join(folder, 'runs')));
  let sent = false;
  const ended = await runCli(['train', config], {
    onErrorOutput: (stderr, kill) => {
      if (sent || !new RegExp(`^ *${step}/8 `, 'm').test(stderr)) return;
      sent = true;
      kill(signal);
    },
  });
  const [made] = readdirSync(join(folder, 'runs')).filter((name) => !before.has(name));
  return { ...ended, run: join(folder, 'runs', made) };
}

/** Metrics without what depends on the clock and the machine; rollouts; the final weights and moments. */
function traces(run: string) {
  const files = (name: string) =>
    readdirSync(join(run, name))
      .sort()
      .map((file) => [file, readFileSync(join(run, name, file), 'utf8')]);
  const state = join(run, 'checkpoints', 'step-8');
  return {
    metrics: readRows<MetricsRow>(join(run, 'metrics.jsonl')).map((row) => ({
      ...row,
      seconds: null,
      tokensPerSecond: null,
      memoryMiB: null,
      evaluation: row.evaluation && { ...row.evaluation, seconds: null },
    })),
    rollouts: files('rollouts'),
    evaluations: files('evaluations'),
    weights: readFileSync(join(state, 'model.safetensors')).toString('base64'),
    moments: readFileSync(join(state, 'optimizer.safetensors')).toString('base64'),
  };
}

async function resume(run: string): Promise<void> {
  const { code, stderr } = await runCli(['train', '--resume', run]);
  expect(stderr).toContain('going on after step');
  expect(code).toBe(0);
}

test('the same config gives the same run twice', async () => {
  expect(traces(await train())).toEqual(traces(whole));
});

test('kill -9 leaves a folder that resumes bit for bit', async () => {
  const { signal, run } = await interrupt('SIGKILL', 5);
  expect(signal).toBe('SIGKILL');
  expect(existsSync(join(run, 'lock'))).toBe(true);
  expect(existsSync(join(run, 'summary.json'))).toBe(false);
  await resume(run);
  expect(traces(run)).toEqual(traces(whole));
  expect(existsSync(join(run, 'lock'))).toBe(false);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s saves a checkpoint, says how to go on and exits with %d', async (signal, exitCode) => {
  const { code, stderr, stdout, run } = await interrupt(signal, 4);
  expect(code).toBe(exitCode);
  expect(stdout).toBe('');
  expect(stderr).toContain(`Stopped by ${signal}; go on with: zero-rl train --resume ${run}\n`);
  expect(stderr).not.toMatch(/^ +at /m);
  const steps = readRows<MetricsRow>(join(run, 'metrics.jsonl')).at(-1)?.step;
  expect(readdirSync(join(run, 'checkpoints'))).toEqual([`step-${steps}`]);
  await resume(run);
  expect(traces(run)).toEqual(traces(whole));
});

test('a reward that hangs does not hold up the first Ctrl-C', async () => {
  let sent = false;
  const { code } = await runCli(['train', config, '--set', `reward=${join(folder, 'code.mjs')}#hangs`], {
    onErrorOutput: (stderr, kill) => {
      if (sent || !stderr.includes('run folder')) return;
      sent = true;
      kill('SIGINT');
    },
  });
  expect(code).toBe(130);
});

test('a second Ctrl-C ends at once', async () => {
  const started = runCli(['train', config, '--set', `data.train=${join(folder, 'code.mjs')}#silent`], {
    onErrorOutput: (stderr, kill) => {
      if (stderr.includes('loading')) kill('SIGINT');
    },
  });
  expect(await started).toMatchObject({ code: null, signal: 'SIGINT' });
});
