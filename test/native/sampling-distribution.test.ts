/**
 * Sampled frequencies against exact probabilities, which come from the logits of transformers. Seeds are fixed, so a
 * test passes or fails for good; each is paired with a distribution near the right one that it must reject.
 */
import { rmSync } from 'node:fs';
import { Policy, type SampleOptions } from '../../src';
import { chiSquare } from '../support/chi-square';
import { minP, topK, topP } from '../support/exact-sampling';
import { writeFixtureModel } from '../support/fixture-model';
import { decodeFloats, logitsGolden, logSoftmax } from '../support/golden';

const DRAWS = 20_000;
const CPU = { device: 'cpu', dtype: 'float32', threads: 1 } as const;

const reference = logitsGolden().cases.find(({ name }) => name === 'llama-multihead-untied')!;
const vocabulary = reference.config.vocab_size;
const { tokens, positions, logits } = reference.sequences[2];
const prompt = Int32Array.from(tokens.slice(0, positions[1] + 1));
const row = decodeFloats(logits).subarray(vocabulary, 2 * vocabulary);
const exact = (temperature: number) => logSoftmax(row, temperature).map(Math.exp);

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

/** Completions of `prompts` copies of one prompt, `n` each, in the order (prompt, sample). */
async function draw(prompts: number, n: number, options: SampleOptions): Promise<Int32Array[]> {
  const copies = Array.from({ length: prompts }, () => prompt);
  const rollouts = await policy.sample(copies, { n, maxTokens: 1, stopTokens: [], ...options });
  const completions = new Array<Int32Array>(prompts * n);
  for (const rollout of rollouts) completions[rollout.prompt * n + rollout.sample] = rollout.tokens;
  return completions;
}

function count(values: Iterable<number>, outcomes: number): Float64Array {
  const counts = new Float64Array(outcomes);
  for (const value of values) counts[value]++;
  return counts;
}

function expectFit(counts: Float64Array, probabilities: Float64Array): void {
  const { statistic, critical, impossible } = chiSquare(counts, probabilities);
  expect(impossible).toBe(0);
  expect(statistic).toBeLessThan(critical);
}

function expectMisfit(counts: Float64Array, probabilities: Float64Array): void {
  const { statistic, critical, impossible } = chiSquare(counts, probabilities);
  expect(impossible > 0 || statistic > critical).toBe(true);
}

const settings: { name: string; options: SampleOptions; right: Float64Array; wrong: Float64Array }[] = [
  { name: 'temperature 1', options: {}, right: exact(1), wrong: exact(1.1) },
  { name: 'temperature 0.7', options: { temperature: 0.7 }, right: exact(0.7), wrong: exact(0.75) },
  { name: 'temperature 1.5', options: { temperature: 1.5 }, right: exact(1.5), wrong: exact(1.35) },
  { name: 'top-k 7', options: { topK: 7 }, right: topK(exact(1), 7), wrong: topK(exact(1), 8) },
  { name: 'top-k 1', options: { topK: 1 }, right: topK(exact(1), 1), wrong: topK(exact(1), 2) },
  { name: 'top-k beyond the vocabulary', options: { topK: 1000 }, right: exact(1), wrong: topK(exact(1), 40) },
  { name: 'top-p 0.8', options: { topP: 0.8 }, right: topP(exact(1), 0.8), wrong: topP(exact(1), 0.85) },
  { name: 'min-p 0.1', options: { minP: 0.1 }, right: minP(exact(1), 0.1), wrong: minP(exact(1), 0.07) },
  {
    name: 'top-p 0.9 at temperature 1.5, on the scaled distribution',
    options: { topP: 0.9, temperature: 1.5 },
    right: topP(exact(1.5), 0.9),
    wrong: topP(exact(1.5), 0.85),
  },
  {
    name: 'top-k 20, then top-p 0.8 of what is left',
    options: { topK: 20, topP: 0.8 },
    right: topP(topK(exact(1), 20), 0.8),
    wrong: topK(exact(1), 20),
  },
  {
    name: 'top-p 0.8, then min-p 0.2, not the other way round',
    options: { topP: 0.8, minP: 0.2 },
    right: minP(topP(exact(1), 0.8), 0.2),
    wrong: topP(minP(exact(1), 0.2), 0.8),
  },
];

