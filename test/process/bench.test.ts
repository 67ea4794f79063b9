/** `zero-rl bench` and `zero-rl bench kernels` as a user runs them. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchResult } from '../../src/bench/bench';
import type { KernelReport } from '../../src/bench/kernels';
import { temporaryFolder } from '../support/fixture-model';
import { runCli } from '../support/run-cli';
import { createTinyPolicy } from '../support/tiny-policy';

let folder: string;
let model: string;
beforeAll(async () => {
  folder = temporaryFolder();
  model = join(folder, 'model');
  using policy = await createTinyPolicy({ endTokens: [1, 2, 3] });
  await policy.save(model);
});
afterAll(() => rmSync(folder, { recursive: true }));

const shape = ['--batch', '12', '--group', '3', '--prompt', '7', '--tokens', '9', '--runs', '3', '--quick'];

async function run(task: string, extra: string[] = []): Promise<BenchResult> {
  const ended = await runCli(['bench', '--model', model, '--task', task, ...shape, '--json', ...extra], {
    env: { ZERO_RL_LOG: 'error' },
  });
  expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(ended.stdout) as BenchResult;
}

test.each([
  ['sample', 12 * 9, 'float32'],
  ['logprobs', 12 * 16, 'bfloat16'],
  ['step', 12 * 16, 'float32'],
])('%s reports what was run, its speed, memory and share of the roofline', async (task, tokens, dtype) => {
  const result = await run(task, ['--dtype', dtype, '--threads', '1']);
  expect(result).toMatchObject({ task, batch: 12, group: 3, prompt: 7, tokens: 9, dtype, device: 'cpu', threads: 1 });
  expect(result.runs).toHaveLength(3);
  expect(result.runs.toSorted((a, b) => a - b)[1]).toBe(result.seconds);
  expect(result.tokensPerSecond).toBeCloseTo(tokens / result.seconds, 6);
  // Node and libtorch alone take more than the first, and the model is tiny.
  expect(result.peakRssMiB).toBeGreaterThan(50);
  expect(result.peakRssMiB).toBeLessThan(1000);
  const { fraction, boundSeconds, parts, flopsFraction, peakGigaflopsPerSecond, readGigabytesPerSecond } =
    result.roofline;
  expect(fraction).toBeCloseTo(boundSeconds / result.seconds, 9);
  expect(fraction).toBeGreaterThan(0);
  expect(fraction).toBeLessThan(1);
  expect(flopsFraction).toBeLessThan(1);
  expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBeCloseTo(boundSeconds, 9);
  expect(peakGigaflopsPerSecond).toBeGreaterThan(1);
  expect(readGigabytesPerSecond).toBeGreaterThan(0.1);
});

test('without --json it prints for people', async () => {
  const { code, stdout } = await runCli(['bench', '--model', model, ...shape]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^sample 12 \(groups of 3\) x \(7 \+ 9\), float32/);
  expect(stdout).toMatch(/tokens\/s, peak memory \d+ MiB/);
  expect(stdout).toMatch(/% of the roofline/);
});

test.each([
  ['no model', ['--task', 'sample'], /--model is missing/],
  ['an unknown task', ['--model', '.', '--task', 'train'], /sample, logprobs, step/],
  ['a batch that the group does not divide', ['--batch', '10', '--group', '4'], /multiple of the group 4 for batch/],
  ['more than the context', ['--prompt', '60', '--tokens', '9'], /at most 64 \(the context\)/],
  ['no tokens', ['--tokens', '0'], /integer of at least 1/],
])('refuses %s as wrong usage', async (_, parameters, message) => {
  const given = parameters.includes('--model') || parameters[0] === '--task' ? [] : ['--model', model];
  const { code, stdout, stderr } = await runCli(['bench', ...given, '--quick', ...parameters]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(message);
});

test('kernels gives each kernel its time, share of the machine and ratio to its twin', async () => {
  const { code, stdout } = await runCli(['bench', 'kernels', '--quick', '--only', 'rms', '--threads', '2', '--json']);
  expect(code).toBe(0);
  const report = JSON.parse(stdout) as KernelReport;
  expect(report.threads).toBe(2);
  expect(new Set(report.kernels.map(({ kernel }) => kernel))).toEqual(new Set(['rms_norm', 'rms_norm_backward']));
  expect(new Set(report.kernels.map(({ dtype }) => dtype))).toEqual(new Set(['float32', 'bfloat16']));
  for (const { seconds, gigabytesPerSecond, fraction, twinSeconds, ratio, difference } of report.kernels) {
    expect(seconds).toBeGreaterThan(0);
    expect(gigabytesPerSecond).toBeGreaterThan(0);
    expect(fraction).toBeGreaterThan(0);
    expect(ratio).toBeCloseTo(twinSeconds / seconds, 6);
    expect(difference).toBeLessThan(2 ** -6);
  }
});

test('kernels takes its own options', async () => {
  const parameters = ['bench', 'kernels', '--quick', '--only', 'swiglu_backward', '--dtype', 'bfloat16'];
  const { code, stdout } = await runCli(parameters, { env: { ZERO_RL_ISA: 'portable' } });
  expect(code).toBe(0);
  expect(stdout).toMatch(/portable/);
  expect(stdout).toMatch(/swiglu_backward .*bfloat16/);
  expect(stdout).not.toMatch(/swiglu_backward .*float32/);
});

test("kernels takes shapes of one's own and writes them as CSV and as a plot", async () => {
  const [csv, plot] = [join(folder, 'kernels.csv'), join(folder, 'kernels.svg')];
  const shapes = ['--shape', 'gemm:m=8,n=16,k=32', '--shape', 'embedding:count=4,width=16,vocab=8'];
  const { code } = await runCli(['bench', 'kernels', '--quick', ...shapes, '--csv', csv, '--plot', plot, '--json']);
  expect(code).toBe(0);
  const [head, ...lines] = readFileSync(csv, 'utf8').trimEnd().split('\r\n');
  expect(lines).toHaveLength(4);
  for (const line of lines) expect(line.split(',')).toHaveLength(head.split(',').length);
  expect(lines[0]).toContain('m=8 n=16 k=32');
  const svg = readFileSync(plot, 'utf8');
  // An embedding has no FLOPs and so no place under the roofs.
  expect(svg.match(/<circle /g)).toHaveLength(2);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  const wrong = await runCli(['bench', 'kernels', '--shape', 'gemm:m=x']);
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('gemm:m=32,n=64,k=128') as string });
});
