/** Calls share one batch: who joins, who gives way, and who waits; what comes of each is what it would be alone. */
import { Policy, type Rollout, type SampleOptions } from '../../src';
import { differingResults } from '../support/bits';
import { tinyConfig } from '../support/tiny-policy';

const config = { ...tinyConfig, maxPositions: 2048, vocabSize: 211 };
let policy: Policy;
beforeEach(async () => {
  policy = await Policy.create(config, { device: 'cpu', seed: 3, std: 0.2, threads: 2 });
});
afterEach(() => policy.dispose());

const tokensOf = (key: number, length: number): Int32Array =>
  Int32Array.from({ length }, (_, t) => (key * 131 + t * 29 + key * t) % config.vocabSize);
const prompts = (key: number, count: number): Int32Array[] =>
  Array.from({ length: count }, (_, i) => tokensOf(100 * key + i, 4 + (i % 40)));

function expectSame(actual: Rollout[], expected: Rollout[]): void {
  expect(actual.map(({ tokens }) => Array.from(tokens))).toEqual(expected.map(({ tokens }) => Array.from(tokens)));
  const logProbs = (rollouts: Rollout[]): Float32Array[] => rollouts.map((rollout) => rollout.logProbs);
  expect(differingResults(logProbs(actual), logProbs(expected))).toBe('');
}

/** The names of promises in the order in which they settle. */
function order(named: Record<string, Promise<unknown>>): Promise<string[]> {
  const names: string[] = [];
  const settled = Object.entries(named).map(([name, promise]) =>
    promise.then(
      () => names.push(name),
      () => names.push(`${name} failed`),
    ),
  );
  return Promise.all(settled).then(() => names);
}

const long: SampleOptions = { maxTokens: 700, stopTokens: [], seed: 1 };
const short: SampleOptions = { maxTokens: 5, stopTokens: [], seed: 2 };

test('a later call joins the batch of one under way, and each has the bits that it has alone', async () => {
  const first = policy.sample(prompts(1, 8), long);
  const second = policy.sample(prompts(2, 8), { ...short, temperature: 0.8, topP: 0.9 });
  const third = policy.sample(prompts(3, 8), { ...short, stopTokens: [3, 5], keptTokens: true, topK: 9 });
  expect(await order({ first, second, third })).toEqual(['second', 'third', 'first']);
  using alone = await Policy.create(config, { device: 'cpu', seed: 3, std: 0.2, threads: 1 });
  expectSame(await first, await alone.sample(prompts(1, 8), long));
  expectSame(await second, await alone.sample(prompts(2, 8), { ...short, temperature: 0.8, topP: 0.9 }));
  const expected = await alone.sample(prompts(3, 8), { ...short, stopTokens: [3, 5], keptTokens: true, topK: 9 });
  expectSame(await third, expected);
  expect((await third).map(({ keptTokens }) => keptTokens)).toEqual(expected.map(({ keptTokens }) => keptTokens));
});

test('where rows are few those that become free go to the call that has the fewest', async () => {
  const options = { maxTokens: 30, stopTokens: [], maxBatch: 4 };
  const first = policy.sample([tokensOf(1, 4)], { ...options, n: 400 });
  const second = policy.sample([tokensOf(2, 4)], { ...options, n: 4 });
  expect(await order({ first, second })).toEqual(['second', 'first']);
});

test('two streams are read at once', async () => {
  const streams = [1, 2].map((key) =>
    policy.stream(prompts(key, 40), { maxTokens: 60, stopTokens: [], maxBatch: 4, seed: key }),
  );
  const names: number[] = [];
  await Promise.all(
    streams.map(async (stream, i) => {
      for await (const rollout of stream) names.push(rollout.tokens.length > 0 ? i : -1);
    }),
  );
  expect(names.filter((name) => name === 0)).toHaveLength(40);
  // Neither waited for the other.
  expect(names.indexOf(1)).toBeLessThan(names.lastIndexOf(0));
  expect(names.indexOf(0)).toBeLessThan(names.lastIndexOf(1));
});

test('low priority takes what is free, gives way, and ends as it would alone', async () => {
  const low = { maxTokens: 200, stopTokens: [], maxBatch: 8, priority: 'low', seed: 4 } as const;
  const normal = { maxTokens: 60, stopTokens: [], maxBatch: 8, seed: 5 };
  const background = policy.sample(prompts(4, 64), low);
  // One token at least was drawn before.
  for await (const rollout of policy.stream([tokensOf(9, 3)], { maxTokens: 2, stopTokens: [] }))
    expect(rollout.tokens).toHaveLength(2);
  const front = policy.sample(prompts(5, 16), normal);
  expect(await order({ background, front })).toEqual(['front', 'background']);
  using alone = await Policy.create(config, { device: 'cpu', seed: 3, std: 0.2, threads: 2 });
  expectSame(await front, await alone.sample(prompts(5, 16), normal));
  expectSame(await background, await alone.sample(prompts(4, 64), low));
});

test('an aborted call leaves the others as they are', async () => {
  const controller = new AbortController();
  const kept = policy.sample(prompts(1, 8), long);
  const aborted = policy.sample(prompts(2, 8), { ...long, signal: controller.signal });
  for await (const rollout of policy.stream([tokensOf(9, 3)], short)) expect(rollout.tokens).toHaveLength(5);
  controller.abort();
  expect(await order({ kept, aborted })).toEqual(['aborted failed', 'kept']);
  await expect(aborted).rejects.toMatchObject({ code: 'ERR_ZERO_RL_ABORTED' });
  using alone = await Policy.create(config, { device: 'cpu', seed: 3, std: 0.2, threads: 2 });
  expectSame(await kept, await alone.sample(prompts(1, 8), long));
});

test('other work waits for the sequences before it, and those behind wait for it', async () => {
  const before = policy.sample(prompts(1, 4), { ...long, maxTokens: 200 });
  const step = policy.step([{ tokens: tokensOf(7, 20), promptLength: 5, advantages: 1 }], { learningRate: 0.05 });
  const behind = policy.sample(prompts(1, 4), short);
  expect(await order({ behind, step, before })).toEqual(['before', 'step', 'behind']);
  const unmoved = await policy.sample(prompts(1, 4), short);
  expectSame(await behind, unmoved);
  using old = await Policy.create(config, { device: 'cpu', seed: 3, std: 0.2, threads: 2 });
  expectSame(await before, await old.sample(prompts(1, 4), { ...long, maxTokens: 200 }));
});