test.each(settings)('$name', async ({ options, right, wrong }) => {
  const completions = await draw(20, DRAWS / 20, { seed: 11, ...options });
  const counts = count(
    completions.map((completion) => completion[0]),
    vocabulary,
  );
  expectFit(counts, right);
  expectMisfit(counts, wrong);
});

test('every completion reports the log-prob of the scaled, untruncated distribution', async () => {
  const expected = logSoftmax(row, 0.7);
  const options = { n: 200, maxTokens: 1, stopTokens: [], temperature: 0.7, topK: 5, topP: 0.9, minP: 0.01, seed: 3 };
  for (const { tokens: drawn, logProbs } of await policy.sample([prompt], options)) {
    expect(Math.abs(logProbs[0] - expected[drawn[0]])).toBeLessThan(1e-4);
  }
});

test('the second token follows the first', async () => {
  const score = async (prefixes: Int32Array[]) => {
    const sequences = prefixes.flatMap((prefix) =>
      Array.from({ length: vocabulary }, (_, token) => ({
        tokens: Int32Array.from([...prefix, token]),
        promptLength: prefix.length,
      })),
    );
    return (await policy.logProbs(sequences)).map((values) => Math.exp(values[0]));
  };
  const first = exact(1);
  const second = await score(Array.from({ length: vocabulary }, (_, token) => Int32Array.from([...prompt, token])));
  const joint = Float64Array.from(second, (value, index) => value * first[Math.floor(index / vocabulary)]);
  const completions = await draw(20, DRAWS / 40, { seed: 12, maxTokens: 2 });
  const counts = count(
    completions.map(([a, b]) => a * vocabulary + b),
    vocabulary ** 2,
  );
  expectFit(counts, joint);
  expectMisfit(
    counts,
    joint.map((_, index) => first[Math.floor(index / vocabulary)] * first[index % vocabulary]),
  );
});

describe('draws are independent between', () => {
  // Eight classes of tokens: pairs then have few enough outcomes for a strong test on few draws.
  const CLASSES = 8;
  const PAIRS = 3_000;
  const classes = new Float64Array(CLASSES);
  for (const [token, probability] of exact(1).entries()) classes[token % CLASSES] += probability;
  const joint = Float64Array.from(
    { length: CLASSES ** 2 },
    (_, index) => classes[Math.floor(index / CLASSES)] * classes[index % CLASSES],
  );
  const pairs = (left: Int32Array[], right: Int32Array[]) =>
    count(
      left.map((completion, index) => (completion[0] % CLASSES) * CLASSES + (right[index][0] % CLASSES)),
      CLASSES ** 2,
    );

  test('the samples of one prompt', async () => {
    const completions = await draw(PAIRS, 2, { seed: 13 });
    const left = completions.filter((_, index) => index % 2 === 0);
    const right = completions.filter((_, index) => index % 2 === 1);
    expectFit(pairs(left, right), joint);
    // One pair in ten equal would already be found.
    const tied = right.map((completion, index) => (index % 10 === 0 ? left[index] : completion));
    expectMisfit(pairs(left, tied), joint);
  });

  test('neighbouring uids', async () => {
    const completions = await draw(PAIRS + 1, 1, { seed: 14 });
    expectFit(pairs(completions.slice(0, -1), completions.slice(1)), joint);
  });

  test('neighbouring seeds', async () => {
    const [left, right] = [await draw(PAIRS, 1, { seed: 15 }), await draw(PAIRS, 1, { seed: 16 })];
    expectFit(pairs(left, right), joint);
  });
});
