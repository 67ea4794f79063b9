import { ASSERTED_CHARACTERS, extractAnswer } from '../../../../src/verifier/extract/extract-answer';
import { type Case, stated } from './support';

describe('a short text is its own answer', () => {
  test.each<Case>([
    ['-5', 'asserted', '-5'],
    ['7,425,000', 'asserted', '7,425,000'],
    ['1 000', 'asserted', '1 000'],
    ['.4', 'asserted', '.4'],
    ['28 percent', 'asserted', '28 percent'],
    ['28 %', 'asserted', '28 %'],
    ['$28$ percent', 'asserted', '28 percent'],
    ['$1,000.99', 'asserted', '$1,000.99'],
    ['1,000.99$', 'asserted', '1,000.99$'],
    ['x = 3', 'asserted', 'x = 3'],
    ['x = 3, y = -2', 'asserted', 'x = 3, y = -2'],
    ['[0,1)', 'asserted', '[0,1)'],
    ['$[0,1)$', 'asserted', '[0,1)'],
    ['(3, -4)', 'asserted', '(3, -4)'],
    ['{1, 2, 3}', 'asserted', '{1, 2, 3}'],
    ['B', 'asserted', 'B'],
    ['(C)', 'asserted', '(C)'],
    ['\\frac{10}{9}', 'asserted', '\\frac{10}{9}'],
    ['-\\frac{10}{9}', 'asserted', '-\\frac{10}{9}'],
    ['W(x)=1', 'asserted', 'W(x)=1'],
    ['W(x)=1orW(x)=-1', 'asserted', 'W(x)=1orW(x)=-1'],
    ['$1$ or $2$', 'asserted', '1', '2'],
    ['odd', 'asserted', 'odd'],
    ['Evelyn Smith', 'asserted', 'Evelyn Smith'],
    ['7:32', 'asserted', '7:32'],
    ['2\\sqrt{3} + 1', 'asserted', '2\\sqrt{3} + 1'],
    ['3 + 4i', 'asserted', '3 + 4i'],
    ['90^\\circ', 'asserted', '90^\\circ'],
    ['$\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}$', 'asserted', '\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}'],
    ['\\(x \\geq 5\\)', 'asserted', 'x \\geq 5'],
    ['12 apples', 'asserted', '12 apples'],
    ['no solution', 'asserted', 'no solution'],
    ['None of the above.', 'asserted', 'None of the above.'],
    ['C. 12 cm', 'asserted', 'C. 12 cm'],
    ['(D) 5', 'asserted', '(D) 5'],
    ['twenty one', 'asserted', 'twenty one'],
  ])('%j', (text, ...expected) => {
    expect(stated(text)).toEqual(expected);
  });

  test('with what it holds as another reading', () => {
    expect(extractAnswer('$A$ or text')).toMatchObject({ texts: ['$A$ or text'], alternatives: ['A'] });
    expect(extractAnswer('12 apples')?.alternatives).toEqual(['12']);
    expect(extractAnswer('28 percent')?.alternatives).toEqual(['28']);
  });
});

describe('the last asserted value', () => {
  test.each<Case>([
    ['the number is not 10 which is 1,000.99€', 'asserted', '1,000.99€'],
    ['so the number is 10 which is 1,000.99m²', 'asserted', '1,000.99m²'],
    ["not it's not 10 it's 1,000.99m²", 'asserted', '1,000.99m²'],
    ['Cost : 2,74 $ a..', 'asserted', '2,74 $'],
    ['so there are 12 distinct paths that meet the 3 given conditions.', 'asserted', '12'],
    ['Therefore, the chance that Bob wins is 2/3.', 'asserted', '2/3'],
    ['therefore $x \\geq 5$ is the solution.', 'asserted', 'x \\geq 5'],
    ['We find that $x \\lt 3$.', 'asserted', 'x \\lt 3'],
    [
      'The product is $\\begin{pmatrix} 1 & 2 \\\\ 3 & 5 \\end{pmatrix}$',
      'asserted',
      '\\begin{pmatrix} 1 & 2 \\\\ 3 & 5 \\end{pmatrix}',
    ],
    ['So the pair $(x, y)$ that solves the system is $(7, 6)$.', 'asserted', '(7, 6)'],
    ['So the error grows by 100%.', 'asserted', '100%'],
    ['We get x = 5.', 'asserted', 'x = 5'],
    ['Thus x = 4 or x = -4.', 'asserted', 'x = 4 or x = -4'],
    ['Q: What is 3 + 4?\nA: 7', 'asserted', '7'],
    ['We get 3 + 4 = 7.', 'asserted', '7'],
    ['So the roots are $n = 1$ and $n = -2$.', 'asserted', 'n = 1', 'n = -2'],
    ['Since $a=1$ and $b=2$, $a+b=3$.', 'asserted', 'a+b=3'],
    ['After the first bag he has $10,000 + $200 = $10,200.', 'asserted', '$10,200'],
    ['The pay rises from $40 to $60.', 'asserted', '$60'],
    ['So he needs 5 of them.\n\nI hope this helps!', 'asserted', '5'],
    ['The total is 12. Does that help?', 'asserted', '12'],
    ['The total is 12. It is not 5.', 'asserted', '12'],
    ['The total is 12, as step 3 shows.', 'asserted', '12'],
    ['The total is 12.\n\nSee Figure 2.', 'asserted', '12'],
    ['1. Add 3 and 4.\n2. The sum is 7.\n3. Done.', 'asserted', '7'],
    ['The total is\n\\[ 40 + 2 = 42. \\]', 'asserted', '40 + 2 = 42'],
    ['\\begin{align*} x &= 6 \\cdot 7 \\\\ &= 42 \\end{align*}', 'asserted', '42'],
    ['The area equals $9\\pi$, where $r$ is the radius.', 'asserted', '9\\pi'],
    ['The angle with the $x$-axis is $30^\\circ$.', 'asserted', '30^\\circ'],
    ['Hence f(2) = 2^2 + 1 = 5 as required.', 'asserted', '5'],
    ['因此共有 12 种方法。', 'asserted', '12'],
    ['**Total: 15**', 'asserted', '15'],
    ['The time is 7:30 pm.', 'asserted', '7:30 pm'],
    ['It happened in the 5th round, after 40 minutes.', 'asserted', '40 minutes'],
  ])('%j', (text, ...expected) => {
    expect(stated(text)).toEqual(expected);
  });
});

