import { extractAnswer } from '../../../../src/verifier/extract/extract-answer';
import { type Case, stated } from './support';

describe('announced in words', () => {
  test.each<Case>([
    ['The answer is 12.', 'phrase', '12'],
    ['the ANSWER IS 12', 'phrase', '12'],
    ['So the answer is 3.75. Next, the check.', 'phrase', '3.75'],
    ['The answer is -4.', 'phrase', '-4'],
    ['Therefore the final answer is 12,000,023. I hope it is correct.', 'phrase', '12,000,023'],
    ['The final answer is 45 I hope it is correct.', 'phrase', '45'],
    ['Final Answer: The final answer is $(0, 1)$. I hope it is correct.', 'phrase', '(0, 1)'],
    ['Answer: 7', 'phrase', '7'],
    ['answer = 7', 'phrase', '7'],
    ['Ans: 7', 'phrase', '7'],
    ['**Answer:** 7', 'phrase', '7'],
    ['**Final Answer**: **7**', 'phrase', '7'],
    ['Final answer: `7`\nbye 8', 'phrase', '7'],
    ['### Final Answer\n\n7', 'phrase', '7'],
    ['**Final Answer**\n\n$7$', 'phrase', '7'],
    ['## Answer\n- 7 apples', 'phrase', '7'],
    ['The final answer is:\n\n\\[ 42 \\]', 'phrase', '42'],
    ['The final answer is:\n\n\\[\n\\begin{aligned} x &= 40 + 2 \\\\ &= 42 \\end{aligned}\n\\]', 'phrase', '42'],
    ['The answer is\n$$x^2 + 1$$', 'phrase', 'x^2 + 1'],
    ['The correct option is (C).', 'phrase', '(C)'],
    ['The correct choice is **B**.', 'phrase', 'B'],
    ['The correct answer is option D', 'phrase', 'D'],
    ['The correct answer is B) Paris', 'phrase', 'B) Paris'],
    ['The correct answer is: C. 12 cm', 'phrase', 'C. 12 cm'],
    ['The answer is **C**: 12 cm.', 'phrase', 'C: 12 cm'],
    ['The answer is A. 5 is prime.', 'phrase', 'A'],
    ['The answer is choice C, because 12 is even.', 'phrase', 'C'],
    ['The answer is 3 : 2.', 'phrase', '3 : 2'],
    ['The answer is minus five.', 'phrase', 'minus five'],
    ['The answer is twenty one.', 'phrase', 'twenty one'],
    ['The answer is July 4.', 'phrase', 'July 4'],
    ['The answer is yes.', 'phrase', 'yes'],
    ['The answer is 0.333...', 'phrase', '0.333...'],
    ['The answer is 1, 2, 3, ...', 'phrase', '1, 2, 3, ...'],
    ['**Final Answer**\n$x = 2$\n$y = 3$\n\nz = 4', 'phrase', 'x = 2', 'y = 3'],
    ['The answer is A.', 'phrase', 'A'],
    ['The answer is (B) 12.', 'phrase', '(B) 12'],
    ['The answer to the problem is 9.', 'phrase', '9'],
    ['The answer (in dollars) is 9.', 'phrase', '9'],
    ['The answer should therefore be 9.', 'phrase', '9'],
    ['This gives an answer of 9.', 'phrase', '9'],
    ['The answers are $1$, $2$ and $3$.', 'phrase', '1', '2', '3'],
    ['The answer is $n = 1$ and $n = -2$.', 'phrase', 'n = 1', 'n = -2'],
    ['The answer is "$12 $ and $13 $".', 'phrase', '12', '13'],
    ['The answer is 5 or 6.', 'phrase', '5 or 6'],
    ['The answer is either 5 or 6.', 'phrase', '5 or 6'],
    ['The answer is 1, 2, and 3.', 'phrase', '1, 2, and 3'],
    ['The answer is x = 3 and y = -2.', 'phrase', 'x = 3 and y = -2'],
    ['The answer is twelve.', 'phrase', 'twelve'],
    ['The answer is forty two.', 'phrase', 'forty two'],
    ['The answer is Evelyn.', 'phrase', 'Evelyn'],
    ['The answer is no solution.', 'phrase', 'no solution'],
    ['The answer cannot be determined.', 'phrase', 'cannot be determined'],
    ['The answer is 2 \\frac{1}{3}.', 'phrase', '2 \\frac{1}{3}'],
    ['The answer is \\frac{63}{400}, as shown.', 'phrase', '\\frac{63}{400}'],
    ['The answer is sqrt(2)/2.', 'phrase', 'sqrt(2)/2'],
    ['The answer is 2√3.', 'phrase', '2√3'],
    ['The answer is 3x^2 - 2x + 1.', 'phrase', '3x^2 - 2x + 1'],
    ['The answer is [0, 1).', 'phrase', '[0, 1)'],
    ['The answer is $\\emptyset$.', 'phrase', '\\emptyset'],
    ['The answer is 5!.', 'phrase', '5!'],
    ['The answer is 5!', 'phrase', '5'],
    ['The answer is therefore: 6', 'phrase', '6'],
    ['"final_answer": "5"', 'phrase', '5'],
    ['答案是 42。', 'phrase', '42'],
    ['答案：B', 'phrase', 'B'],
    ['所以答案为 $\\frac{1}{2}$。', 'phrase', '\\frac{1}{2}'],
    ['最终答案是：17', 'phrase', '17'],
    ['综上，故选：C', 'phrase', 'C'],
    ['故选 D。', 'phrase', 'D'],
  ])('%j', (text, ...expected) => {
    expect(stated(text)).toEqual(expected);
  });
});

