/** Ten AdamW policy-gradient steps against float64 PyTorch (test/golden/steps.py). */
import { rmSync } from 'node:fs';
import { Policy } from '../../src';
import { temporaryFolder, writeFixtureModel } from '../support/fixture-model';
import { asTraining, decodeFloats, maxDifference, stepsGolden } from '../support/golden';
import { readSafetensors } from '../support/read-safetensors';

const golden = stepsGolden();
const CPU = { device: 'cpu', dtype: 'float32', threads: 2 } as const;

/** Parameters by name after `act`, through a float32 save. */
async function parametersOf(policy: Policy): Promise<Map<string, Float32Array>> {
  const folder = temporaryFolder();
  try {
    await policy.save(folder);
    return new Map([...readSafetensors(folder)].map(([name, { values }]) => [name, values]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.each(golden.cases)('$name', (reference) => {
  let folder: string;
  let policy: Policy;

  beforeEach(async () => {
    folder = writeFixtureModel(reference);
    policy = await Policy.load(folder, CPU);
  });
  afterEach(() => {
    policy.dispose();
    rmSync(folder, { recursive: true });
  });

  test('loss, norm and entropy of every step and every parameter after ten steps', async () => {
    const { batches, options } = reference;
    for (let step = 0; step < golden.steps; step++) {
      const stats = await policy.step(asTraining(batches[step % batches.length]), options);
      const expected = reference.stats[step];
      expect(stats.applied).toBe(true);
      expect(Math.abs(stats.loss - expected.loss)).toBeLessThan(1e-4);
      expect(Math.abs(stats.gradNorm / expected.gradNorm - 1)).toBeLessThan(1e-4);
      expect(Math.abs(stats.entropy - expected.entropy)).toBeLessThan(1e-4);
      if (expected.kl !== undefined) expect(Math.abs(stats.kl - expected.kl)).toBeLessThan(1e-4);
    }
    const actual = await parametersOf(policy);
    expect([...actual.keys()].sort()).toEqual(Object.keys(reference.final).sort());
    const differences = Object.entries(reference.final).map(([name, values]) => ({
      name,
      far: maxDifference(actual.get(name)!, decodeFloats(values)) > 2e-5,
    }));
    expect(differences.filter(({ far }) => far)).toEqual([]);
  });

  test('micro-batches change the step by rounding only', async () => {
    const other = await Policy.load(folder, CPU);
    try {
      const batch = asTraining(reference.batches[0]);
      const whole = await policy.step(batch, reference.options);
      const split = await other.step(batch, { ...reference.options, memoryBudgetMiB: 0.25 });
      expect(whole.microBatches).toBe(1);
      expect(split.microBatches).toBeGreaterThan(1);
      expect(Math.abs(split.gradNorm / whole.gradNorm - 1)).toBeLessThan(1e-6);
      expect(Math.abs(split.loss - whole.loss)).toBeLessThan(1e-6 * Math.max(1, Math.abs(whole.loss)));
      const [left, right] = [await parametersOf(policy), await parametersOf(other)];
      for (const [name, values] of left) expect(maxDifference(right.get(name)!, values)).toBeLessThan(1e-6);
    } finally {
      other.dispose();
    }
  });

  test('activations that are computed again for want of memory change no bit', async () => {
    const other = await Policy.load(folder, CPU);
    try {
      const [sequence] = asTraining(reference.batches[0]);
      await policy.step([sequence], reference.options);
      await other.step([sequence], { ...reference.options, memoryBudgetMiB: 0.25 });
      expect(await parametersOf(other)).toEqual(await parametersOf(policy));
    } finally {
      other.dispose();
    }
  });
});
