/** The operators of devices, run on the CPU, against the kernels of the CPU: the same completions, log-probs and steps. */
import { rmSync } from 'node:fs';
import { Policy, type Rollout, type SampleOptions } from '../../src';
import { writeFixtureModel } from '../support/fixture-model';
import { asTraining, logitsGolden, maxDifference, stepsGolden } from '../support/golden';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

const deviceEngine = process.env.ZERO_RL_TEST_DEVICE_ENGINE;

/** The two engines; `open` is called once under each. */
async function bothEngines(open: () => Promise<Policy>): Promise<{ device: Policy; cpu: Policy }> {
  const device = await open();
  delete process.env.ZERO_RL_TEST_DEVICE_ENGINE;
  try {
    return { device, cpu: await open() };
  } finally {
    process.env.ZERO_RL_TEST_DEVICE_ENGINE = deviceEngine;
  }
}

function expectSame(actual: Rollout[], expected: Rollout[], tolerance = 1e-4): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, rollout] of expected.entries()) {
    expect(Array.from(actual[i].tokens)).toEqual(Array.from(rollout.tokens));
    expect(maxDifference(actual[i].logProbs, rollout.logProbs)).toBeLessThan(tolerance);
    expect(maxDifference(actual[i].logMass ?? [], rollout.logMass ?? [])).toBeLessThan(tolerance);
    expect(actual[i].keptTokens).toEqual(rollout.keptTokens);
    expect(actual[i].finishReason).toBe(rollout.finishReason);
  }
}

describe('random weights, a trained tokenizer', () => {
  let device: Policy;
  let cpu: Policy;
  beforeAll(async () => {
    ({ device, cpu } = await bothEngines(() => createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens: [7] })));
  });
  afterAll(() => [device, cpu].forEach((policy) => policy.dispose()));

  const prompts = Array.from({ length: 9 }, (_, i) => Array.from({ length: 1 + 3 * i }, (_, j) => 11 * i + 5 * j + 2));
  const stops = Array.from({ length: 60 }, (_, i) => i);

  test.each<[string, SampleOptions]>([
    ['few rows, many samples', { n: 5, maxTokens: 30, stopTokens: stops, maxBatch: 7 }],
    ['one row', { n: 2, maxTokens: 9, stopTokens: stops, maxBatch: 1 }],
    ['one new token', { n: 3, maxTokens: 1, stopTokens: stops }],
    ['no stops, to the end of the context', { maxTokens: 64, stopTokens: [] }],
    ['top-k, top-p and min-p', { n: 4, maxTokens: 20, topK: 40, topP: 0.9, minP: 0.002, temperature: 1.3 }],
    [
      'kept tokens',
      { n: 4, maxTokens: 40, topK: 40, topP: 0.9, temperature: 1.3, stopTokens: stops, keptTokens: true },
    ],
    ['kept tokens to a stop string', { n: 4, maxTokens: 40, topP: 0.5, stopStrings: ['a', 'er'], keptTokens: true }],
    ['the most likely token', { maxTokens: 20, temperature: 0 }],
    ['stop strings', { n: 4, maxTokens: 40, stopTokens: [], stopStrings: ['a', 'er'] }],
  ])('sampling: %s', async (_, options) => {
    const [actual, expected] = [
      await device.sample(prompts, { seed: 9, ...options }),
      await cpu.sample(prompts, { seed: 9, ...options }),
    ];
    expectSame(actual, expected);
    expect(device.lastSampleStats!.newTokens).toBe(cpu.lastSampleStats!.newTokens);
    expect(device.lastSampleStats!.promptTokens).toBe(cpu.lastSampleStats!.promptTokens);
  });

  test('memory kept from a larger request serves a smaller one', async () => {
    const options = { n: 2, maxTokens: 12, stopTokens: stops, seed: 3 };
    await device.sample(prompts, { ...options, n: 6 });
    expectSame(await device.sample(prompts.slice(2, 4), options), await cpu.sample(prompts.slice(2, 4), options));
  });

  test('sampling after a step follows the new weights; follow copies to and from the other engine', async () => {
    const sequences = [{ tokens: prompts[5], promptLength: 3, advantages: 1 }];
    for (const policy of [device, cpu]) await policy.step(sequences, { learningRate: 1e-2 });
    const options = { n: 2, maxTokens: 12, stopTokens: stops, seed: 4 };
    await cpu.follow(device, 1);
    expectSame(await device.sample(prompts, options), await cpu.sample(prompts, options));
    await cpu.step(sequences, { learningRate: 1e-2 });
    await device.follow(cpu, 1);
    expectSame(await device.sample(prompts, options), await cpu.sample(prompts, options));
  });
});

describe.each(logitsGolden().cases)('bfloat16 $name', (reference) => {
  test('log-probs are as near as rounding lets them', async () => {
    const folder = writeFixtureModel(reference);
    const { device, cpu } = await bothEngines(() =>
      Policy.load(folder, { device: 'cpu', dtype: 'bfloat16', threads: 2 }),
    );
    try {
      const [actual, expected] = [await device.logProbs(reference.sequences), await cpu.logProbs(reference.sequences)];
      const differences = expected.flatMap((values, i) => Array.from(values, (v, t) => Math.abs(v - actual[i][t])));
      expect(differences.reduce((sum, value) => sum + value, 0) / differences.length).toBeLessThan(0.03);
    } finally {
      [device, cpu].forEach((policy) => policy.dispose());
      rmSync(folder, { recursive: true });
    }
  });
});

describe.each([
  { masterWeights: true, moments: 'device' },
  { masterWeights: true, moments: 'bfloat16' },
  { masterWeights: true, moments: 'host' },
  { masterWeights: false, moments: 'device' },
] as const)('bfloat16 steps, master weights $masterWeights, moments $moments', ({ masterWeights, moments }) => {
  test('loss, norm and entropy stay near those of float32', async () => {
    const [reference] = stepsGolden().cases;
    const folder = writeFixtureModel(reference);
    const policy = await Policy.load(folder, { device: 'cpu', dtype: 'bfloat16', masterWeights, moments, threads: 2 });
    try {
      for (const [step, expected] of reference.stats.entries()) {
        const stats = await policy.step(
          asTraining(reference.batches[step % reference.batches.length]),
          reference.options,
        );
        expect(stats.applied).toBe(true);
        expect(Math.abs(stats.gradNorm / expected.gradNorm - 1)).toBeLessThan(0.1);
        expect(Math.abs(stats.entropy - expected.entropy)).toBeLessThan(0.1);
      }
    } finally {
      policy.dispose();
      rmSync(folder, { recursive: true });
    }
  });
});

test('moments elsewhere than on the device need a device', async () => {
  delete process.env.ZERO_RL_TEST_DEVICE_ENGINE;
  try {
    await expect(createTinyPolicy({ moments: 'host' })).rejects.toThrow('"device" with the device cpu');
  } finally {
    process.env.ZERO_RL_TEST_DEVICE_ENGINE = deviceEngine;
  }
});
