/**
 * Training with faults in the file layer: killed at 20 random file operations, also within checkpoints, and with a disk that
 * is full during a checkpoint. Each time the resumed run equals, bit for bit, the one left alone.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RandomStream } from '../../src/data/random';
import { readRows, type MetricsRow } from '../../src/training/run-folder';
import { childProgram, runChild, type Ended } from '../support/child';
import { temporaryFolder } from '../support/fixture-model';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

const STEPS = 6;
const KILLS = 20;

let folder: string;
let settings: object;

beforeAll(async () => {
  folder = temporaryFolder();
  const model = join(folder, 'model');
  using policy = await createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens: [7, 8, 9] });
  await policy.save(model);
  settings = {
    model,
    data: { train: 'arithmetic', count: 20 },
    reward: 'math',
    algorithm: { name: 'reinforce', baseline: 'running' },
    kl: { initCoefficient: 0.05, target: 0.1, follow: { every: 2, rate: 0.5 } },
    rollout: { promptsPerStep: 4, samplesPerPrompt: 2, maxTokens: 8 },
    optimizer: { learningRate: 0.003, schedule: 'cosine', entropy: { coefficient: 0.01, target: 6 } },
    steps: STEPS,
    evaluation: { every: 3, problems: 4, samples: 2 },
    checkpoint: { every: 2, keep: 2 },
    threads: 1,
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

const start = (name: string) => ({ config: { ...settings, name, output: join(folder, name) } });

function runFaulty(options: object): Promise<Ended> {
  return runChild([childProgram('faulty-train.cjs'), JSON.stringify(options)]);
}

/** The one run folder of `name`, if it has got that far. */
function runOf(name: string): string | null {
  const output = join(folder, name);
  const run = existsSync(output) ? readdirSync(output).at(0) : undefined;
  return run !== undefined && existsSync(join(output, run, 'config.resolved.yaml')) ? join(output, run) : null;
}

/** Everything that a run leaves but times, memory and the page. */
function traces(run: string): unknown {
  const texts = (name: string): [string, string][] =>
    readdirSync(join(run, name))
      .sort()
      .map((file) => [file, readFileSync(join(run, name, file), 'utf8')]);
  const checkpoints = readdirSync(join(run, 'checkpoints')).sort();
  const tensors = (name: string): string[] =>
    ['model.safetensors', 'optimizer.safetensors', 'reference/model.safetensors'].map((file) =>
      readFileSync(join(run, 'checkpoints', name, file)).toString('base64'),
    );
  return {
    metrics: readRows<MetricsRow>(join(run, 'metrics.jsonl')).map((row) => ({
      ...row,
      seconds: null,
      tokensPerSecond: null,
      memoryMiB: null,
      evaluation: row.evaluation && { ...row.evaluation, seconds: null },
    })),
    rollouts: texts('rollouts'),
    evaluations: texts('evaluations'),
    checkpoints,
    tensors: checkpoints.map(tensors),
  };
}

test(`killed at ${KILLS} random moments and resumed each time, runs end as the one left alone`, async () => {
  const whole = await runFaulty({ ...start('whole'), count: true });
  expect(whole.stderr).toBe('');
  const expected = traces(runOf('whole') ?? '');
  const operations = Number(whole.stdout);

  const random = new RandomStream(7, 'kills');
  const struck: string[] = [];
  let finished = 0;
  for (let attempt = 0; struck.length < KILLS; attempt++) {
    const name = `killed-${finished}`;
    const resume = runOf(name);
    if (resume === null) rmSync(join(folder, name), { recursive: true, force: true });
    // Most operations are a checkpoint's, so every other kill is an early one.
    const killAt = random.integer(1, attempt % 2 === 0 ? 14 : Math.ceil(operations / 2));
    const { signal, stdout, stderr } = await runFaulty({ ...(resume ? { resume } : start(name)), killAt });
    expect(stderr).toBe('');
    if (signal === 'SIGKILL') struck.push(stdout.trim());
    else {
      expect(traces(runOf(name) ?? '')).toEqual(expected);
      finished++;
    }
  }
  const name = `killed-${finished}`;
  const resume = runOf(name);
  expect((await runFaulty(resume ? { resume } : start(name))).stderr).toBe('');
  expect(traces(runOf(name) ?? '')).toEqual(expected);
  expect(struck.filter((operation) => operation.includes('.partial')).length).toBeGreaterThan(3);
  expect(struck.filter((operation) => !operation.includes('checkpoints')).length).toBeGreaterThan(3);
}, 300_000);

test('a disk that is full during a checkpoint keeps the earlier ones and says so', async () => {
  const { code, stderr } = await runFaulty({ ...start('full'), fullAt: 4 });
  expect(code).toBe(1);
  expect(stderr).toContain('ERR_ZERO_RL_OUTPUT: Cannot write ');
  expect(stderr).toContain('no space is left on the device');
  const run = runOf('full') ?? '';
  expect(readdirSync(join(run, 'checkpoints'))).toEqual(['step-2']);
  expect((await runFaulty({ resume: run })).stderr).toBe('');
  expect(traces(run)).toEqual(traces(runOf('whole') ?? ''));
});
