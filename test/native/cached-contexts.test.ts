/**
 * Keys and values stay after the sequences that they were computed for: what goes on from a context computes only what is new,
 * and has the bits of what is computed at once. Weights that change end it, and memory that is short costs time alone.
 */
import { Policy, type Rollout } from '../../src';
import { differingResults } from '../support/bits';
import { tinyConfig } from '../support/tiny-policy';

const config = { ...tinyConfig, maxPositions: 5000, vocabSize: 211 };
const create = (options: { threads?: number; memoryMiB?: number } = {}): Promise<Policy> =>
  Policy.create(config, { device: 'cpu', seed: 3, std: 0.2, threads: 2, ...options });

const tokensOf = (key: number, length: number): Int32Array =>
  Int32Array.from({ length }, (_, t) => (key * 131 + t * 29 + key * t + ((t * t) % 7)) % config.vocabSize);
const joined = (...parts: Int32Array[]): Int32Array => Int32Array.from(parts.flatMap((part) => Array.from(part)));

const logProbsOf = (rollouts: Rollout[]): Float32Array[] => rollouts.map(({ logProbs }) => logProbs);
const tokensIn = (rollouts: Rollout[]): number[][] => rollouts.map(({ tokens }) => Array.from(tokens));

/** The scores of completions, which a pass of its own computes without any cache. */
const scores = (policy: Policy, prompts: Int32Array[], rollouts: Rollout[]): Promise<Float32Array[]> =>
  policy.logProbs(
    rollouts.map(({ prompt, tokens }) => ({
      tokens: joined(prompts[prompt], tokens),
      promptLength: prompts[prompt].length,
    })),
  );

let policy: Policy;
beforeEach(async () => (policy = await create()));
afterEach(() => policy.dispose());

const options = { maxTokens: 40, stopTokens: [] as number[], seed: 6 };

test.each([1, 31, 32, 33, 64, 100])('a prompt of %i tokens is computed once for all later calls', async (length) => {
  const prompt = tokensOf(1, length);
  const first = await policy.sample([prompt], { ...options, n: 3 });
  expect(policy.lastSampleStats).toMatchObject({ promptTokens: length, cachedTokens: 0 });
  const again = await policy.sample([prompt], { ...options, n: 3 });
  expect(policy.lastSampleStats).toMatchObject({ promptTokens: 1, cachedTokens: length - 1 });
  expect(tokensIn(again)).toEqual(tokensIn(first));
  expect(differingResults(logProbsOf(again), logProbsOf(first))).toBe('');
  expect(differingResults(logProbsOf(again), await scores(policy, [prompt], again))).toBe('');
});

test('prompts with one beginning compute it once, also within a call', async () => {
  const beginning = tokensOf(2, 70);
  const prompts = Array.from({ length: 9 }, (_, i) => joined(beginning, tokensOf(10 + i, 5 + i)));
  const rollouts = await policy.sample(prompts, options);
  // Within the call by whole pages of 32 tokens.
  const own = prompts.reduce((sum, prompt) => sum + prompt.length - 64, 0);
  expect(policy.lastSampleStats).toMatchObject({ promptTokens: 64 + own, cachedTokens: 8 * 64 });
  expect(differingResults(logProbsOf(rollouts), await scores(policy, prompts, rollouts))).toBe('');
  const other = joined(beginning, tokensOf(99, 3));
  await policy.sample([other], options);
  expect(policy.lastSampleStats).toMatchObject({ promptTokens: 3, cachedTokens: 70 });
});

test('turns of an episode compute their new tokens alone, and have the bits of the whole', async () => {
  let context = tokensOf(3, 45);
  let computed = 0;
  for (let turn = 0; turn < 6; turn++) {
    const [rollout] = await policy.sample([context], { ...options, maxTokens: 17, seed: turn });
    const { promptTokens, cachedTokens } = policy.lastSampleStats!;
    expect(promptTokens + cachedTokens).toBe(context.length);
    // The last token that was drawn was never read.
    expect(promptTokens).toBe(turn === 0 ? 45 : 8 + 1);
    computed += promptTokens;
    expect(differingResults([rollout.logProbs], await scores(policy, [context], [rollout]))).toBe('');
    context = joined(context, rollout.tokens, tokensOf(50 + turn, 8));
  }
  expect(computed).toBe(45 + 5 * 9);
});

