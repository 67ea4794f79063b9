import { extractAnswer, lastBox } from '../../../../src/verifier/extract/extract-answer';
import { type Case, stated } from './support';

describe('lastBox', () => {
  test.each([
    ['\\boxed{7}', '7'],
    ['\\fbox{7}', '7'],
    ['\\framebox{7}', '7'],
    ['\\framebox[3cm][c]{7}', '7'],
    ['\\boxed {7}', '7'],
    ['\\boxed\n{7}', '7'],
    ['first \\boxed{1} then. \\boxed{2}', '2'],
    ['\\boxed{ \\frac{1}{2} }', '\\frac{1}{2}'],
    ['\\boxed{\\{3, 4\\}}', '\\{3, 4\\}'],
    ['\\boxed{x \\in \\{1\\}', 'x \\in \\{1\\}'],
    ['a } stray \\} brace { and \\boxed{9}', '9'],
    ['\\boxed{9} and { an open one', '9'],
    ['\\boxed{y = \\boxed{5}}', '5'],
    ['\\boxed{3 \\boxed{} 4}', '3 \\boxed{} 4'],
    ['\\boxed{\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}}', '\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}'],
    ['\\\\boxed{8}', '8'],
    ['\\boxed 5', '5'],
    ['\\boxed5', '5'],
    ['so \\boxed -12.5.', '-12.5'],
    ['\\boxed 1,234 in all', '1,234'],
    ['\\boxed\\frac{2}{3}.', '\\frac{2}{3}'],
    ['\\boxed\\frac12$', '\\frac12'],
    ['\\boxed\\pi', '\\pi'],
    ['\\boxed C', 'C'],
    ['\\boxed (4, 5)', '(4, 5)'],
    ['\\boxed{1} ... \\boxed{2 and no end', '1'],
    ['thus \\boxed{17', '17'],
    ['thus $\\boxed{17$. And\nmore', '17'],
    ['thus \\boxed{\\frac{1}{2}', '\\frac{1}{2}'],
  ])('%j holds %j', (text, content) => {
    expect(lastBox(text)?.text).toBe(content);
  });

  test.each([
    '', 'no box', '\\boxed', '\\boxed{}', '\\boxed{ }', '\\boxed{', '\\boxed for the answer', '\\boxedthing{5}', '\\mbox{5}', 'boxed{5}', '\\inbox{5}',
  ])('%j holds nothing', (text) => {
    expect(lastBox(text)).toBeNull();
  }); // prettier-ignore

  test('tells where the box stands', () => {
    expect(lastBox('so $\\boxed{42}$.')).toEqual({ text: '42', start: 4, end: 14 });
  });
});

describe('boxes that form one list', () => {
  test.each<Case>([
    ['\\boxed{1} and \\boxed{2}', 'box', '1', '2'],
    ['\\boxed{1}, \\boxed{2}, and \\boxed{3}', 'box', '1', '2', '3'],
    ['\\boxed{1}\\boxed{2}', 'box', '1', '2'],
    ['$\\boxed{1}$; $\\boxed{2}$', 'box', '1', '2'],
    ['$$\\boxed{(1, 4)} \\quad \\text{and} \\quad \\boxed{(4, 1)}$$', 'box', '(1, 4)', '(4, 1)'],
    ['\\( x_1 = \\boxed{3} \\) and \\( x_2 = \\boxed{-3} \\)', 'box', '3', '-3'],
    ['x = \\boxed{2}, y = \\boxed{5}', 'box', '2', '5'],
    ['\\boxed{4} pens and \\boxed{9} books', 'box', '4', '9'],
    ['\\boxed{4} \\text{ for part (i) and } \\boxed{9}', 'box', '4', '9'],
    ['\\[ \\boxed{4} \\]\nand\n\\[ \\boxed{9} \\]', 'box', '4', '9'],
    ['\\boxed{4} 和 \\boxed{9}', 'box', '4', '9'],
    ['\\boxed{6} and \\boxed{6}', 'box', '6'],
    ['\\boxed{1/2} and \\boxed{ 1 / 2 } and \\boxed{3}', 'box', '1 / 2', '3'],
    ['\\boxed{2 1/3} and \\boxed{21/3}', 'box', '2 1/3', '21/3'],
    ['\\boxed{2 1/3} and \\boxed{2\n1 / 3}', 'box', '2\n1 / 3'],
    ['\\boxed{\\boxed{1}, \\boxed{2}}', 'box', '1', '2'],
  ])('%j', (text, ...expected) => {
    expect(stated(text)).toEqual(expected);
  });

  test.each([
    ['\\boxed{5} or \\boxed{6}', true],
    ['\\boxed{5}$ \\text{ or } $\\boxed{6}', true],
    ['\\boxed{5}, \\boxed{6} or \\boxed{7}', true],
    ['\\boxed{5} and \\boxed{6}', false],
    ['\\boxed{5} or \\boxed{5}', false],
  ])('%j joined by or: %j', (text, joinedByOr) => {
    expect(extractAnswer(text)?.joinedByOr).toBe(joinedByOr);
  });
});