describe('where a statement ends', () => {
  test.each<Case>([
    ['The answer is 7:30 p.m. on Monday.', 'phrase', '7:30 p.m.'],
    ['The answer is 12, because 7 + 5 = 12.', 'phrase', '12'],
    ['The answer is 12 since 7 + 5 = 12.', 'phrase', '12'],
    ['The answer is 12 (twelve).', 'phrase', '12'],
    ['The answer is 12, not 15.', 'phrase', '12'],
    ['The answer is not 15 but 12.', 'phrase', '12'],
    ['The answer is $2^n$, where $n$ is an integer.', 'phrase', '2^n'],
    ['The answer is exactly 5.', 'phrase', '5'],
    ['The answer is Yes, because 3 > 2.', 'phrase', 'Yes'],
    ['The answer is Monday, since 14 = 2 * 7.', 'phrase', 'Monday'],
    ['The answer is 5% of 200, which is 10.', 'phrase', '10'],
    ['The answer is all real numbers except $x = 2$.', 'phrase', 'all real numbers except x = 2'],
    ['The answer is less than 4.', 'phrase', 'less than 4'],
    ['The answer to this question is the number of pens, which is 7.', 'phrase', '7'],
    ['The answer is 12 in the first case.', 'phrase', '12'],
    ['The answer is given by $4k$.', 'phrase', '4k'],
    ['The answer is the interval $(2, 5]$.', 'phrase', '(2, 5]'],
    ['The answer is that there are 12 distinct sequences.', 'phrase', '12'],
    ['Final Answer: The volume of $ABCD$ is 120. I hope it is correct.', 'phrase', '120'],
    ['Final Answer: The largest $n$ is 34.', 'phrase', '34'],
    ['Final Answer: The largest value of $f(x)$ is $\\frac{3}{4}$.', 'phrase', '\\frac{3}{4}'],
    ['Final Answer: Ann planted the tree 3 hours ago.', 'phrase', '3 hours'],
    ['The answer is $x$ = 5.', 'phrase', 'x = 5'],
    ['The answer is $\\frac{7}{9} \\times 10$ = $\\frac{70}{9}$.', 'phrase', '\\frac{7}{9} \\times 10 = \\frac{70}{9}'],
    ['The answer is 5 <br> done', 'phrase', '5'],
    ['The answer is 5.<|endoftext|>', 'phrase', '5'],
  ])('%j', (text, ...expected) => {
    expect(stated(text)).toEqual(expected);
  });
});

describe('units and money', () => {
  test.each<Case>([
    ['The answer is $28$ percent.', 'phrase', '28 percent'],
    ['The answer is $28\\%$.', 'phrase', '28\\%'],
    ['The answer is $125$ miles.', 'phrase', '125 miles'],
    ['The answer is 60 km/h.', 'phrase', '60 km/h'],
    ['The answer is 12 square meters in total.', 'phrase', '12 square meters'],
    ['The answer is 5 feet 6 inches.', 'phrase', '5 feet 6 inches'],
    ['The answer is 3 dollars and 50 cents.', 'phrase', '3 dollars and 50 cents'],
    ['The answer is 12 apples.', 'phrase', '12'],
    ['The answer is $5 million.', 'phrase', '$5 million'],
    ['The answer is $1,234.50.', 'phrase', '$1,234.50'],
    ['The answer is $10,455$.', 'phrase', '10,455'],
    ['The answer is \\$16,386.17.', 'phrase', '\\$16,386.17'],
    ['The answer is 2,74 €.', 'phrase', '2,74 €'],
    ['It costs $5 now and $6 later. The answer is $11.', 'phrase', '$11'],
    ['The answer is $16,\\!386.20$.', 'phrase', '16,\\!386.20'],
  ])('%j', (text, ...expected) => {
    expect(stated(text)).toEqual(expected);
  });
});

