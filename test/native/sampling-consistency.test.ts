/** A completion depends on prompt, seed and uid alone, and its log-probs are those that `logProbs` computes. */
import { rmSync } from 'node:fs';
import { Policy, type Rollout } from '../../src';
import { writeFixtureModel } from '../support/fixture-model';
import { logitsGolden, maxDifference } from '../support/golden';

const references = logitsGolden().cases.filter(({ name }) =>
  [
    'qwen2-grouped-tied',
    'qwen3-multihead-linear-rope',
    'llama-multiquery-llama3-rope',
    'olmo2-grouped-untied',
    'smollm3-grouped-interval-tied',
  ].includes(name),
);
// One thread: these are many small calls, which two threads of a busy machine only slow down.
const CPU = { device: 'cpu', dtype: 'float32', threads: 1 } as const;

describe.each(references)('$name', (reference) => {
  let folder: string;
  let policy: Policy;
  beforeAll(async () => {
    folder = writeFixtureModel(reference);
    policy = await Policy.load(folder, CPU);
  });
  afterAll(() => {
    policy.dispose();
    rmSync(folder, { recursive: true });
  });

  const vocabulary = reference.config.vocab_size;
  const prompts = Array.from({ length: 64 }, (_, i) =>
    Int32Array.from({ length: 1 + ((i * 7) % 40) }, (_, j) => (i * 31 + j * 17 + 3) % vocabulary),
  );
  const uids = prompts.map((_, i) => 1000 + 3 * i);
  const options = { maxTokens: 24, stopTokens: [1, 2, 5], seed: 21 };
  const find = (rollouts: Rollout[], prompt: number, sample: number) =>
    rollouts.find((rollout) => rollout.prompt === prompt && rollout.sample === sample)!;

  test('the same uid gives the same completion alone, in a batch of 64 and in few slots', async () => {
    const together = await policy.sample(prompts, { ...options, uids });
    const fewSlots = await policy.sample(prompts, { ...options, uids, maxBatch: 3 });
    const grouped = await policy.sample(prompts, { ...options, uids, n: 3 });
    expect(new Set(together.map(({ tokens }) => tokens.length)).size).toBeGreaterThan(5);
    for (const i of [0, 1, 17, 40, 63]) {
      const expected = find(together, i, 0);
      const alone = await policy.sample([prompts[i]], { ...options, uids: [uids[i]] });
      for (const other of [find(alone, 0, 0), find(fewSlots, i, 0), find(grouped, i, 0)]) {
        expect(Array.from(other.tokens)).toEqual(Array.from(expected.tokens));
        expect(maxDifference(other.logProbs, expected.logProbs)).toBeLessThan(1e-5);
        expect(other.finishReason).toBe(expected.finishReason);
      }
      const samples = [0, 1, 2].map((sample) => Array.from(find(grouped, i, sample).tokens).join());
      expect(new Set(samples).size).toBeGreaterThan(1);
    }
  });

  test('two threads give the completions of one', async () => {
    const parallel = await Policy.load(folder, { ...CPU, threads: 2 });
    try {
      const [one, two] = [await policy.sample(prompts, options), await parallel.sample(prompts, options)];
      for (const i of prompts.keys()) {
        expect(Array.from(find(two, i, 0).tokens)).toEqual(Array.from(find(one, i, 0).tokens));
        expect(maxDifference(find(two, i, 0).logProbs, find(one, i, 0).logProbs)).toBeLessThan(1e-5);
      }
    } finally {
      parallel.dispose();
    }
  });

  test('another seed or uid gives another completion; the same seed gives the same', async () => {
    const text = (rollouts: Rollout[]) => prompts.map((_, i) => Array.from(find(rollouts, i, 0).tokens).join());
    const base = text(await policy.sample(prompts, { ...options, uids }));
    const again = text(await policy.sample(prompts, { ...options, uids }));
    const otherSeed = text(await policy.sample(prompts, { ...options, uids, seed: 22 }));
    const otherUids = text(await policy.sample(prompts, { ...options, uids: uids.map((uid) => uid + 1) }));
    expect(again).toEqual(base);
    for (const other of [otherSeed, otherUids]) {
      expect(other.filter((completion, i) => completion === base[i]).length).toBeLessThan(prompts.length / 4);
    }
  });

  test.each([
    { temperature: 1 },
    { temperature: 0.7, topK: 12 },
    { temperature: 1.3, topP: 0.8 },
    { temperature: 1, maxBatch: 1 },
    { temperature: 1, maxBatch: 5 },
  ])('sampled log-probs equal scored ones at %p', async (setting) => {
    const rollouts = await policy.sample(prompts, { ...options, ...setting, n: 2 });
    expect(rollouts).toHaveLength(2 * prompts.length);
    const scored = await policy.logProbs(
      rollouts.map(({ prompt, tokens }) => ({
        tokens: Int32Array.from([...prompts[prompt], ...tokens]),
        promptLength: prompts[prompt].length,
      })),
      { temperature: setting.temperature },
    );
    const differences = rollouts.map(({ logProbs }, i) => maxDifference(scored[i], logProbs));
    // The operators of devices multiply batches of different sizes in different orders.
    expect(Math.max(...differences)).toBeLessThan(process.env.ZERO_RL_TEST_DEVICE_ENGINE ? 1e-4 : 1e-5);
  });

  test('temperature 0 takes the most likely token', async () => {
    const [rollout] = await policy.sample([prompts[3]], { maxTokens: 6, stopTokens: [], temperature: 0 });
    let prefix = Array.from(prompts[3]);
    for (const [position, token] of rollout.tokens.entries()) {
      const row = await policy.logProbs(
        Array.from({ length: vocabulary }, (_, next) => ({ tokens: [...prefix, next], promptLength: prefix.length })),
      );
      const values = row.map((value) => value[0]);
      expect(values.indexOf(Math.max(...values))).toBe(token);
      expect(Math.abs(values[token] - rollout.logProbs[position])).toBeLessThan(1e-5);
      prefix = [...prefix, token];
    }
    expect(rollout.tokens).toHaveLength(6);
  });

  test('a completion ends with its end token or at maxTokens', async () => {
    const rollouts = await policy.sample(prompts, { ...options, n: 2 });
    const stops = new Set(options.stopTokens);
    for (const { tokens, logProbs, finishReason } of rollouts) {
      expect(logProbs).toHaveLength(tokens.length);
      const ends = Array.from(tokens).findIndex((token) => stops.has(token));
      if (finishReason === 'stop') expect(ends).toBe(tokens.length - 1);
      else expect([ends, tokens.length]).toEqual([-1, options.maxTokens]);
    }
    expect(new Set(rollouts.map(({ finishReason }) => finishReason))).toEqual(new Set(['stop', 'length']));
  });

  test('the end tokens of config.json end a completion by default', async () => {
    const ends = [reference.config['eos_token_id'] as number | number[]].flat();
    const rollouts = await policy.sample(prompts, { maxTokens: 60, n: 2, seed: 5 });
    const stopped = rollouts.filter(({ finishReason }) => finishReason === 'stop');
    expect(stopped.length).toBeGreaterThan(0);
    for (const { tokens } of stopped) expect(ends).toContain(tokens.at(-1));
    for (const { tokens } of rollouts)
      expect(Array.from(tokens.subarray(0, -1)).some((t) => ends.includes(t))).toBe(false);
  });
});