test('after a step nothing of the weights before is left', async () => {
  const prompt = tokensOf(4, 90);
  const before = await policy.sample([prompt], options);
  await policy.step([{ tokens: joined(prompt, before[0].tokens), promptLength: 90, advantages: 1 }], {
    learningRate: 0.01,
  });
  const after = await policy.sample([prompt], options);
  expect(policy.lastSampleStats).toMatchObject({ promptTokens: 90, cachedTokens: 0 });
  expect(differingResults(logProbsOf(after), logProbsOf(before))).not.toBe('');
  expect(differingResults(logProbsOf(after), await scores(policy, [prompt], after))).toBe('');
});

test('a prompt of several passes is computed in chunks between the steps of others, with the bits of one pass', async () => {
  const long = tokensOf(5, 2900);
  const short = Array.from({ length: 4 }, (_, i) => tokensOf(20 + i, 10));
  const [alone, beside] = await Promise.all([
    policy.sample([long], { ...options, maxTokens: 20 }),
    policy.sample(short, { ...options, maxTokens: 90 }),
  ]);
  expect(differingResults(logProbsOf(alone), await scores(policy, [long], alone))).toBe('');
  expect(differingResults(logProbsOf(beside), await scores(policy, short, beside))).toBe('');
});

describe('with memory for few tokens', () => {
  // Of 1 MiB the weights take a fifth; a page of 32 tokens takes 8 KiB.
  const prompts = Array.from({ length: 40 }, (_, i) => tokensOf(30 + i, 5 + ((i * 11) % 60)));
  const many = { ...options, n: 2, maxTokens: 150, maxBatch: 24, uids: prompts.map((_, i) => 7 * i) };

  test('sequences lose their rows and go on later with the same bits', async () => {
    const expected = await policy.sample(prompts, many);
    using small = await create({ memoryMiB: 1 });
    const rollouts = await small.sample(prompts, many);
    const length = prompts.reduce((sum, prompt) => sum + prompt.length, 0);
    // Some contexts were computed again.
    const { promptTokens, cachedTokens } = small.lastSampleStats!;
    expect(promptTokens + cachedTokens).toBeGreaterThan(2 * length);
    expect(tokensIn(rollouts)).toEqual(tokensIn(expected));
    expect(differingResults(logProbsOf(rollouts), logProbsOf(expected))).toBe('');
  });

  test('one that does not fit alone ends with an error that names the keys; others go on', async () => {
    using small = await create({ memoryMiB: 1 });
    const beside = small.sample(prompts.slice(0, 3), options);
    await expect(small.sample([tokensOf(6, 4900)], options)).rejects.toMatchObject({
      code: 'ERR_ZERO_RL_OUT_OF_MEMORY',
      message: expect.stringMatching(/memoryMiB.*maxTokens/) as string,
    });
    await expect(beside).resolves.toHaveLength(3);
    await expect(small.sample([tokensOf(7, 300)], options)).resolves.toHaveLength(1);
    // It fits at first, and grows beyond the memory.
    await expect(small.sample([tokensOf(8, 100)], { ...options, maxTokens: 4800 })).rejects.toMatchObject({
      code: 'ERR_ZERO_RL_OUT_OF_MEMORY',
    });
    await expect(small.sample([tokensOf(9, 300)], options)).resolves.toHaveLength(1);
  });
});

test('entropies are those of the distribution that log-probs are of', async () => {
  const prompt = tokensOf(11, 12);
  for (const temperature of [0, 0.7, 1.5]) {
    const [{ tokens, entropies }] = await policy.sample([prompt], { ...options, maxTokens: 4, temperature, topK: 20 });
    expect(entropies).toHaveLength(tokens.length);
    for (const [t, entropy] of entropies.entries()) {
      const context = joined(prompt, tokens.subarray(0, t));
      const rows = await policy.logProbs(
        Array.from({ length: config.vocabSize }, (_, next) => ({
          tokens: [...context, next],
          promptLength: context.length,
        })),
        { temperature: temperature === 0 ? 1 : temperature },
      );
      const expected = rows.reduce((sum, [value]) => sum - value * Math.exp(value), 0);
      expect(Math.abs(entropy - expected)).toBeLessThan(1e-4);
    }
  }
});
