/** Sequences without a gradient are not run, and the step is the one that runs them; a budget that nothing fits is an error. */
import { Policy, type StepOptions, type TrainingSequence } from '../../src';
import { maxDifference } from '../support/golden';
import { createTinyPolicy } from '../support/tiny-policy';

const LENGTHS = [9, 5, 14, 3, 7, 11];
const sequences = (advantages: readonly number[]): TrainingSequence[] =>
  LENGTHS.map((length, i) => ({
    tokens: Array.from({ length: length + 4 }, (_, t) => (41 * i + 13 * t * t + 7) % 1300),
    promptLength: 4,
    advantages: advantages[i],
    oldLogProbs: new Float32Array(length).fill(-6),
  }));
/** References are measured, so that every sequence is run; without a coefficient they add nothing. */
const measured = (all: TrainingSequence[]): TrainingSequence[] =>
  all.map((sequence, i) => ({ ...sequence, referenceLogProbs: new Float32Array(LENGTHS[i]).fill(-6) }));
const MIXED = [1, 0, -0.5, 0, 0, 0.25];
const NONE = LENGTHS.map(() => 0);
const options: StepOptions = { learningRate: 1e-2, weightDecay: 0.1 };

async function weights(policy: Policy): Promise<Float32Array[]> {
  const probes = sequences(NONE).map(({ tokens, promptLength }) => ({ tokens, promptLength }));
  return policy.logProbs(probes);
}

describe.each<[string, StepOptions]>([
  ['reinforce', { objective: 'reinforce' }],
  ['ppo', { objective: 'ppo' }],
  ['gspo', { objective: 'gspo' }],
  ['cispo', { objective: 'cispo' }],
  ['means over sequences', { aggregation: 'seq-mean-token-mean' }],
])('%s', (_, objective) => {
  test('the step is that of all sequences, and its denominators are', async () => {
    using whole = await createTinyPolicy();
    using part = await createTinyPolicy();
    const all = await whole.step(measured(sequences(MIXED)), { ...options, ...objective });
    const some = await part.step(sequences(MIXED), { ...options, ...objective });
    expect(some).toMatchObject({ tokens: all.tokens, measuredTokens: 9 + 14 + 11, totalTokens: 9 + 14 + 11 + 3 * 4 });
    expect(all.measuredTokens).toBe(all.tokens);
    expect(some.loss).toBeCloseTo(all.loss, 6);
    expect(some.clipFraction).toBeCloseTo(all.clipFraction, 6);
    expect(Math.abs(some.gradNorm / all.gradNorm - 1)).toBeLessThan(1e-5);
    const expected = await weights(whole);
    (await weights(part)).forEach((values, i) => expect(maxDifference(values, expected[i])).toBeLessThan(1e-4));
  });
});

test('without any gradient nothing is run, while decay and moments act as they would', async () => {
  using whole = await createTinyPolicy();
  using part = await createTinyPolicy();
  for (const policy of [whole, part]) await policy.step(sequences(MIXED), options);
  const all = await whole.step(measured(sequences(NONE)), options);
  const none = await part.step(sequences(NONE), options);
  expect(none).toMatchObject({ tokens: all.tokens, measuredTokens: 0, totalTokens: 0, microBatches: 0, gradNorm: 0 });
  expect(none.applied).toBe(true);
  expect(await weights(part)).toEqual(await weights(whole));
});

test('an entropy term runs every sequence', async () => {
  using policy = await createTinyPolicy();
  const stats = await policy.step(sequences(NONE), { ...options, entropyCoefficient: 0.1 });
  expect(stats.measuredTokens).toBe(stats.tokens);
  expect(stats.gradNorm).toBeGreaterThan(0);
});

test('a budget that one sequence does not fit is an error that names the key, and changes nothing', async () => {
  using policy = await createTinyPolicy();
  const before = await weights(policy);
  await expect(policy.step(sequences(MIXED), { ...options, memoryBudgetMiB: 1e-3 })).rejects.toMatchObject({
    code: 'ERR_ZERO_RL_OUT_OF_MEMORY',
    message: expect.stringMatching(/^A sequence of \d+ tokens takes .* raise memoryBudgetMiB or memoryMiB/) as string,
  });
  expect(await weights(policy)).toEqual(before);
});
