import { problemsOfStep } from '../../../src/data/order';

describe('a mixture', () => {
  const parts = [
    { count: 1000, weight: 1 },
    { count: 10, weight: 2 },
    { count: 7, weight: 0.5 },
  ];
  const starts = [0, 1000, 1010, 1017];
  const partOf = (index: number): number => starts.findLastIndex((start) => start <= index);
  const steps = (count: number, perStep: number): number[][] =>
    Array.from({ length: count }, (_, step) => problemsOfStep(parts, perStep, step, 3));

  test('gives each part its share, to within one prompt, at every step', () => {
    const counts = [0, 0, 0];
    steps(50, 8).forEach((indices, step) => {
      for (const index of indices) counts[partOf(index)]++;
      const prompts = 8 * (step + 1);
      counts.forEach((count, part) => {
        expect(Math.abs(count - (prompts * parts[part].weight) / 3.5)).toBeLessThanOrEqual(1);
      });
    });
  });

  test('goes through each part epoch after epoch', () => {
    const small = steps(50, 8)
      .flat()
      .filter((index) => partOf(index) === 1)
      .slice(0, 200);
    for (let epoch = 0; epoch + 10 <= small.length; epoch += 10)
      expect(new Set(small.slice(epoch, epoch + 10)).size).toBe(10);
    expect(small.slice(0, 10)).not.toEqual(small.slice(10, 20));
    const large = steps(50, 8)
      .flat()
      .filter((index) => partOf(index) === 0);
    expect(new Set(large).size).toBe(large.length);
  });

  test('does not depend on how the prompts are cut into steps', () => {
    expect(steps(10, 8).flat()).toEqual(steps(20, 4).flat());
    expect(problemsOfStep(parts, 8, 9, 3)).toEqual(steps(10, 8)[9]);
    expect(problemsOfStep(parts, 8, 9, 4)).not.toEqual(steps(10, 8)[9]);
  });

  test('of one part is the order without weights', () => {
    expect(problemsOfStep([{ count: 15, weight: 4 }], 6, 7, 1)).toEqual(problemsOfStep(15, 6, 7, 1));
  });
});
