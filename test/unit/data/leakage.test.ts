import type { Problem } from '../../../src/data/dataset';
import { findLeakage, wordsOf } from '../../../src/data/leakage';

const problems = (prefix: string, texts: readonly string[]): Problem[] =>
  texts.map((problem, i) => ({ id: `${prefix}${i}`, problem, answer: '1' }));
const options = { ngram: 5, overlap: 0.5 };
const trains =
  'A train leaves the station at nine and travels north at sixty miles an hour; when does it reach the old bridge at the river?';

test('the same text, but for case, spacing and sentence marks, is found', () => {
  const { leaked, indices } = findLeakage(
    problems('t', ['What is 2+3?', 'what is  2 + 3', 'What is 2-3?', 'What is 23?', 'What is 2*3?']),
    problems('h', ['What is 2 + 3?', 'Something else']),
    options,
  );
  expect(leaked.map(({ train, heldOut, kind, overlap }) => [train, heldOut, kind, overlap])).toEqual([
    ['t0', 'h0', 'same', 1],
    ['t1', 'h0', 'same', 1],
  ]);
  expect([...indices]).toEqual([0, 1]);
});

test('so is a text that has much of a held-out one in it, with its share', () => {
  const changed = trains.replace('the old bridge at the river', 'Leeds');
  const { leaked } = findLeakage(
    problems('t', [`Hard one. ${changed}`, 'A train is late.']),
    problems('h', ['x', trains]),
    options,
  );
  expect(leaked).toEqual([
    {
      train: 't0',
      heldOut: 'h1',
      kind: 'overlap',
      overlap: expect.any(Number),
      trainText: `Hard one. ${changed}`,
      heldOutText: trains,
    },
  ]);
  expect(leaked[0].overlap).toBeGreaterThan(0.6);
  expect(leaked[0].overlap).toBeLessThan(1);
});

test('what a template says in every problem does not count', () => {
  const ask = (target: number, numbers: string): string =>
    `Write an expression that equals ${target} and use every one of the numbers ${numbers} exactly once with the four operations please`;
  const training = Array.from({ length: 40 }, (_, i) => ask(i, `${i} ${i + 3} ${i + 9}`));
  const { leaked } = findLeakage(
    problems('t', training),
    problems('h', [ask(500, '7 8 99'), ask(3, '3 6 12')]),
    options,
  );
  expect(leaked.map(({ train, heldOut, kind }) => [train, heldOut, kind])).toEqual([['t3', 'h1', 'same']]);
});

test('words are compared as a reader would: composed letters, numbers and operators', () => {
  expect(wordsOf('Find x² + 3·y, “now”!')).toEqual(['find', 'x2', '+', '3', '·', 'y', 'now']);
  expect(wordsOf('1.5')).not.toEqual(wordsOf('15'));
});
