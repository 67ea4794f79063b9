import { equalAnswers, verify } from '../../../src/verifier';
import { GoldCache } from '../../../src/verifier/gold-cache';

describe('the verdict', () => {
  test.each([
    ['1/2', 'The answer is 0.5.', true, 'equal', '0.5'],
    ['5', 'so \\boxed{6}', false, 'different', '6'],
    ['5', '\\boxed{5 \\text{ or } 6}', false, 'ambiguous', '5 \\text{ or } 6'],
    ['5', 'I do not know.', false, 'no-answer', undefined],
    ['5', '\\boxed{\\foo{5}}', false, 'unparsable-answer', '\\foo{5}'],
    ['5', `\\boxed{${'('.repeat(500)}5${')'.repeat(500)}}`, false, 'budget', undefined],
    ['\\frac{1}{', 'so \\boxed{5}', null, 'unparsable-gold', '5'],
    ['', 'so \\boxed{5}', null, 'unparsable-gold', '5'],
  ])('of %j and %j', (gold, completion, correct, reason, extracted) => {
    const verdict = verify(gold, completion);
    expect(verdict).toMatchObject({ correct, reason });
    if (extracted !== undefined) expect(verdict.extracted).toBe(extracted);
    expect(verdict.ms).toBeGreaterThanOrEqual(0);
  });

  test('an answer without a statement counts only where any statement does', () => {
    expect(verify('12', 'The answer is 12.').correct).toBe(true);
    expect(verify('12', 'The answer is 12.', { statement: 'boxed' })).toMatchObject({
      correct: false,
      reason: 'no-answer',
    });
    expect(verify('12', 'The answer is \\boxed{12}.', { statement: 'boxed' }).correct).toBe(true);
  });

  test('an answer that is too large to read equals itself, written the same', () => {
    const digits = '7'.repeat(200_000);
    expect(verify(digits, `\\boxed{${digits}}`)).toMatchObject({ correct: true, reason: 'equal' });
    expect(verify(digits, `\\boxed{${digits}8}`)).toMatchObject({ correct: null, reason: 'budget' });
  });

  test.each([
    ['2 1/3', '21/3'],
    ['21/3', '2 1/3'],
    ['\\text{no one}', '\\text{noone}'],
  ])('white space can tell %j from %j', (gold, answer) => {
    expect(verify(gold, `\\boxed{${answer}}`)).toMatchObject({ correct: false, reason: 'different' });
    expect(verify(gold, `\\boxed{\\[${answer}\\]}`)).toMatchObject({ correct: false, reason: 'different' });
  });

  test('the same pair has the same verdict whatever was checked before', () => {
    const pairs = ['\\sin^2 x', 'x^2+1', '1/3', '\\{1, 2\\}'].map((gold) => [gold, `\\boxed{${gold} + 0}`] as const);
    const first = pairs.map(([gold, completion]) => verify(gold, completion).reason);
    const again = [...pairs].reverse().map(([gold, completion]) => verify(gold, completion).reason);
    expect(again.reverse()).toEqual(first);
  });

  test('arguments are checked', () => {
    expect(() => verify(5 as unknown as string, '5')).toThrow(/Expected string for gold/);
    expect(() => verify('5', null as unknown as string)).toThrow(/Expected string for completion/);
    expect(() => verify('5', '5', { statement: 'all' as 'any' })).toThrow(/statement/);
  });
});

test.each([
  ['1/2', '0.50', true],
  ['x = 3', '3', true],
  ['\\sqrt{8}', '2\\sqrt{2}', true],
  ['3', '4', false],
  ['\\foo', '\\foo', false],
  ['('.repeat(300), '1', false],
  // Bound names are free to choose, others are not.
  ['\\{t|726>t>2\\}', '\\{x|726>x>2\\}', true],
  ['\\{t|726>t>2\\}', '\\{x|726>t>2\\}', false],
  // A form feed is white space.
  ['2\f3', '23', false],
  ['>2-\f k', '>2-\fk', true],
])('bare answers %j and %j', (first, second, equal) => {
  expect(equalAnswers(first, second)).toBe(equal);
  expect(equalAnswers(second, first)).toBe(equal);
});

test('the cache of golds forgets the oldest and never keeps a huge one', () => {
  const computed: string[] = [];
  const cache = new GoldCache((gold: string) => computed.push(gold));
  cache.get('a');
  cache.get('a');
  expect(computed).toEqual(['a']);
  for (let i = 0; i < 4096; i++) cache.get(`gold ${i}`);
  cache.get('a');
  expect(computed.filter((gold) => gold === 'a')).toHaveLength(2);
  const huge = 'x'.repeat(5000);
  cache.get(huge);
  cache.get(huge);
  expect(computed.filter((gold) => gold === huge)).toHaveLength(2);
});

test('white space of any kind is the same, beside other white space too', () => {
  for (const gold of ['>2-\f k', '>2- \fk', '>2-\v\n k']) {
    expect(verify(gold, '\\boxed{>2-\fk}')).toMatchObject({ correct: true });
    expect(verify(gold, '\\boxed{$>2-\fk$}')).toMatchObject({ correct: true });
  }
});

test('values whose products leave the range of doubles are compared without an error', () => {
  expect(verify('x^x=1', 'x=\\sqrt{-71!}')).toMatchObject({ correct: false });
});

test('differences out of reach and marks with a number but no word behind it are no errors', () => {
  for (let factor = 1; factor < 100; factor += 9) {
    for (const exponent of [298, 299]) {
      const answer = `\\boxed{${factor}\\cdot 10^{${exponent}}x<0}`;
      expect(verify('x>1', answer).correct).toBe(false);
    }
  }
  for (const text of ['####1)', '#### 2)', '(1,-####52)']) {
    expect(verify('5', text).correct).toBe(false);
    expect(verify(text, '\\boxed{7}').correct).not.toBe(true);
  }
});
