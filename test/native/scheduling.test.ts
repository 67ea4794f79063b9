/** What the scheduler of continuous batching promises: slots stay full while work is queued, stops and lengths hold. */
import { Policy } from '../../src';
import { tinyConfig } from '../support/tiny-policy';

// Random weights near zero: every token has a probability of about 1 / vocabulary, so twelve end tokens of 96
// make lengths geometric with mean 8.
const vocabulary = 96;
const stopTokens = Array.from({ length: 12 }, (_, i) => i * 8);

let policy: Policy;
beforeAll(async () => {
  policy = await Policy.create({ ...tinyConfig, vocabSize: vocabulary }, { seed: 5, std: 0.02, threads: 2 });
});
afterAll(() => policy.dispose());

const prompts = Array.from({ length: 200 }, (_, i) => Int32Array.of(i % vocabulary, (i * 7) % vocabulary, 11));

test('at geometric lengths at least 90 % of slot-steps carry a live sequence while work is queued', async () => {
  const rollouts = await policy.sample(prompts, { n: 4, maxTokens: 60, stopTokens, maxBatch: 32, seed: 3 });
  const lengths = rollouts.map(({ tokens }) => tokens.length);
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  expect(mean).toBeGreaterThan(6);
  expect(mean).toBeLessThan(10);
  const stats = policy.lastSampleStats;
  expect(stats?.slotSteps).toBeGreaterThan(1000);
  expect(stats!.liveSlotSteps / stats!.slotSteps).toBeGreaterThanOrEqual(0.9);
  expect(stats?.newTokens).toBe(lengths.reduce((sum, length) => sum + length, 0));
  // Each prompt was computed once for its four samples, or was there from one before it.
  expect(stats!.promptTokens + stats!.cachedTokens).toBe(prompts.length * 3);
  expect(stats?.promptTokens).toBeGreaterThanOrEqual(prompts.length);
});

test('a completion ends at the first end token or at its length, and has a log-prob for every token', async () => {
  const rollouts = await policy.sample(prompts, { n: 2, maxTokens: 10, stopTokens, seed: 4 });
  expect(rollouts).toHaveLength(prompts.length * 2);
  const reasons = new Set<string>();
  for (const { tokens, logProbs, finishReason } of rollouts) {
    reasons.add(finishReason);
    const first = tokens.findIndex((token) => stopTokens.includes(token));
    expect(first).toBe(finishReason === 'stop' ? tokens.length - 1 : -1);
    if (finishReason === 'length') expect(tokens).toHaveLength(10);
    expect(logProbs).toHaveLength(tokens.length);
    expect(logProbs.every((value) => value < 0 && Number.isFinite(value))).toBe(true);
  }
  expect(reasons).toEqual(new Set(['stop', 'length']));
});

test('a completion never runs past the context', async () => {
  const context = tinyConfig.maxPositions;
  const long = Int32Array.from({ length: context - 5 }, (_, i) => i % vocabulary);
  const [rollout] = await policy.sample([long], { maxTokens: 100, stopTokens: [], seed: 1 });
  expect(rollout.tokens).toHaveLength(5);
  expect(rollout.finishReason).toBe('length');
});
