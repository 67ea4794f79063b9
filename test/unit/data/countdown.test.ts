import { countdownKey, countdownProblems, countdownSplit } from '../../../src/data/countdown/problems';
import { readExpression } from '../../../src/rewards/countdown/expression';

describe('countdown problems', () => {
  const train = countdownProblems({ split: 'train', count: 3000, seed: 1 });
  const heldOut = countdownProblems({ split: 'heldOut', count: 400, seed: 1 });

  test('have a solution of all their numbers that reaches the target', () => {
    for (const { numbers, target, solution } of [...train, ...heldOut]) {
      const read = readExpression(solution);
      expect(read?.value).toEqual({ numerator: BigInt(target), denominator: 1n });
      expect(read?.numbers.map(({ numerator }) => Number(numerator)).sort((a, b) => a - b)).toEqual(
        [...numbers].sort((a, b) => a - b),
      );
      expect(target).toBeGreaterThanOrEqual(10);
      expect(target).toBeLessThanOrEqual(99);
    }
    expect(new Set(train.map(({ numbers }) => numbers.length))).toEqual(new Set([3, 4]));
  });

  test('never repeat, and the splits share none', () => {
    const all = [...train, ...heldOut].map(countdownKey);
    expect(new Set(all).size).toBe(all.length);
    expect(countdownSplit({ numbers: [3, 40, 7], target: 50 })).toBe(
      countdownSplit({ numbers: [40, 7, 3], target: 50 }),
    );
  });

  test('are a prefix of a longer list, and others for another seed', () => {
    expect(countdownProblems({ split: 'train', count: 20, seed: 1 })).toEqual(train.slice(0, 20));
    expect(countdownProblems({ split: 'train', count: 20, seed: 2 })).not.toEqual(train.slice(0, 20));
  });

  test('more than the ranges have are refused', () => {
    const narrow = { minNumbers: 2, maxNumbers: 2, maxNumber: 5, minTarget: 1, maxTarget: 5 };
    expect(() => countdownProblems({ split: 'train', count: 1000, ...narrow })).toThrow(RangeError);
  });
});
