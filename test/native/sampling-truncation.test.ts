/** What truncated draws record: the tokens kept and their mass, with which an unchanged policy has ratios of 1. */
import { rmSync } from 'node:fs';
import { Policy, type Rollout, type SampleOptions } from '../../src';
import { writeFixtureModel } from '../support/fixture-model';
import { logitsGolden, maxDifference } from '../support/golden';
import { decodeKept, encodeKept } from '../support/kept-tokens';

const reference = logitsGolden().cases.find(({ name }) => name === 'qwen2-grouped-tied')!;
const vocabSize = reference.config.vocab_size;
let folder: string;
let policy: Policy;
beforeAll(async () => {
  folder = writeFixtureModel(reference);
  policy = await Policy.load(folder, { device: 'cpu', dtype: 'float32', threads: 1 });
});
afterAll(() => {
  policy.dispose();
  rmSync(folder, { recursive: true });
});

const prompts = Array.from({ length: 6 }, (_, i) =>
  Array.from({ length: 2 + i }, (_, t) => (31 * i + 17 * t) % vocabSize),
);
const options: SampleOptions = { n: 4, maxTokens: 40, stopTokens: [1], seed: 5, keptTokens: true };
const settings: SampleOptions[] = [
  { topP: 0.6 },
  { topK: 5, temperature: 1.4 },
  { minP: 0.1 },
  { topK: 12, topP: 0.9, minP: 0.02, temperature: 0.7 },
  { topP: 0.98, temperature: 3 },
];

const sequenceOf = ({ prompt, tokens, keptTokens }: Rollout, kept = true) => ({
  tokens: [...prompts[prompt], ...tokens],
  promptLength: prompts[prompt].length,
  ...(kept ? { keptTokens } : {}),
});
const drawnWith = ({ logProbs, logMass }: Rollout) => logProbs.map((value, t) => value - logMass![t]);
// The operators of devices multiply batches of different sizes in different orders.
const tolerance = process.env.ZERO_RL_TEST_DEVICE_ENGINE ? 1e-4 : 1e-5;

/** log-probs of every token after the first `length` tokens of a sequence. */
async function distribution(sequence: number[], length: number, temperature: number): Promise<number[]> {
  const prefix = sequence.slice(0, length);
  const next = Array.from({ length: vocabSize }, (_, id) => ({ tokens: [...prefix, id], promptLength: length }));
  return (await policy.logProbs(next, { temperature })).map(([value]) => value);
}

/** Ids that the warpers of transformers keep, in their order. */
function keptOf(logProbs: readonly number[], { topK = 0, topP = 1, minP = 0 }: SampleOptions): number[] {
  const order = logProbs.map((_, id) => id).sort((a, b) => logProbs[b] - logProbs[a]);
  const first = topK > 0 ? order.slice(0, topK) : order;
  const mass = (ids: number[]): number => ids.reduce((sum, id) => sum + Math.exp(logProbs[id]), 0);
  const whole = mass(first);
  const nucleus = first.filter((_, i) => mass(first.slice(0, i)) < topP * whole);
  return nucleus.filter((id) => logProbs[id] >= logProbs[order[0]] + Math.log(minP)).sort((a, b) => a - b);
}

test.each(settings)('%j: the tokens kept and the log of their mass', async (setting) => {
  const rollouts = await policy.sample(prompts, { ...options, ...setting });
  for (const rollout of [rollouts[0], rollouts[9]]) {
    const sets = decodeKept(rollout.keptTokens!, vocabSize);
    expect(sets).toHaveLength(rollout.tokens.length);
    for (const t of [0, 3, rollout.tokens.length - 1].filter((t) => t < rollout.tokens.length)) {
      const { tokens, promptLength } = sequenceOf(rollout);
      const logProbs = await distribution(tokens, promptLength + t, setting.temperature ?? 1);
      const kept = keptOf(logProbs, setting);
      expect(sets[t]).toEqual(kept);
      const mass = kept.reduce((sum, id) => sum + Math.exp(logProbs[id]), 0);
      expect(Math.abs(rollout.logMass![t] - Math.log(mass))).toBeLessThan(1e-4);
    }
  }
});

