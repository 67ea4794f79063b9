import {
  clusteredInterval,
  comparePaired,
  majorityAtK,
  majorityVote,
  passAtK,
  wilsonInterval,
} from '../../../src/evaluation/statistics';

const right = { correct: true, answer: '2' };
const wrong = (answer: string | null) => ({ correct: false, answer });

/** The share of subsets of k of n samples, the first `correct` of which are right, that hold a right one. */
function countSubsets(n: number, correct: number, k: number): number {
  let hits = 0;
  let all = 0;
  for (let subset = 0; subset < 2 ** n; subset++) {
    const chosen = Array.from({ length: n }, (_, i) => i).filter((i) => subset & (1 << i));
    if (chosen.length !== k) continue;
    all++;
    if (chosen.some((i) => i < correct)) hits++;
  }
  return hits / all;
}

test('pass@k is the share of subsets of k samples with a right one', () => {
  for (let n = 1; n <= 7; n++)
    for (let correct = 0; correct <= n; correct++)
      for (let k = 1; k <= n; k++) expect(passAtK(n, correct, k)).toBeCloseTo(countSubsets(n, correct, k), 12);
  expect(passAtK(10_000, 1, 100)).toBeCloseTo(0.01, 12);
  expect(() => passAtK(4, 1, 5)).toThrow(RangeError);
});

test('a majority counts right answers as one, wrong ones by their text, those without any as one, and shares ties', () => {
  expect(majorityVote([right, { correct: true, answer: '4/2' }, wrong('3')])).toBe(1);
  expect(majorityVote([right, wrong('3'), wrong(' 3 ')])).toBe(0);
  expect(majorityVote([right, wrong('3'), wrong('4')])).toBeCloseTo(1 / 3, 12);
  expect(majorityVote([right, wrong(null), wrong(null)])).toBe(0);
  expect(majorityVote([right, right, wrong(null)])).toBe(1);
  expect(majorityVote([right, wrong(null), wrong('null')])).toBeCloseTo(1 / 3, 12);
  expect(majorityVote([wrong(null)])).toBe(0);
  expect(majorityAtK([right, right, wrong('3'), wrong('3'), right], 2)).toBe(0.5);
});

test("intervals are Wilson's for one sample a problem and count problems where samples are alike", () => {
  const binary = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
  const [low, high] = wilsonInterval(3, 10);
  expect(clusteredInterval(binary, 1)[0]).toBeCloseTo(low, 12);
  expect(clusteredInterval(binary, 1)[1]).toBeCloseTo(high, 12);
  // All samples of a problem alike: 8 samples tell no more than one.
  expect(clusteredInterval(binary, 8)[1]).toBeCloseTo(high, 12);
  // Problems alike, samples not: as many trials as samples.
  const alike = Array.from({ length: 10 }, (_, i) => (i % 2 ? 0.25 : 0.375));
  const [, wide] = clusteredInterval(alike, 8);
  expect(wide).toBeCloseTo(wilsonInterval(25, 80)[1], 12);
  expect(clusteredInterval([1, 1, 1], 4)).toEqual(wilsonInterval(3, 3));
});

test('the paired test is exact for few problems and near it for many', () => {
  const few = comparePaired([0, 0, 0, 0, 1], [1, 1, 1, 1, 1]);
  expect(few).toMatchObject({ difference: 0.8, better: 4, worse: 0, same: 1, pValue: 2 / 16 });
  expect(comparePaired([0.5, 1], [0.5, 1])).toMatchObject({ difference: 0, pValue: 1, same: 2 });
  // 20 better, 8 worse of 28 that differ: the exact two-sided sign test gives 0.0357.
  const first = Array.from({ length: 60 }, (_, i) => (i < 20 ? 0 : i < 28 ? 1 : i % 2));
  const second = Array.from({ length: 60 }, (_, i) => (i < 20 ? 1 : i < 28 ? 0 : i % 2));
  expect(comparePaired(first, second).pValue).toBeCloseTo(0.0357, 2);
  expect(() => comparePaired([1], [1, 0])).toThrow(RangeError);
});
