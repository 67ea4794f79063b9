import { arithmeticPrompts, HELD_OUT_EVERY, problemKey, PROBLEM_KINDS, splitOf } from '../../../../src/data/arithmetic';
import { parseQuestions, solve } from './parse-documents';

describe('arithmetic prompts', () => {
  const train = arithmeticPrompts({ split: 'train', count: 4000, seed: 1 });
  const heldOut = arithmeticPrompts({ split: 'heldOut', count: 1000, seed: 1 });

  test('carry the true answer', () => {
    expect([...train, ...heldOut].filter(({ prompt, answer }) => answer !== String(solve(prompt)))).toEqual([]);
    expect(new Set(train.map(({ kind }) => kind))).toEqual(new Set(PROBLEM_KINDS));
  });

  test('never repeat a problem, and share none between the splits', () => {
    const keys = (prompts: typeof train): string[] =>
      prompts.map(({ prompt }) => problemKey(parseQuestions(prompt)[0]));
    const all = [...keys(train), ...keys(heldOut)];
    expect(new Set(all).size).toBe(all.length);
  });

  test('are a prefix of a longer list of the same seed, and another list for another seed', () => {
    expect(arithmeticPrompts({ split: 'heldOut', count: 10, seed: 1 })).toEqual(heldOut.slice(0, 10));
    expect(arithmeticPrompts({ split: 'heldOut', count: 10, seed: 2 })).not.toEqual(heldOut.slice(0, 10));
  });

  test('more than the kinds have are refused', () => {
    expect(() => arithmeticPrompts({ split: 'heldOut', count: 5000, kinds: { multiplication: 1 } })).toThrow(
      RangeError,
    );
  });
});

describe('the split', () => {
  const problem = (operands: number[]) =>
    ({
      kind: 'addition',
      expression: operands.join('+'),
      operation: { type: 'addition', operands },
      answer: operands.reduce((a, b) => a + b, 0),
    }) as const;

  test('does not depend on the order of summands', () => {
    for (let a = 10; a < 60; a++) expect(splitOf(problem([a, 871]))).toBe(splitOf(problem([871, a])));
  });

  test(`holds out one problem in ${HELD_OUT_EVERY}`, () => {
    let heldOut = 0;
    const count = 20_000;
    for (let i = 0; i < count; i++)
      if (splitOf(problem([100 + (i % 200), 300 + Math.floor(i / 200)])) === 'heldOut') heldOut++;
    const share = 1 / HELD_OUT_EVERY;
    expect(Math.abs(heldOut / count - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / count));
  });
});
