/** The share of repeated runs of four tokens. */
import fc from 'fast-check';
import { repetition } from '../../../src/observe/metrics';

test('is that of a set of texts', () => {
  const tokens = fc.array(fc.oneof(fc.nat({ max: 2 }), fc.constantFrom(65_536, 151_935, 2 ** 31 - 1)), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(tokens, (ids) => {
      const runs = ids.slice(3).map((_, i) => ids.slice(i, i + 4).join());
      expect(repetition(Int32Array.from(ids))).toBe(runs.length < 2 ? 0 : 1 - new Set(runs).size / runs.length);
    }),
  );
});

test('no text is made of a token', () => {
  const token = (value: number): number =>
    ({
      valueOf: () => value,
      toString: () => {
        throw new Error('a text was made of a token');
      },
    }) as unknown as number;
  const [a, b, c] = [token(1), token(2), token(3)];
  expect(repetition([a, b, c, a, b, c, a, b, c])).toBe(0.5);
});