describe('boxes that do not', () => {
  test.each<Case>([
    ['\\boxed{1}. Wait, that is wrong: \\boxed{2}', 'box', '2'],
    ['\\boxed{1}, no, \\boxed{2}', 'box', '2'],
    ['\\boxed{1}, actually \\boxed{2}', 'box', '2'],
    ['\\boxed{1}, correction: \\boxed{2}', 'box', '2'],
    ['\\boxed{1}, sorry, \\boxed{2}', 'box', '2'],
    ['\\boxed{1} instead of this, \\boxed{2}', 'box', '2'],
    ['\\boxed{1}. \\boxed{2}', 'box', '2'],
    ['The first is \\boxed{1}. The second, and last, is \\boxed{2}.', 'box', '2'],
    ['$\\boxed{1}.$ and $\\boxed{2}$', 'box', '2'],
    ['\\[\\boxed{1}\\]\n\n\\[\\boxed{2}\\]', 'box', '2'],
    ['\\boxed{1} words words words \\boxed{2}', 'box', '2'],
    ['\\boxed{3}, so the total is \\boxed{12}', 'box', '12'],
    ['\\boxed{3}, which gives \\boxed{12}', 'box', '12'],
    [`\\boxed{1} and ${'very '.repeat(20)}\\boxed{2}`, 'box', '2'],
    ['\\boxed{1/2} = \\boxed{0.5}', 'box', '0.5'],
    ['\\boxed{1/3} \\approx \\boxed{0.333}', 'box', '1/3'],
    ['\\boxed{1/3} ≈ \\boxed{0.333}', 'box', '1/3'],
    ['\\boxed{1/3}, or about \\boxed{0.333}', 'box', '1/3'],
    ['\\boxed{2^3} or equivalently \\boxed{8}', 'box', '8'],
    ['\\boxed{1} and \\boxed{2}. Wait, \\boxed{3}', 'box', '3'],
  ])('%j', (text, ...expected) => {
    expect(stated(text)).toEqual(expected);
  });
});

describe('placeholders state nothing', () => {
  test.each([
    'Put your final answer within \\boxed{}.',
    'Write \\boxed{answer}.',
    'Write \\boxed{\\text{your answer}}.',
    'Write \\boxed{Final Answer}.',
    'Write \\boxed{...}.',
    'Write \\boxed{\\ldots}.',
    'Write \\boxed{\\phantom{00}}.',
    'Write \\boxed{\\square}.',
    'Write \\boxed{?}.',
    'Write \\boxed{[answer here]}.',
    'Write <answer>your answer</answer>.',
    'Write <answer> answer here </answer>.',
    'End with "The final answer is: [answer]".',
  ])('%j', (text) => {
    expect(stated(text)).toBeNull();
  });

  test.each<Case>([
    ['Use \\boxed{}. The sum is \\boxed{4}. Fill \\boxed{\\phantom{4}}.', 'box', '4'],
    ['\\boxed{x}', 'box', 'x'],
    ['\\boxed{\\emptyset}', 'box', '\\emptyset'],
    ['\\boxed{\\{\\}}', 'box', '\\{\\}'],
    ['\\boxed{\\text{cannot be determined}}', 'box', '\\text{cannot be determined}'],
    ['\\boxed{\\text{no solution}}', 'box', '\\text{no solution}'],
    ['\\boxed{None}', 'box', 'None'],
  ])('but %j does', (text, ...expected) => {
    expect(stated(text)).toEqual(expected);
  });
});

describe('boxed only', () => {
  test.each([
    ['The answer is 5.', null],
    ['#### 5', null],
    ['<answer>5</answer>', null],
    ['5', null],
    ['\\boxed{5', null],
    ['\\boxed{5}. The answer is 6.', '5'],
    ['\\boxed 5', '5'],
    ['<think>\\boxed{4}</think> \\boxed{5}', '5'],
    ['<think>\\boxed{4}</think> It is 5.', '4'],
    ['<answer>\\boxed{5}</answer> and 6', '5'],
    ['\\boxed{5}\n\nQuestion: What is 3 + 3? \\boxed{6}', '5'],
  ])('%j states %j', (text, expected) => {
    expect(extractAnswer(text, { statement: 'boxed' })?.texts[0] ?? null).toBe(expected);
  });
});
