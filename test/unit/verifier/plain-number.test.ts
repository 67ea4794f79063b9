import fc from 'fast-check';
import { Budget } from '../../../src/verifier/budget';
import { compareAnswers } from '../../../src/verifier/compare/compare-answers';
import { limits } from '../../../src/verifier/limits';
import { parseAnswer } from '../../../src/verifier/parse/parse-answer';
import { plainNumber } from '../../../src/verifier/plain-number';

test.each([
  ['12', '12/1'],
  ['-0.50', '-1/2'],
  ['\\frac{6}{4}', '3/2'],
  [' $-3/9$. ', '-1/3'],
  ['1,234', null],
  ['2 1/3', null],
  ['1/0', null],
  ['0.333333', null],
  ['12.', '12/1'],
  ['x', null],
  ['', null],
])('%j', (text, expected) => {
  const value = plainNumber(text);
  expect(value && `${value.numerator}/${value.denominator}`).toBe(expected);
});

test('says what the parser and the comparison say', () => {
  const number = fc.oneof(
    fc.integer({ min: -2000, max: 2000 }).map(String),
    fc
      .tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: 1, max: 60 }))
      .map(([a, b]) => `\\frac{${a}}{${b}}`.replace('\\frac{-', '-\\frac{')),
    fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 50 })).map(([a, b]) => `${a}/${b}`),
    fc.tuple(fc.integer({ min: -20, max: 20 }), fc.integer({ min: 0, max: 999 })).map(([a, b]) => `${a}.${b}`),
  );
  fc.assert(
    fc.property(number, number, (first, second) => {
      const [a, b] = [plainNumber(first), plainNumber(second)];
      if (!a || !b) throw new Error(`${first} or ${second} is not plain`);
      const same = a.numerator === b.numerator && a.denominator === b.denominator;
      const budget = new Budget(limits.workUnits);
      const [left, right] = [first, second].map((text) => parseAnswer(text, budget)[0]);
      expect(compareAnswers(left, right, { budget }) === 'equal').toBe(same);
    }),
    { numRuns: 500 },
  );
});
