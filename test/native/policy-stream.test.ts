/** stream: the completions of sample as they come, and a consumer that leaves ends the work. */
import type { NativeModel } from '../../binding/native';
import { type Policy, type Rollout } from '../../src';
import { maxDifference } from '../support/golden';
import { createTinyPolicy, TOKENIZER_FOLDER } from '../support/tiny-policy';

let policy: Policy;
beforeAll(async () => (policy = await createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens: [7] })));
afterAll(() => policy.dispose());

const prompts = Array.from({ length: 12 }, (_, i) => Int32Array.of(i, 2 * i + 1));
const plain = ({ tokens, logProbs, ...rest }: Rollout) => ({
  ...rest,
  tokens: Array.from(tokens),
  logProbs: Array.from(logProbs),
});
// The operators of devices multiply batches of different sizes in different orders.
const tolerance = process.env.ZERO_RL_TEST_DEVICE_ENGINE ? 1e-4 : 0;

test('gives every completion of sample once', async () => {
  const options = { n: 3, maxTokens: 20, stopTokens: Array.from({ length: 100 }, (_, i) => i), seed: 5 };
  const expected = await policy.sample(prompts, options);
  const streamed: Rollout[] = [];
  for await (const rollout of policy.stream(prompts, options)) streamed.push(rollout);
  streamed.sort((a, b) => a.prompt - b.prompt || a.sample - b.sample);
  expect(streamed).toHaveLength(expected.length);
  streamed.forEach(({ logProbs, entropies, ...rest }, i) => {
    const { logProbs: expectedLogProbs, entropies: expectedEntropies, ...others } = expected[i];
    expect(rest).toEqual(others);
    expect(maxDifference(logProbs, expectedLogProbs)).toBeLessThanOrEqual(tolerance);
    expect(maxDifference(entropies, expectedEntropies)).toBeLessThanOrEqual(tolerance);
  });
  expect(expected.map(({ prompt, sample }) => 3 * prompt + sample)).toEqual(expected.map((_, i) => i));
});

test('leaving the loop ends the work, and the policy goes on', async () => {
  let seen = 0;
  for await (const rollout of policy.stream([Int32Array.of(1)], { n: 50_000, maxTokens: 60, stopTokens: [] })) {
    seen += rollout.tokens.length;
    break;
  }
  expect(seen).toBe(60);
  await expect(policy.sample([[1]], { maxTokens: 2, stopTokens: [] })).resolves.toHaveLength(1);
});

test('a stream that is never read does no work; wrong arguments throw at the call', async () => {
  const before = policy.lastSampleStats;
  const unread = policy.stream(prompts);
  await unread.return();
  expect(policy.lastSampleStats).toBe(before);
  expect(() => policy.stream([[]])).toThrow(RangeError);
});

test('lastSampleStats counts the tokens of the last call', async () => {
  const rollouts = await policy.sample(prompts, { n: 2, maxTokens: 9 });
  const tokens = rollouts.reduce((sum, rollout) => sum + rollout.tokens.length, 0);
  expect(policy.lastSampleStats).toMatchObject({ newTokens: tokens });
  const { liveSlotSteps, slotSteps } = policy.lastSampleStats!;
  expect(liveSlotSteps).toBeLessThanOrEqual(slotSteps);
});

test('no prompts give no completions', async () => {
  await expect(policy.sample([])).resolves.toEqual([]);
  await expect(policy.logProbs([])).resolves.toEqual([]);
});

test('text prompts are encoded, and a stop string ends a completion once its bytes occur', async () => {
  const tokenizer = policy.tokenizer!;
  const free = await policy.sample(['one two', '3 + 4'], { n: 8, maxTokens: 40, stopTokens: [] });
  const texts = free.map(({ tokens }) => tokenizer.decode(tokens));
  // The letter that most completions hold somewhere is a stop that occurs in the midst of tokens.
  const stop = Array.from('aeinorst').sort(
    (a, b) => texts.filter((text) => text.includes(b)).length - texts.filter((text) => text.includes(a)).length,
  )[0];
  const stopped = await policy.sample(['one two', '3 + 4'], {
    n: 8,
    maxTokens: 40,
    stopTokens: [],
    stopStrings: [stop],
  });
  let ended = 0;
  stopped.forEach((rollout, i) => {
    const { tokens, finishReason } = rollout;
    expect(Array.from(free[i].tokens.slice(0, tokens.length))).toEqual(Array.from(tokens));
    const bytes = (ids: Int32Array) => Buffer.concat(Array.from(ids, (id) => tokenizer.bytesOf(id))).toString('latin1');
    expect(bytes(tokens.subarray(0, -1))).not.toContain(stop);
    expect(bytes(tokens).includes(stop)).toBe(finishReason === 'stop');
    if (finishReason === 'stop') ended++;
    else expect(tokens).toHaveLength(40);
  });
  expect(ended).toBeGreaterThan(0);
});

test('the engine is told once what tokens are, and calls made meanwhile keep their order', async () => {
  using fresh = await createTinyPolicy({ tokenizerFrom: TOKENIZER_FOLDER, endTokens: [7] });
  const { model } = fresh as unknown as { model: NativeModel };
  const told = jest.fn(model.setTokenBytes.bind(model));
  Object.defineProperty(model, 'setTokenBytes', { value: told });
  const options = { maxTokens: 12, stopTokens: [], stopStrings: ['never in a completion'] };
  const order: string[] = [];
  const named = async <T>(name: string, call: Promise<T>): Promise<T> => {
    const result = await call;
    order.push(name);
    return result;
  };
  const sequence = { tokens: [3, 4, 5], promptLength: 1, advantages: 1 };
  const [first, , second] = await Promise.all([
    named('sample', fresh.sample([[3, 4]], options)),
    named('step', fresh.step([sequence], { learningRate: 0.5 })),
    named('sample again', fresh.sample([[3, 4]], options)),
  ]);
  expect(order).toEqual(['sample', 'step', 'sample again']);
  const [{ tokens }] = await policy.sample([[3, 4]], { ...options, stopStrings: [] });
  expect(first[0].tokens).toEqual(tokens);
  expect(second[0].tokens).not.toEqual(tokens);
  expect(told).toHaveBeenCalledTimes(1);
});

test('results stay as they are when later calls run, and inputs are copied', async () => {
  const prompt = Int32Array.of(3, 4);
  const pending = policy.sample([prompt], { maxTokens: 8, stopTokens: [], seed: 1 });
  prompt.fill(0);
  const [first] = await pending;
  const kept = plain(first);
  const again = await policy.sample([Int32Array.of(3, 4)], { maxTokens: 8, stopTokens: [], seed: 1 });
  await policy.sample([[9]], { maxTokens: 8, seed: 2 });
  expect(plain(first)).toEqual(kept);
  expect(plain(again[0])).toEqual(kept);
});