describe('hashes', () => {
  test.each<Case>([
    ['3 + 4 = 7\n#### 7', 'hashes', '7'],
    ['#### 1,200', 'hashes', '1,200'],
    ['#### $45', 'hashes', '$45'],
    ['#### -3/4', 'hashes', '-3/4'],
    ['#### 12 apples', 'hashes', '12'],
    ['#### \\frac{1}{2}', 'hashes', '\\frac{1}{2}'],
    ['#### 7\n#### 8', 'hashes', '8'],
    ['so\n#### Tuesday', 'hashes', 'Tuesday'],
    ['#### Step 1: add 3 and 4\nWe get 7.\n#### 7', 'hashes', '7'],
    ['#### Summary\nWe add them.\nThe total is 9.', 'asserted', '9'],
    ['#### Step 2: the sum\nThe total is 9.', 'asserted', '9'],
    ['##### 5\nThe total is 9.', 'asserted', '9'],
  ])('%j', (text, ...expected) => {
    expect(stated(text)).toEqual(expected);
  });
});

describe('which statement counts', () => {
  test.each<Case>([
    ['The answer is 1. The answer is 2.', 'phrase', '2'],
    ['The answer is 1. Wait, the answer is 2.', 'phrase', '2'],
    ['\\boxed{1} but the answer is 2', 'phrase', '2'],
    ['the answer is 2, \\boxed{1}', 'box', '1'],
    ['The final answer is $9$, \\boxed{1}', 'box', '1'],
    ['The answer is \\boxed{9}.', 'box', '9'],
    ['#### 4\nThe answer is \\boxed{9}.', 'box', '9'],
    ['\\boxed{9}\n#### 4', 'hashes', '4'],
    ['<answer>2</answer> The answer is 6. \\boxed{7}', 'tag', '2'],
    ['<answer>1</answer> <answer>2</answer>', 'tag', '2'],
    ['<answer>2</answer> and <answer> unfinished', 'tag', '2'],
    ['done <answer> 42', 'tag', '42'],
    ['<ANSWER>2</Answer>', 'tag', '2'],
    ['<answer>The answer is 12.</answer>', 'tag', '12'],
    ['<answer>It is \\boxed{5} at most 6</answer>', 'tag', '5'],
    ['<answer>$3$ and $4$</answer>', 'tag', '3', '4'],
    ['<answer>\n$\\frac{1}{2}$\n</answer>', 'tag', '\\frac{1}{2}'],
    ['<answer> x = 5 </answer>', 'tag', 'x = 5'],
    ['<answer>Evelyn</answer>', 'tag', 'Evelyn'],
    ['\\boxed{5}. The answer is reasonable.', 'box', '5'],
    ['\\boxed{5}. Let me check that the answer is correct: 2 + 3 = 5.', 'box', '5'],
    ['\\boxed{5}. If the answer is 6, then we are wrong.', 'box', '5'],
    ['\\boxed{5}. Is the answer 6?', 'box', '5'],
    ['\\boxed{5}. The answer is not 6.', 'box', '5'],
    ['\\boxed{5}. To answer the second question: 8 is even.', 'box', '5'],
    ['The final answer is 5. There are 7 days in a week and 12 months.', 'phrase', '5'],
    ['The answer is 5. Then \\boxed{6 } and so on', 'box', '6'],
    ['The total is 4. The final answer is:\n\n', 'asserted', '4'],
    ['Your final answer is 3. The sum is 4.', 'asserted', '4'],
    ["Answer: Let's think. There are 3 boxes with 4 pens.\nSo 3 * 4 = 12.", 'asserted', '12'],
    ['Answer: 12\nExplanation: 7 and 5 make 12.', 'phrase', '12'],
  ])('%j', (text, ...expected) => {
    expect(stated(text)).toEqual(expected);
  });
});

test('other readings are kept for when the text does not parse', () => {
  expect(extractAnswer('The answer is 12 distinct sequences.')?.texts).toEqual(['12']);
  expect(extractAnswer('The answer is $125$ miles.')?.alternatives).toContain('125');
  expect(extractAnswer('Final Answer: Ann planted it 3 hours ago.')?.alternatives).toContain('3');
  expect(extractAnswer('\\boxed{The answer is 12}')?.alternatives).toContain('12');
  expect(extractAnswer('The answer is x = 5.')?.alternatives).toContain('5');
  expect(extractAnswer('The answer is 2/3.')?.alternatives).not.toContain('3');
});

test('an answer is shown as written, with where it ends', () => {
  expect(extractAnswer('a \\boxed{1} or \\boxed{2}.')).toMatchObject({ shown: '1 or 2', end: 24 });
  expect(extractAnswer('a \\boxed{1}, \\boxed{2}.')).toMatchObject({ shown: '1, 2', end: 22 });
  expect(extractAnswer('The answer is 5. Bye.')).toMatchObject({ shown: '5', end: 16 });
  expect(extractAnswer('<think>1</think><answer>5</answer>')).toMatchObject({ shown: '5', end: 34 });
});
