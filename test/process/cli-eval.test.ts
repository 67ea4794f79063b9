/** `zero-rl eval` on the shipped model and one of its early checkpoints. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SuiteComparison } from '../../src/evaluation/suite';
import type { Evaluation } from '../../src/training/evaluate';
import { runCli } from '../support/run-cli';

const MODEL = 'models/arithmetic-1m';
const suite = (problems: number) => ({
  name: 'short',
  data: { train: 'arithmetic', arithmetic: { template: 'short', maxOperands: 2 } },
  rollout: { maxTokens: 96 },
  evaluation: { problems, samples: 4, k: [1, 2, 4] },
});

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'zero-rl-eval-'));
  file = join(folder, 'suite.yaml');
  writeFileSync(file, JSON.stringify(suite(24)));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('gives avg@k, pass@k and maj@k with intervals, the same each time, and writes the samples', async () => {
  const output = join(folder, 'samples.jsonl');
  const parameters = ['eval', '--model', MODEL, '--suite', file, '--json'];
  const { code, stdout } = await runCli([...parameters, '--output', output]);
  expect(code).toBe(0);
  const [result] = (JSON.parse(stdout) as { suites: (Evaluation & { suite: string })[] }).suites;
  expect(result).toMatchObject({ suite: 'short', problems: 24, samples: 4 });
  const rows = readFileSync(output, 'utf8').trim().split('\n');
  expect(rows).toHaveLength(24 * 4);
  const right = rows.filter((row) => (JSON.parse(row) as { correct: boolean }).correct).length;
  expect(result.accuracy).toBeCloseTo(right / rows.length, 12);
  const [one, two, four] = result.passAtK.map(({ value }) => value);
  expect(one).toBeCloseTo(right / rows.length, 12);
  expect(two).toBeGreaterThan(one);
  expect(four).toBeGreaterThan(two);
  expect(result.majorityAtK[0].value).toBeCloseTo(right / rows.length, 12);
  for (const { value, interval } of [...result.passAtK, ...result.majorityAtK]) {
    expect(interval[0]).toBeLessThan(value);
    expect(interval[1]).toBeGreaterThan(value);
  }
  const again = JSON.parse((await runCli(parameters)).stdout) as { suites: Evaluation[] };
  expect({ ...again.suites[0], seconds: 0 }).toEqual({ ...result, seconds: 0 });
});

test('--compare pairs two checkpoints; a model against itself does not differ', async () => {
  const { code, stdout } = await runCli(['eval', '--model', MODEL, '--suite', file, '--compare', MODEL, '--json']);
  expect(code).toBe(0);
  const [{ first, second, accuracy }] = (JSON.parse(stdout) as { suites: SuiteComparison[] }).suites;
  expect({ ...second, seconds: 0 }).toEqual({ ...first, seconds: 0 });
  expect(accuracy).toMatchObject({ problems: 24, difference: 0, interval: [0, 0], pValue: 1, same: 24 });
});

test('a wrong key of a suite names the nearest, and two suites need two names', async () => {
  writeFileSync(join(folder, 'wrong.yaml'), 'data: { train: arithmetic }\nevaluation: { sampels: 2 }\n');
  const wrong = await runCli(['eval', '--model', MODEL, '--suite', join(folder, 'wrong.yaml')]);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain('did you mean "evaluation.samples"?');
  writeFileSync(join(folder, 'twice.yaml'), JSON.stringify({ suites: [suite(1), suite(2)] }));
  const twice = await runCli(['eval', '--model', MODEL, '--suite', join(folder, 'twice.yaml')]);
  expect(twice.stderr).toContain('are called short; give each a name');
});
