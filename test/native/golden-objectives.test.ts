/** Further objectives, the entropy term and a critic against float64 PyTorch (test/golden/objectives.py). */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Critic, Policy, type ValueSequence } from '../../src';
import { temporaryFolder, writeFixtureModel, type FixtureModel } from '../support/fixture-model';
import { asTraining, decodeFloats, maxDifference, objectivesGolden, type CriticCase } from '../support/golden';
import { readSafetensors, readSafetensorsFile } from '../support/read-safetensors';

const golden = objectivesGolden();
const CPU = { device: 'cpu', dtype: 'float32', threads: 2 } as const;
const folders: string[] = [];
const fixture = (model: FixtureModel): string => {
  const folder = writeFixtureModel(model);
  folders.push(folder);
  return folder;
};
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

/** Names of the parameters of `final` that a save holds otherwise. */
async function wrongParameters(policy: Policy | Critic, final: Record<string, string>): Promise<string[]> {
  const folder = temporaryFolder();
  folders.push(folder);
  await policy.save(folder);
  const saved = new Map([...readSafetensors(folder)].map(([name, { values }]) => [name, values]));
  return Object.keys(final).filter((name) => maxDifference(saved.get(name)!, decodeFloats(final[name])) > 2e-5);
}

test.each(golden.cases)('$name', async (reference) => {
  const { batches, options, stats: expected, final } = reference;
  using policy = await Policy.load(fixture(reference), CPU);
  for (let step = 0; step < golden.steps; step++) {
    const stats = await policy.step(asTraining(batches[step % batches.length]), options);
    expect(Math.abs(stats.loss - expected[step].loss)).toBeLessThan(1e-4);
    expect(Math.abs(stats.gradNorm / expected[step].gradNorm - 1)).toBeLessThan(1e-4);
    expect(Math.abs(stats.entropy - expected[step].entropy)).toBeLessThan(1e-4);
  }
  expect(await wrongParameters(policy, final)).toEqual([]);
});

test.each(golden.cases)('$name: micro-batches change the step by rounding only', async (reference) => {
  const batch = asTraining(reference.batches[0]);
  using policy = await Policy.load(fixture(reference), CPU);
  using other = await Policy.load(fixture(reference), CPU);
  const whole = await policy.step(batch, reference.options);
  const split = await other.step(batch, { ...reference.options, memoryBudgetMiB: 0.25 });
  expect(split.microBatches).toBeGreaterThan(1);
  expect(Math.abs(split.gradNorm / whole.gradNorm - 1)).toBeLessThan(2e-6);
});

test('the entropy term in bfloat16 is near', async () => {
  const reference = golden.cases.find(({ name }) => name === 'reinforce-entropy')!;
  const batch = asTraining(reference.batches[0]).map((sequence) => ({ ...sequence, advantages: 0 }));
  using policy = await Policy.load(fixture(reference), CPU);
  using rounded = await Policy.load(fixture(reference), { ...CPU, dtype: 'bfloat16' });
  const options = { entropyCoefficient: 1, learningRate: 0, maxGradNorm: 0 };
  const [exact, near] = [await policy.step(batch, options), await rounded.step(batch, options)];
  expect(exact.loss).toBeCloseTo(-exact.entropy, 5);
  expect(exact.gradNorm).toBeGreaterThan(0.01);
  expect(Math.abs(near.gradNorm / exact.gradNorm - 1)).toBeLessThan(0.05);
});

test('a step on the entropy raises it', async () => {
  const reference = golden.cases.find(({ name }) => name === 'reinforce-entropy')!;
  const batch = asTraining(reference.batches[0]).map((sequence) => ({ ...sequence, advantages: 0 }));
  using policy = await Policy.load(fixture(reference), CPU);
  const before = await policy.step(batch, { entropyCoefficient: 1, learningRate: 1e-3 });
  const after = await policy.step(batch, { entropyCoefficient: 1, learningRate: 0 });
  expect(after.entropy).toBeGreaterThan(before.entropy);
});

const asValue = (batch: CriticCase['batches'][number]): ValueSequence[] =>
  batch.map(({ mask, ...rest }) => ({ ...rest, ...(mask === undefined ? {} : { mask: Uint8Array.from(mask) }) }));

/** Starts at V = 0, and the steps of the case have its figures. */
async function follows(
  critic: Pick<Critic, 'values' | 'step'>,
  { batches, options, stats: expected }: CriticCase,
): Promise<void> {
  for (const row of await critic.values(batches[0])) expect(row.every((value) => value === 0)).toBe(true);
  for (let step = 0; step < golden.steps; step++) {
    const stats = await critic.step(asValue(batches[step % batches.length]), options);
    expect(stats.applied).toBe(true);
    expect(Math.abs(stats.loss - expected[step].loss)).toBeLessThan(1e-5);
    expect(Math.abs(stats.gradNorm / expected[step].gradNorm - 1)).toBeLessThan(1e-4);
    expect(stats.clipFraction).toBeCloseTo(expected[step].clipFraction, 6);
  }
}

