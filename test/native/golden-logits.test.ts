/** Logits and log-probs of tiny Qwen2, Qwen3 and Llama models against transformers (test/golden/logits.py). */
import { rmSync } from 'node:fs';
import { Policy } from '../../src';
import { fixtureValues, fnv1a32, parameterShapes, writeFixtureModel } from '../support/fixture-model';
import { decodeFloats, logitsGolden, logSoftmax, maxDifference } from '../support/golden';

const golden = logitsGolden();

test('fixture weights are those that Python computed', () => {
  const { name, seed, count, first, fnv1a } = golden.fixture;
  const values = fixtureValues(name, count, seed);
  expect(Array.from(values.subarray(0, 8))).toEqual(Array.from(decodeFloats(first)));
  expect(fnv1a32(new Uint8Array(values.buffer))).toBe(fnv1a);
});

describe.each(golden.cases)('$name', (reference) => {
  const vocabulary = reference.config.vocab_size;
  let folder: string;
  let policy: Policy;

  beforeAll(async () => {
    folder = writeFixtureModel(reference);
    policy = await Policy.load(folder, { device: 'cpu', dtype: 'float32', threads: 2 });
  });
  afterAll(() => {
    policy.dispose();
    rmSync(folder, { recursive: true });
  });

  test('the parameters are those of transformers', () => {
    expect(parameterShapes(reference.config)).toEqual(reference.parameters);
  });

  test.each(golden.temperatures.map((temperature, index) => ({ temperature, index })))(
    'log-probs at temperature $temperature are within 1e-4',
    async ({ temperature, index }) => {
      const actual = await policy.logProbs(reference.sequences, { temperature });
      const differences = reference.sequences.map(({ logProbs }, i) =>
        maxDifference(actual[i], decodeFloats(logProbs[index])),
      );
      expect(Math.max(...differences)).toBeLessThan(1e-4);
    },
  );

  test('the whole distribution after a prefix is within 1e-4 of the logits', async () => {
    for (const { tokens, positions, logits } of reference.sequences) {
      const rows = decodeFloats(logits);
      for (const [row, position] of positions.entries()) {
        const prefix = tokens.slice(0, position + 1);
        const sequences = Array.from({ length: vocabulary }, (_, token) => ({
          tokens: [...prefix, token],
          promptLength: prefix.length,
        }));
        const actual = (await policy.logProbs(sequences)).map((values) => values[0]);
        const expected = logSoftmax(rows.subarray(row * vocabulary, (row + 1) * vocabulary));
        expect(maxDifference(actual, expected)).toBeLessThan(1e-4);
      }
    }
  });

  test('bfloat16 stays near float32', async () => {
    const narrow = await Policy.load(folder, { device: 'cpu', dtype: 'bfloat16', threads: 2 });
    try {
      const actual = await narrow.logProbs(reference.sequences);
      const differences = reference.sequences.flatMap(({ logProbs }, i) => {
        const expected = decodeFloats(logProbs[0]);
        return Array.from(actual[i], (value, t) => Math.abs(value - expected[t]));
      });
      const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
      // transformers itself in bfloat16 is off by up to 0.032 in the mean and 0.115 at most on these models.
      expect(mean).toBeLessThan(0.05);
      expect(Math.max(...differences)).toBeLessThan(0.25);
      expect(mean).toBeGreaterThan(1e-4);
    } finally {
      narrow.dispose();
    }
  });
});