test.each(settings)(
  '%j: every ratio of the unchanged policy is 1, and is not without the kept tokens',
  async (setting) => {
    const rollouts = await policy.sample(prompts, { ...options, ...setting });
    const { temperature = 1 } = setting;
    const scored = await policy.logProbs(
      rollouts.map((rollout) => sequenceOf(rollout)),
      { temperature },
    );
    rollouts.forEach((rollout, i) => expect(maxDifference(scored[i], drawnWith(rollout))).toBeLessThan(tolerance));
    const train = (kept: boolean) =>
      policy.step(
        rollouts.map((rollout) => ({ ...sequenceOf(rollout, kept), advantages: 1, oldLogProbs: drawnWith(rollout) })),
        { objective: 'ppo', aggregation: 'token-mean', temperature, learningRate: 0 },
      );
    // The loss is minus the mean ratio.
    expect(Math.abs((await train(true)).loss + 1)).toBeLessThan(tolerance);
    expect((await train(true)).logProbDifference).toBeLessThan(tolerance);
    expect((await train(false)).logProbDifference).toBeGreaterThan(0.01);
  },
);

test('draws from all of the vocabulary have neither; the mass is there unasked', async () => {
  const [whole] = await policy.sample([prompts[0]], options);
  expect(whole).not.toHaveProperty('logMass');
  expect(whole).not.toHaveProperty('keptTokens');
  const [greedy] = await policy.sample([prompts[0]], { ...options, temperature: 0, topK: 3 });
  expect(greedy).not.toHaveProperty('logMass');
  const [truncated] = await policy.sample([prompts[0]], { ...options, topP: 0.5, keptTokens: false });
  expect(truncated.logMass).toHaveLength(truncated.tokens.length);
  expect(truncated).not.toHaveProperty('keptTokens');
});

test('the rollouts are the same whether kept tokens are recorded or not, whatever was sampled before', async () => {
  const setting = { ...options, topP: 0.8 };
  const plain = await policy.sample(prompts, { ...setting, keptTokens: false });
  const recorded = await policy.sample(prompts, { ...setting, maxBatch: 5 });
  recorded.forEach((rollout, i) => {
    expect(Array.from(rollout.tokens)).toEqual(Array.from(plain[i].tokens));
    expect(maxDifference(rollout.logMass!, plain[i].logMass!)).toBeLessThan(tolerance);
    expect(decodeKept(rollout.keptTokens!, vocabSize)).toHaveLength(rollout.tokens.length);
  });
});

describe('keptTokens that do not fit', () => {
  const sequence = { tokens: [3, 4, 5, 6], promptLength: 2 };
  const score = (keptTokens: unknown) =>
    policy.logProbs([sequence, { ...sequence, keptTokens: keptTokens as Uint8Array }]);

  test.each<[string, Uint8Array, RegExp]>([
    ['too few sets', encodeKept([[5]], vocabSize), /sequences\[1\]\.keptTokens does not hold a set for each of 2/],
    ['too many sets', encodeKept([[5], null, null], vocabSize), /holds more sets than 2/],
    ['a set without the token', encodeKept([null, [1, 7]], vocabSize), /without response token 1, 6/],
    ['ids beyond the vocabulary', encodeKept([[5, vocabSize], null], vocabSize), /does not hold a set/],
    ['other bytes', Uint8Array.of(4, 4, 255, 255), /does not hold a set/],
  ])('%s', async (_, bytes, message) => {
    await expect(score(bytes)).rejects.toMatchObject({
      code: 'ERR_ZERO_RL_DATA',
      message: expect.stringMatching(message),
    });
  });

  test('another type', async () => {
    await expect(score([0, 0])).rejects.toThrow(TypeError);
    await expect(score(new Uint8Array())).rejects.toThrow(RangeError);
  });
});
