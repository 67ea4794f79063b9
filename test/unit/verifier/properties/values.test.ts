/** A value equals itself in whatever form it is written, and never a value beside it. */
import fc from 'fast-check';
import { equalAnswers, verify } from '../../../../src/verifier';
import { approximated, decimalsBeside, decimalsOf, families } from '../../../support/arbitrary-answers';

const RUNS = 80;

describe.each(families.map((family) => [family.name, family] as const))('%s', (_, { answers }) => {
  test('every form states the value', () => {
    fc.assert(
      fc.property(answers, ({ forms: [a, b, c] }) => {
        expect([equalAnswers(a, b), equalAnswers(b, c), equalAnswers(a, c)]).toEqual([true, true, true]);
        expect(verify(a, `\\boxed{${b}}`)).toMatchObject({ correct: true, reason: 'equal' });
      }),
      { numRuns: RUNS },
    );
  });

  test('no form states the value beside it', () => {
    fc.assert(
      fc.property(answers, ({ forms: [a], other }) => {
        expect(equalAnswers(a, other)).toBe(false);
        expect(verify(a, `\\boxed{${other}}`).correct).toBe(false);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('a constant', () => {
  const exact = approximated.map((value) => ({ value, text: (value.negative ? '-' : '') + value.exact[0] }));

  test('equals its decimals of six digits and more, rounded or cut', () => {
    fc.assert(
      fc.property(exact, ({ value, text }) => {
        for (const decimal of decimalsOf(value))
          expect([decimal, equalAnswers(text, decimal)]).toEqual([decimal, true]);
      }),
      { numRuns: 150 },
    );
  });

  test('equals no decimal beside these', () => {
    fc.assert(
      fc.property(exact, ({ value, text }) => {
        for (const decimal of decimalsBeside(value))
          expect([decimal, equalAnswers(text, decimal)]).toEqual([decimal, false]);
      }),
      { numRuns: 150 },
    );
  });

  test('equals no decimal of fewer digits', () => {
    fc.assert(
      fc.property(exact, fc.integer({ min: 2, max: 5 }), ({ value, text }, digits) => {
        for (const decimal of decimalsOf({ ...value, digits })) {
          if (/[.]\d/.test(decimal)) expect([decimal, equalAnswers(text, decimal)]).toEqual([decimal, false]);
        }
      }),
      { numRuns: 150 },
    );
  });
});

test('a percent is its number and a hundredth of it, which are not the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 99_999 }), (n) => {
      const [number, hundredth] = [String(n / 10), String(n / 1000)];
      expect(equalAnswers(`${number}\\%`, number)).toBe(true);
      expect(equalAnswers(`${number}\\%`, hundredth)).toBe(true);
      expect(equalAnswers(number, hundredth)).toBe(false);
    }),
    { numRuns: 100 },
  );
});
