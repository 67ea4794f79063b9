/** bfloat16 weights: trained through float32 masters, or without them by stochastic rounding. */
import { rmSync } from 'node:fs';
import { Policy, type PolicyOptions } from '../../src';
import { temporaryFolder } from '../support/fixture-model';
import { maxDifference } from '../support/golden';
import { readSafetensors } from '../support/read-safetensors';
import { tinyConfig } from '../support/tiny-policy';

const withMasters = { device: 'cpu', dtype: 'bfloat16', threads: 2 } as const;
const withoutMasters = { ...withMasters, masterWeights: false } as const;
const folders: string[] = [];
const policies: Policy[] = [];

async function create(options: PolicyOptions): Promise<Policy> {
  const policy = await Policy.create(tinyConfig, { seed: 3, std: 0.2, ...options });
  policies.push(policy);
  return policy;
}

function folder(): string {
  folders.push(temporaryFolder());
  return folders.at(-1)!;
}

afterEach(() => {
  for (const policy of policies.splice(0)) policy.dispose();
  for (const path of folders.splice(0)) rmSync(path, { recursive: true });
});

/** All weights one after the other, as float32. */
async function weightsOf(policy: Policy): Promise<Float32Array> {
  const path = folder();
  await policy.save(path, { dtype: 'F32' });
  const tensors = [...readSafetensors(path)].sort(([a], [b]) => (a < b ? -1 : 1));
  return Float32Array.from(tensors.flatMap(([, { values }]) => [...values]));
}

const batch = Array.from({ length: 6 }, (_, i) => ({
  tokens: Array.from({ length: 20 }, (_, t) => (7 * i + 3 * t + 1) % tinyConfig.vocabSize),
  promptLength: 5,
  advantages: i % 2 ? 1 : -1,
}));

async function trained(policy: Policy, steps: number, learningRate: number): Promise<Float32Array> {
  for (let step = 0; step < steps; step++) await policy.step(batch, { learningRate });
  return weightsOf(policy);
}

const difference = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, i) => value - b[i]);
const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i], 0);

describe('steps far smaller than the spacing of bfloat16', () => {
  // Most weights are near 0.2, where bfloat16 values are 1e-3 apart; 20 steps of Adam move them by 2e-4 at most.
  const [steps, learningRate] = [20, 1e-5];

  test('are kept by the masters', async () => {
    const before = await weightsOf(await create(withMasters));
    const moved = difference(await trained(await create(withMasters), steps, learningRate), before);
    const exact = difference(
      await trained(await create({ ...withMasters, dtype: 'float32' }), steps, learningRate),
      await weightsOf(await create({ ...withMasters, dtype: 'float32' })),
    );
    expect(dot(moved, exact) / Math.sqrt(dot(moved, moved) * dot(exact, exact))).toBeGreaterThan(0.9);
    expect(dot(moved, moved) / dot(exact, exact)).toBeCloseTo(1, 1);
  });

  test('count on average without masters', async () => {
    const before = await weightsOf(await create(withoutMasters));
    const masters = difference(
      await trained(await create(withMasters), steps, learningRate),
      await weightsOf(await create(withMasters)),
    );
    const rounded = difference(await trained(await create(withoutMasters), steps, learningRate), before);
    // Each weight stands still or jumps; along the way of the masters the jumps add up to it.
    expect(dot(rounded, masters) / dot(masters, masters)).toBeGreaterThan(0.8);
    expect(dot(rounded, masters) / dot(masters, masters)).toBeLessThan(1.2);
  });
});

test.each([
  ['with masters', withMasters],
  ['without masters', withoutMasters],
])('%s a saved training state goes on bit for bit', async (_, options) => {
  const policy = await create(options);
  await trained(policy, 2, 1e-3);
  const path = folder();
  await policy.save(path);
  await policy.saveTrainingState(path);
  const loaded = await Policy.load(path, options);
  policies.push(loaded);
  await loaded.loadTrainingState(path);
  const [left, right] = [await policy.step(batch), await loaded.step(batch)];
  expect(right.gradNorm).toBe(left.gradNorm);
  expect(maxDifference(await weightsOf(policy), await weightsOf(loaded))).toBe(0);
});

test('the gradients of micro-batches are added in float32 without masters too', async () => {
  const [whole, split] = [await create(withoutMasters), await create(withoutMasters)];
  const first = await whole.step(batch, { memoryBudgetMiB: 64 });
  const second = await split.step(batch, { memoryBudgetMiB: 0.32 });
  expect(second.microBatches).toBeGreaterThan(first.microBatches);
  expect(Math.abs(second.gradNorm / first.gradNorm - 1)).toBeLessThan(1e-4);
});

test('float32 weights are their own masters', async () => {
  await expect(create({ device: 'cpu', dtype: 'float32', masterWeights: false })).rejects.toThrow(
    /Expected true with dtype float32.* for masterWeights/,
  );
});
