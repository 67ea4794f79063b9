/** `zero-rl train` as a user runs it: what it prints, and what it says about bad input. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Replay } from '../../src/training/replay';
import { readRows, type MetricsRow } from '../../src/training/run-folder';
import { repository, runChild } from '../support/child';
import { temporaryFolder } from '../support/fixture-model';
import { runCli } from '../support/run-cli';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

let folder: string;
let model: string;
let config: string;
let runs: string;

beforeAll(async () => {
  folder = temporaryFolder();
  model = join(folder, 'model');
  runs = join(folder, 'runs');
  using policy = await createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens: [7, 8, 9] });
  await policy.save(model);
  config = join(folder, 'tiny.yaml');
  writeFileSync(
    config,
    `name: tiny
model: ${model}
data: { train: arithmetic, count: 20 }
rollout: { promptsPerStep: 4, samplesPerPrompt: 2, maxTokens: 8 }
evaluation: { problems: 5 }
steps: 2
threads: 1
output: ${runs}
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => rmSync(runs, { recursive: true, force: true }));

const train = (...parameters: string[]) => runCli(['train', ...parameters]);

test('prints a line a step, the table and where the report is', async () => {
  const { code, stdout, stderr } = await train(config, '--set', 'kl.initCoefficient=0.1');
  expect(code).toBe(0);
  expect(stderr).toContain('R[i] = r[i] - 0.1·Σ_t k1[i,t]');
  expect(stderr).toMatch(/^ *step +reward +accuracy.*KL\/token.*reference/m);
  expect(stderr.match(/^ *[12]\/2 /gm)).toHaveLength(2);
  expect(stderr).toMatch(/^at start +pass@1 .*pass@2 .*signal in \d of 4 groups/m);
  expect(stdout).toMatch(/accuracy \[95 % interval\]/);
  const [run] = readdirSync(runs);
  expect(stdout).toContain(`report ${join(runs, run, 'report.html')}`);
  expect(readFileSync(join(runs, run, 'report.html'), 'utf8')).toContain('</html>');
  // What decides the micro-batches.
  const resolved = readFileSync(join(runs, run, 'config.resolved.yaml'), 'utf8');
  expect(resolved).toMatch(/^ {2}memoryBudgetMiB: 1024$/m);
  expect(resolved).toMatch(/^threads: \d+$/m);
  const rows = readRows<MetricsRow>(join(runs, run, 'metrics.jsonl'));
  for (const row of rows) if (row.step > 0) expect(row).toHaveProperty('logProbDifference', expect.closeTo(0, 5));
});

test('replay makes the rollouts of a step again, bit for bit', async () => {
  await train(config, '--set', 'checkpoint.every=1');
  const run = join(runs, readdirSync(runs)[0]);
  const same = await runCli(['replay', run, '--step', '2']);
  expect(same.code).toBe(0);
  expect(same.stderr).toContain('from the checkpoint of step 1');
  expect(same.stderr).toContain('All 8 samples that the run wrote came out the same');
  expect(same.stdout).toMatch(/^sample 1: reward .* tokens.* nats, as written$/m);
  expect(same.stdout.match(/ sampled +now +ratio +advantage +weight +clipped +policy +sum +token$/gm)).toHaveLength(1);
  expect(same.stdout).toMatch(/^loss of step 2: policy .* the run wrote .*\(difference .*\)$/m);
  expect(same.stdout).not.toContain('\u001b');

  const { samples } = JSON.parse((await runCli(['replay', run, '--step', '2', '--json'])).stdout) as Replay;
  const [{ id, length }] = samples;
  const one = await runCli(['replay', run, '--step', '2', '--prompt', id, '--sample', '0']);
  expect(one.stdout.match(/^sample 0: /gm)).toHaveLength(1);
  expect(one.stdout.match(/^ *\d+ {2}.*"$/gm)).toHaveLength(length);
  const none = await runCli(['replay', run, '--step', '2', '--prompt', 'absent']);
  expect(none).toMatchObject({ code: 2, stdout: '' });
  expect(none.stderr).toContain('--prompt');

  const file = join(run, 'rollouts', 'step-000002.jsonl');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"length":\d+/, '"length":99'));
  const other = await runCli(['replay', run, '--step', '2', '--json']);
  expect(other.code).toBe(1);
  expect(other.stderr).toContain('1 of 8 samples that the run wrote came out otherwise');
  expect(JSON.parse(other.stdout)).toMatchObject({ step: 2, checkpoint: 1, written: 8, same: 7 });
});

test('a run that has done its steps says so when it is resumed, and how it goes on', async () => {
  await train(config);
  const run = join(runs, readdirSync(runs)[0]);
  const { code, stderr } = await train('--resume', run);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^all 2 steps of this run are done; --set steps=4 would go on with it$/m);
});

test('the moving average is evaluated beside the policy', async () => {
  const { stderr } = await train(config, '--set', 'ema.decay=0.5');
  expect(stderr).toMatch(/^held out after step 2: accuracy/m);
  expect(stderr).toMatch(/^its moving average after step 2: accuracy/m);
});

test('--json prints one object', async () => {
  const { stdout } = await train(config, '--json');
  expect(stdout.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(stdout)).toMatchObject({
    heldOut: { before: 0, after: 0, n: 5 },
    responseLength: {},
    seconds: {},
    folder: expect.stringContaining(runs) as string,
  });
});

test('--dry-run predicts and writes nothing', async () => {
  const { code, stdout } = await train(config, '--dry-run', '--set', 'algorithm.name=reinforce++');
  expect(code).toBe(0);
  expect(stdout).toContain('A = (G - μ)/√max(σ², 1e-8)');
  expect(stdout).toMatch(/memory +policy and optimizer/);
  expect(existsSync(runs)).toBe(false);
  const plan = JSON.parse((await train(config, '--dry-run', '--json')).stdout) as { seconds: { total: number } };
  expect(plan.seconds.total).toBeGreaterThan(0);
});

test.each(readdirSync(join(repository, 'recipes')).filter((name) => name.endsWith('.yaml')))(
  'recipes/%s passes a dry run, also where the hub cannot be reached',
  async (recipe) => {
    const environment = { HF_ENDPOINT: 'http://127.0.0.1:1', HF_HOME: join(folder, 'hub') };
    const { code, stdout, stderr } = await runCli(
      ['train', join(repository, 'recipes', recipe), '--dry-run', '--set', `output=${runs}`],
      { env: environment, cwd: repository },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^(A|R|δ)\[/);
    expect(stdout).toMatch(/^memory .*activations up to/m);
    expect(stdout).toMatch(/^(at start +pass@1|not done .*cannot be reached)/m);
  },
);

test.each([
  ['a misspelt key', ['--set', 'kl.initCoeficient=0.1'], 'did you mean "kl.initCoefficient"?'],
  ['a missing model', ['--set', 'model=/nowhere'], 'There is no model folder /nowhere'],
  ['a missing data file', ['--set', 'data.train=/nowhere.jsonl'], '/nowhere.jsonl'],
  ['a broken reference', ['--set', `referenceModel=${__dirname}`, '--set', 'kl.measure=true'], 'config.json'],
  ['a prompt beyond the context', ['--set', `data.template=${'x'.repeat(400)}{problem}`], 'cannot be a prompt'],
])('%s is one sentence and exit code 1', async (_, parameters, message) => {
  const { code, stdout, stderr } = await train(config, ...parameters);
  expect(stderr).toContain(message);
  expect(stderr).not.toMatch(/^ +at /m);
  expect(stdout).toBe('');
  expect(code).toBe(1);
});

test('init_kl_coef is taken with a hint', async () => {
  const { code, stderr } = await train(config, '--set', 'init_kl_coef=0.1', '--set', 'steps=1');
  expect(stderr).toContain('init_kl_coef is taken as kl.initCoefficient');
  expect(stderr).toContain('0.1·Σ_t k1');
  expect(code).toBe(0);
});

test('an output folder that cannot be made ends before anything runs', async () => {
  const { code, stderr } = await train(config, '--set', `output=${join(config, 'runs')}`);
  expect(stderr).toMatch(/Cannot write .*tiny\.yaml/);
  expect(code).toBe(1);
});

test('a file system that takes no more loses no step that was written', async () => {
  const main = join(repository, 'dist', 'cli', 'main.js');
  const limit = ['-c', 'ulimit -f 300; exec "$0" "$@"', process.execPath, main];
  const parameters = ['train', config, '--set', 'steps=3', '--set', 'checkpoint.every=1'];
  const { code, stderr } = await runChild([...limit, ...parameters], { command: 'bash' });
  expect(code).toBe(1);
  expect(stderr).toMatch(/Cannot write .*(optimizer|model)\.safetensors \(EFBIG\)/);
  const run = join(runs, readdirSync(runs)[0]);
  expect(readRows<MetricsRow>(join(run, 'metrics.jsonl')).at(-1)?.step).toBe(1);
  expect(readdirSync(join(run, 'checkpoints'))).toEqual([]);
  const resumed = await train('--resume', run);
  expect(resumed.code).toBe(0);
  expect(readRows<MetricsRow>(join(run, 'metrics.jsonl'))).toHaveLength(4);
});

test('neither a config nor --resume is an error that says so', async () => {
  expect(await train()).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Give either a config file, or --resume RUN') as string,
  });
  expect((await train('--resume', folder)).stderr).toContain('is not a run folder: it has no config.resolved.yaml');
});