describe('choices', () => {
  test.each<Case>([
    ['A. Because B is not valid', 'asserted', 'A'],
    ['(B) since the others fail', 'asserted', 'B'],
    ['Because B is valid', 'asserted', 'B'],
    ['I choose option D here.', 'asserted', 'D'],
    ['Therefore, the correct graph is $C$.', 'asserted', 'C'],
  ])('%j', (text, ...expected) => {
    expect(stated(text)).toEqual(expected);
  });

  test.each(['No valid answer here', 'A circle is drawn around the house.', 'I think so', 'A dog barks.'])(
    '%j names none',
    (text) => {
      expect(stated(text)?.[1]).not.toBe('A');
      expect(stated(text)?.[1]).not.toBe('I');
    },
  );
});

describe('nothing is asserted', () => {
  test.each([
    '',
    '   \n ',
    'It is not 5.',
    "I don't know whether it is 5.",
    'With 5 and 6 alone, this cannot be determined.',
    'It is not possible to find 5 such numbers.',
    'There is no answer with 3 digits.',
    'What is 2 + 3?',
    'Find the sum of 2 and 3.',
    'Please put your final answer within \\boxed{}.',
    'How many of the 12 apples are red? How many are green?',
    'print(5)?',
    '```python\nprint(5)\n```',
    '<think> Let me see',
  ])('%j', (text) => {
    expect(stated(text)).toBeNull();
  });

  test('numbers inside of words do not count', () => {
    expect(stated('AZYUK2A')).toEqual(['asserted', 'AZYUK2A']);
    expect(stated('So the model is called AZYUK2A.')).toBeNull();
  });

  test(`only the last ${String(ASSERTED_CHARACTERS)} characters are searched`, () => {
    expect(stated(`The total is 5. ${'bla '.repeat(ASSERTED_CHARACTERS / 8)}`)).toEqual(['asserted', '5']);
    expect(stated(`The total is 5. ${'bla '.repeat(ASSERTED_CHARACTERS)}`)).toBeNull();
  });
});

describe('gold answers', () => {
  test.each([
    ['12', ['12']],
    ['\\frac{1}{2}', ['\\frac{1}{2}']],
    ['$\\frac{1}{2}$', ['\\frac{1}{2}']],
    ['$125$ miles', ['125 miles']],
    ['$1$ and $2$ and $3$', ['1', '2', '3']],
    ['$21,16$ or $11$', ['21', '16', '11']],
    ['$1,200$ or $11$', ['1,200', '11']],
    ['There are 12 ways.', ['12']],
    ['$0.06 \\text{ yuan}$', ['0.06 \\text{ yuan}']],
    ['19, 46, and 82', ['19, 46, and 82']],
    ['x = 5 or x = -5', ['x = 5 or x = -5']],
    ['The midpoints form a regular hexagon', ['The midpoints form a regular hexagon']],
    ['cannot be determined', ['cannot be determined']],
    ['no solution', ['no solution']],
    ['Is it a square?', ['Is it a square?']],
    ['Answer is forty two.', ['forty two']],
    ['\\boxed{8}', ['8']],
    ['\\boxed{x = 1 \\text{ and } x = -1', ['x = 1 \\text{ and } x = -1']],
    ['$\\boxed{1}\\boxed{2}$', ['1', '2']],
    ['He has 3 + 4 = 7 pens.\n#### 7', ['7']],
    ['We add the two. This gives 12 in the end.', ['12']],
    ['12\n', ['12']],
  ])('%j', (gold, texts) => {
    expect(extractAnswer(gold, { role: 'gold' })?.texts).toEqual(texts);
  });

  test('no gold answer', () => {
    expect(extractAnswer('', { role: 'gold' })).toBeNull();
    expect(extractAnswer(' \n', { role: 'gold' })).toBeNull();
  });

  test('joined by or', () => {
    expect(extractAnswer('$21,16$ or $11$', { role: 'gold' })?.joinedByOr).toBe(true);
    expect(extractAnswer('$1$ and $2$', { role: 'gold' })?.joinedByOr).toBe(false);
  });
});
