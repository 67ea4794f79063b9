import fc from 'fast-check';
import { extractAnswer, lastBox, verify } from '../../../src/verifier';

const correct = (gold: string, completion: string): boolean | null => verify(gold, completion).correct;

describe('extraction', () => {
  test.each([
    ['so \\boxed{1}. No, \\boxed{2}', '2'],
    ['\\boxed{\\frac{1}{2}} and then \\boxed{unfinished', '\\frac{1}{2}'],
    ['\\boxed{} \\boxed{ 3 }, \\boxed{ }', '3'],
    ['a } stray brace, \\{ escaped, \\fbox{4}', '4'],
    ['\\boxed{\\{1, 2\\}}', '\\{1, 2\\}'],
    ['no box', undefined],
  ])('the last balanced box of %j', (text, expected) => {
    expect(lastBox(text)?.text).toBe(expected);
  });

  test.each([
    ['The answer is 12.', 'phrase', '12'],
    ['The answer is 3.5. Next question', 'phrase', '3.5'],
    ['Final answer: **7**\nbye 8', 'phrase', '7'],
    ['working 1 2 3\n#### 1,200', 'hashes', '1,200'],
    ['<think>\\boxed{1}</think> <answer> 2 </answer>', 'tag', '2'],
    ['<answer>\\boxed{5}</answer> The answer is 6.', 'box', '5'],
    ['<think>\\boxed{1}</think> hm', 'box', '1'],
    ['\\boxed{1} but the answer is 2', 'phrase', '2'],
    ['the answer is 2, \\boxed{1}', 'box', '1'],
    ['The answer is \\boxed{9}.', 'box', '9'],
  ])('%j', (text, kind, expected) => {
    expect(extractAnswer(text)).toMatchObject({ kind, text: expected });
  });

  test('a long text of unclosed boxes takes linear time', () => {
    expect(verify('1', '\\boxed{'.repeat(200_000)).reason).toBe('no-answer');
  });
});

describe('numbers', () => {
  test.each([
    ['12', '12.0'],
    ['-3', '- 3'],
    ['-3', '\u22123'],
    ['+4', '4'],
    ['1200', '1,200'],
    ['1234567', '1{,}234{,}567'],
    ['1234567', '1 234 567'],
    ['0.5', '\\frac{1}{2}'],
    ['\\dfrac12', '.5'],
    ['-1/2', '\\frac{-1}{2}'],
    ['-1/2', '-\\tfrac{1}{2}'],
    ['7/3', '2\\frac13'],
    ['7/3', '2 1/3'],
    ['1/3', '0.333333'],
    ['300000000', '3e8'],
    ['12', '$12'],
    ['12', '12\\%'],
    ['90', '90^\\circ'],
    ['5', 'x = 5'],
    ['x=5', '5'],
    ['\\boxed{8}', '8'],
    ['work work #### 9', '9'],
    ['1' + '0'.repeat(300), '1e300'],
  ])('%s equals %s', (gold, answer) => {
    expect(correct(gold, `\\boxed{${answer}}`)).toBe(true);
  });

  test.each([
    ['12', '13'],
    ['12', '1,2'],
    ['12', '12 13'],
    ['1/3', '0.33'],
    ['1/3', '0.333334'],
    ['0.3333331', '0.3333332'],
    ['1/2', '1/0'],
    ['x=5', 'y=5'],
    ['9007199254740993', '9007199254740992'],
    ['1', '1e-9999'],
    ['12', '12 or 13'],
    ['0', 'Nothing'],
  ])('%s is not %s', (gold, answer) => {
    expect(correct(gold, `\\boxed{${answer}}`)).toBe(false);
  });

  test('every integer equals itself in any grouping, and no other integer', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
        fc.bigInt({ min: 1n, max: 1000n }),
        (value, off) => {
          const grouped = value.toLocaleString('en-US');
          expect(correct(String(value), `\\boxed{${grouped}}`)).toBe(true);
          expect(correct(String(value), `\\boxed{${value + off}}`)).toBe(false);
        },
      ),
    );
  });

  test('a fraction equals its multiples', () => {
    const integer = fc.integer({ min: 1, max: 100_000 });
    fc.assert(
      fc.property(integer, integer, integer, (a, b, factor) => {
        expect(correct(`${a}/${b}`, `\\boxed{\\frac{${a * factor}}{${b * factor}}}`)).toBe(true);
      }),
    );
  });
});

describe('verdicts', () => {
  test('text is compared without case and TeX dress', () => {
    expect(correct('Tuesday', '\\boxed{\\text{tuesday}}')).toBe(true);
    expect(correct('Tuesday', '\\boxed{Wednesday}')).toBe(false);
  });

  test('an empty or broken gold answer cannot be scored', () => {
    for (const gold of ['', '  ', '\\frac{1}{2']) {
      expect(verify(gold, '\\boxed{1}')).toMatchObject({ correct: null, reason: 'gold-unparsable' });
    }
  });

  test('boxed only', () => {
    expect(verify('1', 'The answer is 1.', { statement: 'boxed' })).toMatchObject({
      correct: false,
      reason: 'no-answer',
    });
    expect(verify('1', 'The answer is 1.')).toMatchObject({ correct: true, reason: 'correct', extracted: '1' });
  });

  test('never throws on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (gold, text) => void verify(gold, `\\boxed{${text}}`)),
    );
  });

  test('arguments are checked', () => {
    expect(() => verify(1 as unknown as string, '')).toThrow('Expected string for gold but received 1 of type number');
    expect(() => verify('', '', { statement: 'all' as 'any' })).toThrow(/Expected one of "any", "boxed" for statement/);
  });
});
