/** The formulas of the roofline against sums done by hand, and the machine's curve that they read. */
import type { NativeMachine } from '../../../binding/native';
import { bandwidthAt, bestOf, peakOf, reportMachine } from '../../../src/bench/machine';
import { boundOf } from '../../../src/bench/roofline';
import { median } from '../../../src/bench/statistics';
import { creditedTokens, makeSequences, type Workload } from '../../../src/bench/workload';
import { tinyConfig } from '../../support/tiny-policy';

/** The same bandwidth at every size. */
const machine = (read: number, peak: number, copy = read): NativeMachine => ({
  bandwidth: [
    { bytes: 1e3, read, copy },
    { bytes: 1e9, read, copy },
  ],
  float32: { own: peak, aten: peak / 2, tiles: 0 },
  bfloat16: { own: peak, aten: 2 * peak, tiles: 9 * peak },
  forkJoin: 1e-6,
});

// hidden 32, intermediate 48, 2 layers, 2 heads and 1 key/value head of 16, vocabulary 1300
const layers = 2 * (32 * 16 * (2 * 2 + 2 * 1) + 3 * 32 * 48);
const head = 1300 * 32;
const workload = (task: Workload['task']): Workload => ({ task, batch: 6, group: 3, prompt: 10, tokens: 4 });

test('a decode step on a slow memory reads the weights and the keys and values once, a group its prompt once', () => {
  const bound = boundOf(workload('sample'), tinyConfig, 0, 'float32', machine(1e9, 1e18));
  const weights = (4 * (layers + head)) / 1e9;
  expect(bound.parts.prefill).toBeCloseTo(weights, 12);
  expect(bound.parts.weights).toBeCloseTo(3 * weights, 12);
  const kvBytes = 2 * 2 * 16 * 4;
  const tokens = [1, 2, 3].reduce((sum, own) => sum + 2 * 10 + 6 * own, 0);
  expect(bound.parts.attention).toBeCloseTo((kvBytes * tokens) / 1e9, 12);
  expect(bound.parts.sampler).toBeCloseTo((4 * 4 * 6 * 1300) / 1e9, 12);
  const half = boundOf(workload('sample'), tinyConfig, 0, 'bfloat16', machine(1e9, 1e18));
  expect(half.parts.weights).toBeCloseTo(bound.parts.weights / 2, 12);
  expect(half.parts.attention).toBeCloseTo(bound.parts.attention / 2, 12);
});

test('with a slow processor the products count: prompts once per group, the head where it predicts', () => {
  const peak = 1e9;
  const sample = boundOf(workload('sample'), tinyConfig, 0, 'float32', machine(1e18, peak));
  const pair = 4 * 2 * 16 * 2;
  expect(sample.parts.prefill).toBeCloseTo((2 * 2 * (layers * 10 + head) + pair * 2 * 55) / peak, 12);
  expect(sample.parts.weights).toBeCloseTo((3 * 2 * 6 * (layers + head)) / peak, 12);
  expect(sample.parts.attention).toBeCloseTo((pair * 6 * (11 + 12 + 13)) / peak, 12);
  const scoring = boundOf(workload('logprobs'), tinyConfig, 0, 'float32', machine(1e18, peak));
  const flops = 2 * layers * (20 + 18) + 2 * head * (2 + 18) + pair * (2 * 55 + 6 * (11 + 12 + 13));
  expect(scoring.flops).toBe(flops);
  expect(scoring.seconds).toBeCloseTo(flops / peak, 12);
});

test('a step is three times scoring and one pass of AdamW', () => {
  const scoring = boundOf(workload('logprobs'), tinyConfig, 0, 'float32', machine(1e18, 1e9));
  const step = boundOf(workload('step'), tinyConfig, 1000, 'float32', machine(1e18, 1e9, 1e6));
  expect(step.parts.optimizer).toBeCloseTo(0.028, 12);
  expect(step.seconds).toBeCloseTo(3 * scoring.seconds + 0.028, 12);
});

test('bandwidth is read off the measured curve, which never rises with the working set', () => {
  const curve: NativeMachine = {
    ...machine(1, 1),
    bandwidth: [
      { bytes: 100, read: 80, copy: 40 },
      { bytes: 1000, read: 20, copy: 40 },
      { bytes: 10_000, read: 30, copy: 10 },
    ],
  };
  expect(bandwidthAt(curve, 1, 'read')).toBe(80);
  expect(bandwidthAt(curve, 100, 'read')).toBe(80);
  expect(bandwidthAt(curve, 1000, 'read')).toBe(30);
  expect(bandwidthAt(curve, Math.sqrt(1e5), 'read')).toBeCloseTo(55, 9);
  expect(bandwidthAt(curve, 1e9, 'read')).toBe(30);
  expect(bandwidthAt(curve, 1e9, 'copy')).toBe(10);
});

test('the better of two measurements counts, and a change of more than 5 % is reported', () => {
  const before = machine(100, 1000);
  const after = machine(90, 1010);
  const best = bestOf(before, after);
  expect(best.bandwidth[1].read).toBe(100);
  expect(peakOf(best, 'float32')).toBe(1010);
  // ATen was faster: the machine has more than our micro-kernel uses.
  expect(peakOf(best, 'bfloat16')).toBe(2020);
  const report = reportMachine(before, after, 'float32');
  expect(report.drift).toBeCloseTo(Math.log(100 / 90), 9);
  expect(report.steady).toBe(false);
  expect(reportMachine(before, machine(99, 1000), 'float32').steady).toBe(true);
});

test('the workload is what its name says', () => {
  const sequences = makeSequences(workload('step'), 50);
  expect(sequences).toHaveLength(6);
  for (const { tokens, promptLength } of sequences) expect([tokens.length, promptLength]).toEqual([14, 10]);
  const prompts = sequences.map(({ tokens }) => Array.from(tokens).slice(0, 10).join());
  expect([new Set(prompts.slice(0, 3)).size, new Set(prompts).size]).toEqual([1, 2]);
  expect(new Set(sequences.map(({ tokens }) => Array.from(tokens).join())).size).toBe(6);
  expect([creditedTokens(workload('sample')), creditedTokens(workload('step'))]).toEqual([24, 84]);
});

test('median', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
});
