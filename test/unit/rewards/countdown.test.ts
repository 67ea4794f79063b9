/** The countdown reward against answers made to fool it. */
import { runInThisContext } from 'node:vm';
import fc from 'fast-check';
import { scoreSample, scoreSamples, type RewardSample } from '../../../src/rewards';
import { countdownReward } from '../../../src/rewards/countdown/countdown';
import { readExpression } from '../../../src/rewards/countdown/expression';

const sample = (completion: string, numbers: unknown = [3, 5, 2], target = '4'): RewardSample => ({
  problem: { id: 'p', problem: 'Q', answer: target, row: { numbers } },
  prompt: 'User: Q\nAssistant: <think>',
  completion,
  answer: target,
  tokens: new Int32Array(1),
  finishReason: 'stop',
});
const reasonOf = async (...parameters: Parameters<typeof sample>): Promise<string> =>
  (await scoreSample(countdownReward(), sample(...parameters))).reason;
const answer = (text: string): string => `so.</think> <answer>${text}</answer>`;

describe('right answers', () => {
  test.each([
    ['(3 + 5) / 2', [3, 5, 2]],
    ['\n (3+5)/2 \n', [3, 5, 2]],
    ['(3.0 + 5) / 2.00', [3, 5, 2]],
    ['(5 + 3) ÷ 2', [3, 5, 2]],
    ['(5 + 3) \\div 2', [3, 5, 2]],
    ['(3 + 5) / 2 = 4', [3, 5, 2]],
    ['-(2 - 6)', [2, 6]],
    ['8 × 1 − 4', [1, 8, 4]],
    ['3 / (1 - 1 / 4)', [3, 1, 1, 4]],
    ['2 x 2', [2, 2]],
    ['(8 - 6) X 2', [8, 6, 2]],
    ['(2)(2)', [2, 2]],
    ['2(5 - 3)', [2, 5, 3]],
    ['(5 - 3)2', [2, 5, 3]],
    ['\\boxed{2*2}', [2, 2]],
    ['$\\boxed{2 \\times 2 = 4}$', [2, 2]],
    ['\\frac{3 + 5}{2}', [3, 5, 2]],
    ['2 / \\frac{1}{2}', [2, 1, 2]],
    ['\\left(3 + 5\\right) \\div 2', [3, 5, 2]],
    ['[3 + 5] / 2', [3, 5, 2]],
  ])('%j scores 1', async (text, numbers) => {
    expect(await scoreSample(countdownReward(), sample(answer(text), numbers))).toMatchObject({
      reward: 1,
      reason: 'equal',
      correct: true,
      formatted: true,
    });
  });

  test('exact where doubles are not', async () => {
    expect(await reasonOf(answer('1 / 49 * 49 * 4'), [1, 49, 49, 4])).toBe('equal');
    expect(await reasonOf(answer('4 + 1 / 999999999999'), [4, 1, 999999999999])).toBe('different');
  });
});

describe('the holes of the rule it follows', () => {
  test.each([
    ['2 ** 2', [2, 2]],
    ['9 // 2', [9, 2]],
    ['2^2', [2, 2]],
    ['9 % 5', [9, 5]],
  ])('%s is no operation of the task', async (text, numbers) => {
    expect(await reasonOf(answer(text), numbers)).toBe('not-arithmetic');
  });

  test.each(['\n', ' \n\n', '\nI hope this helps.', '<|endoftext|>'])(
    '%j after the closing tag is allowed',
    async (tail) => {
      expect(await reasonOf(answer('(3 + 5) / 2') + tail)).toBe('equal');
    },
  );

  test('a number may be written 3.0, but not 3.5', async () => {
    expect(await reasonOf(answer('(3.0 + 5) / 2'))).toBe('equal');
    expect(await reasonOf(answer('(3.5 + 4.5) / 2'))).toBe('wrong-numbers');
  });
});