describe('a critic', () => {
  const { batches, options, values, final } = golden.critic;

  test('starts at V = 0 and follows PyTorch', async () => {
    using critic = await Critic.load(fixture(golden.critic), CPU);
    await follows(critic, golden.critic);
    const after = await critic.values(batches[0]);
    after.forEach((row, i) => expect(maxDifference(row, decodeFloats(values[i]))).toBeLessThan(1e-4));
    expect(await wrongParameters(critic, final)).toEqual([]);
  });

  test('goes on bit for bit after a save, and is no policy', async () => {
    using critic = await Critic.load(fixture(golden.critic), CPU);
    await critic.step(asValue(batches[0]), options);
    const folder = join(temporaryFolder(), 'critic');
    folders.push(folder);
    await critic.save(folder);
    await critic.saveTrainingState(folder);
    using resumed = await Critic.load(folder, CPU);
    await resumed.loadTrainingState(folder);
    for (const each of [critic, resumed]) await each.step(asValue(batches[1]), options);
    expect(await resumed.values(batches[0])).toEqual(await critic.values(batches[0]));
    await expect(Policy.load(folder, CPU)).rejects.toThrow('value_head.weight');
  });

  test('in bfloat16 its values are near', async () => {
    using critic = await Critic.load(fixture(golden.critic), CPU);
    using rounded = await Critic.load(fixture(golden.critic), { ...CPU, dtype: 'bfloat16' });
    for (let step = 0; step < 4; step++)
      for (const each of [critic, rounded]) await each.step(asValue(batches[step % 2]), options);
    const [exact, near] = [await critic.values(batches[0]), await rounded.values(batches[0])];
    exact.forEach((row, i) => expect(maxDifference(row, near[i])).toBeLessThan(0.1));
  });

  test('its arguments are checked', async () => {
    using critic = await Critic.load(fixture(golden.critic), CPU);
    const sequence = { tokens: [1, 2, 3], promptLength: 1, returns: [0, 1] };
    await expect(critic.step([sequence])).rejects.toThrow('values (clip is not 0) for sequences[0].oldValues');
    await expect(critic.step([{ ...sequence, returns: [0] }], { clip: 0 })).rejects.toThrow('sequences[0].returns');
    await expect(critic.step([], { clip: 0 })).rejects.toThrow('at least one sequence');
  });
});

describe('a critic on the trunk', () => {
  const { batches, options, values, final } = golden.trunkCritic;

  test('follows PyTorch and leaves the policy as it was', async () => {
    using policy = await Policy.load(fixture(golden.trunkCritic), CPU);
    const before = await policy.logProbs(batches[0]);
    const critic = policy.trunkCritic();
    await follows(critic, golden.trunkCritic);
    const after = await critic.values(batches[0]);
    after.forEach((row, i) => expect(maxDifference(row, decodeFloats(values[i]))).toBeLessThan(2e-5));
    const folder = temporaryFolder();
    folders.push(folder);
    await critic.save(folder);
    const [head] = readSafetensorsFile(join(folder, 'value_head.safetensors')).values();
    expect(maxDifference(head.values, decodeFloats(final['value_head.weight']))).toBeLessThan(2e-5);
    expect(await policy.logProbs(batches[0])).toEqual(before);
    expect(policy.optimizerSteps).toBe(0);
  });

  test('goes on bit for bit after its state was read, and steps asked for at once are taken in turn', async () => {
    using policy = await Policy.load(fixture(golden.trunkCritic), CPU);
    const critic = policy.trunkCritic();
    await critic.step(asValue(batches[0]), options);
    const folder = temporaryFolder();
    folders.push(folder);
    await critic.saveTrainingState(folder);
    const resumed = policy.trunkCritic();
    await resumed.loadTrainingState(folder);
    for (const batch of [batches[1], batches[0]]) await critic.step(asValue(batch), options);
    await Promise.all([batches[1], batches[0]].map((batch) => resumed.step(asValue(batch), options)));
    expect(await resumed.values(batches[0])).toEqual(await critic.values(batches[0]));
  });

  test('an aborted step, and a state of another model, leave it as it was', async () => {
    using policy = await Policy.load(fixture(golden.trunkCritic), CPU);
    const critic = policy.trunkCritic();
    await critic.step(asValue(batches[0]), options);
    const before = await critic.values(batches[0]);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(critic.step(asValue(batches[0]), { ...options, signal })).rejects.toThrow('enough');
    const folder = temporaryFolder();
    folders.push(folder);
    await policy.saveTrainingState(folder);
    await expect(critic.loadTrainingState(folder)).rejects.toThrow('no float32 tensor master of 32 elements');
    expect(await critic.values(batches[0])).toEqual(before);
    policy.dispose();
    await expect(critic.values(batches[0])).rejects.toThrow('disposed');
  });

  test('in bfloat16 its values are near', async () => {
    using policy = await Policy.load(fixture(golden.trunkCritic), CPU);
    using rounded = await Policy.load(fixture(golden.trunkCritic), { ...CPU, dtype: 'bfloat16' });
    const critics = [policy, rounded].map((each) => each.trunkCritic());
    for (let step = 0; step < 4; step++)
      for (const each of critics) await each.step(asValue(batches[step % 2]), options);
    const [exact, near] = await Promise.all(critics.map((each) => each.values(batches[0])));
    exact.forEach((row, i) => expect(maxDifference(row, near[i])).toBeLessThan(0.1));
  });
});

test('a policy that follows another takes its place or goes part of the way', async () => {
  const [model] = golden.cases;
  using policy = await Policy.load(fixture(model), CPU);
  using follower = await Policy.load(fixture(model), CPU);
  const sequences = asTraining(model.batches[0]);
  const before = await follower.logProbs(sequences);
  await policy.step(sequences, { ...model.options, learningRate: 0.05 });
  const target = await policy.logProbs(sequences);
  await follower.follow(policy, 0);
  expect(await follower.logProbs(sequences)).toEqual(before);
  await follower.follow(policy, 0.5);
  expect(maxDifference((await follower.logProbs(sequences))[0], target[0])).toBeGreaterThan(1e-3);
  await follower.follow(policy, 1);
  expect(await follower.logProbs(sequences)).toEqual(target);
  using other = await Policy.load(fixture(golden.cases[2]), CPU);
  await expect(other.follow(policy, 1)).rejects.toThrow('policy with the same parameters');
});