describe('answers made to fool it', () => {
  test.each([
    ['4', 'wrong-numbers'],
    ['4 + 0 * (3 + 5 + 2)', 'wrong-numbers'],
    ['(3 + 5) / 2 + 2 - 2', 'wrong-numbers'],
    ['3 + 5 - 2 * 2', 'wrong-numbers'],
    ['(3 + 5)', 'wrong-numbers'],
    ['35 / 2', 'wrong-numbers'],
    ['3 5 2', 'not-arithmetic'],
    ['2(3 + 5)', 'different'],
    ['2(3)5', 'different'],
    ['(3)(5)2', 'different'],
    ['3 5(2)', 'not-arithmetic'],
    ['3 x', 'not-arithmetic'],
    ['x 3 5 2', 'not-arithmetic'],
    ['3 xx 5', 'not-arithmetic'],
    ['\\boxed{3 + 5}', 'wrong-numbers'],
    ['\\boxed{(3 + 5) / 2', 'not-arithmetic'],
    ['(3 + 5) / 2 = 4 = 4', 'not-arithmetic'],
    ['(3 + 5) / 2 = 3 + 1', 'not-arithmetic'],
    ['(3 + 5) / 2 = 5', 'different'],
    ['3 + 5 + 2 = 4', 'different'],
    ['4 = (3 + 5) / 2', 'wrong-numbers'],
    ['(3 + 5) / (2 - 2)', 'not-arithmetic'],
    ['3e0 + 5 - 2', 'not-arithmetic'],
    ['03 + 5 - 2', 'not-arithmetic'],
    ['3 + 5 / 2 or (3 + 5) / 2', 'not-arithmetic'],
    ['process.exit(4)', 'not-arithmetic'],
    ['(((3 + 5) / 2', 'not-arithmetic'],
    [`${'('.repeat(150)}4${')'.repeat(150)}`, 'not-arithmetic'],
    ['3+'.repeat(5000) + '1', 'not-arithmetic'],
    ['', 'no-answer'],
  ])('%j: %s', async (text, reason) => {
    expect(await reasonOf(answer(text))).toBe(reason);
  });

  test('the last answer of the turn counts, and no answer of a turn that the model made up', async () => {
    expect(await reasonOf(`${answer('3')} wait ${answer('(3 + 5) / 2')}`)).toBe('equal');
    expect(await reasonOf(`${answer('(3 + 5) / 2')} wait ${answer('3')}`)).toBe('wrong-numbers');
    expect(await reasonOf(`I give up.\nUser: Q\nAssistant: ${answer('(3 + 5) / 2')}`)).toBe('no-answer');
    expect(await reasonOf(`${answer('(3 + 5) / 2')}\nUser: another\nAssistant: ${answer('1')}`)).toBe('equal');
    expect(await reasonOf('User: Q')).toBe('no-answer');
  });

  test('an answer without tags, or with half of them, has the wrong format', async () => {
    for (const text of ['(3 + 5) / 2', '<answer>(3 + 5) / 2', '(3 + 5) / 2</answer>', '</answer>4<answer>'])
      expect(await scoreSample(countdownReward(), sample(text))).toMatchObject({
        reward: 0,
        reason: 'no-answer',
        correct: false,
        formatted: false,
      });
  });
});

test('scores are set by options, also for a batch', async () => {
  const reward = countdownReward({ correct: 2, wrongAnswer: 0, wrongFormat: -1 });
  const scores = await scoreSamples(
    reward,
    [answer('(3 + 5) / 2'), answer('1'), 'x'].map((text) => sample(text)),
  );
  expect(scores.map((score) => score.reward)).toEqual([2, 0, -1]);
  expect(() => countdownReward({ correct: Infinity })).toThrow(RangeError);
});

test.each([[undefined], [[]], ['3 5 2'], [[3, 'x']], [[3, null]]])(
  'a row with numbers %j cannot be scored',
  async (numbers) => {
    const score = await scoreSample(countdownReward(), {
      ...sample('x'),
      problem: { id: 'p', problem: 'Q', answer: '4', row: { numbers } },
    });
    expect(score).toMatchObject({ reward: null, reason: 'no-task' });
  },
);

describe('expressions', () => {
  const leaf = fc.integer({ min: 0, max: 99 }).map(String);
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc
        .tuple(tie('tree'), fc.constantFrom('+', '-', '*', '/', ' + ', ' / '), tie('tree'))
        .map((parts) => parts.join('')),
      tie('tree').map((text) => `(${text})`),
      tie('tree').map((text) => ` -(${text})`),
    ),
  }));

  test('have the value that JavaScript gives them, and their numbers', () => {
    fc.assert(
      fc.property(tree, (text) => {
        const read = readExpression(text);
        const value = runInThisContext(text) as number;
        if (read === null) {
          // A division by zero somewhere, or too long a text.
          expect(/\//.test(text) || text.length > 400).toBe(true);
          return;
        }
        const exact = Number(read.value.numerator) / Number(read.value.denominator);
        expect(Math.abs(exact - value)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(value)));
        expect(read.numbers.map(({ numerator }) => String(numerator))).toEqual(text.match(/\d+/g));
      }),
      { numRuns: 500 },
    );
  });

  test('any other text is none, and never an error', () => {
    const pieces = fc.array(
      fc.constantFrom(
        '1',
        '2',
        '3.0',
        '+',
        '-',
        '*',
        '/',
        '(',
        ')',
        ' ',
        '**',
        '//',
        '=',
        '<answer>',
        '</answer>',
        '\n',
        'x',
        '٣',
        '😀',
      ),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          pieces.map((list) => list.join('')),
        ),
        (text) => {
          const read = readExpression(text);
          expect(read === null || read.numbers.length > 0).toBe(true);
          if (/\*\s*\*|\/\s*\/|[a-wyz<=]/.test(text)) expect(read).toBeNull();
          expect(() => countdownReward()(sample(text))).not.toThrow();
        },
      ),
      { numRuns: 1000 },
    );
  });
});
