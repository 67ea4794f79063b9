/** Ways in which a completion states its answer, all with the same meaning. */

export interface Statement {
  name: string;
  state: (answer: string) => string;
}

/** In dollar signs, unless the answer has some of its own or is in delimiters already. */
export const formula = (answer: string): string => (/[$]|\\[([]|\*\*/.test(answer) ? answer : `$${answer}$`);

const named = (name: string, state: (answer: string) => string): Statement => ({ name, state });

/** The answer in a formula or a tag. */
export const statements: readonly Statement[] = [
  named('a box in a sentence', (answer) => `So the total is $\\boxed{${answer}}$.`),
  named('a box in a display', (answer) => `Adding up, we get\n\\[\n\\boxed{${answer}}\n\\]`),
  named('a frame', (answer) => `Thus \\fbox{${answer}}.`),
  named('the answer is', (answer) => `We add both sides. The answer is ${formula(answer)}.`),
  named(
    'the final answer is',
    (answer) => `Final Answer: The final answer is ${formula(answer)}. I hope it is correct.`,
  ),
  named('final answer', (answer) => `There are two cases.\n\nFinal answer: ${formula(answer)}`),
  named('answer with a colon', (answer) => `Let us see.\nAnswer: ${formula(answer)}`),
  named('hashes', (answer) => `First 3 + 4 = 7.\n#### ${formula(answer)}`),
  named('a tag', (answer) => `Let me think about 12.\n<answer>${formula(answer)}</answer>`),
  named('a box in a tag', (answer) => `<answer>\\boxed{${answer}}</answer>`),
  named('Chinese', (answer) => `先求和。\n答案是 ${formula(answer)}。`),
  named('Chinese with a colon', (answer) => `答案：${formula(answer)}`),
  named('bold', (answer) => `The answer is **${formula(answer)}**.`),
  named('a bold heading', (answer) => `**Answer:** ${formula(answer)}`),
  named('a bold final answer', (answer) => `**Final Answer**\n\n${formula(answer)}`),
  named(
    'a correction',
    (answer) => `At first I got \\boxed{-123456}, but that is wrong. The result is \\boxed{${answer}}.`,
  ),
];

/**
 * What running text keeps whole: not what looks like a label or the point of a list, a full stop or a colon inside, nor plain
 * functions in brackets.
 */
export const fitsProse = (answer: string): boolean => !/\.\(|\\\{.*[:|]|\):\(|sqrt\(|－|^- |^\([a-z]\) /.test(answer);

/** The answer as it is, in the middle of the text; for answers that fit. */
export const plainStatements: readonly Statement[] = [
  named('the answer is', (answer) => `We add both sides. The answer is ${answer}.`),
  named('the final answer is', (answer) => `The final answer is ${answer}`),
  named('answer with a colon', (answer) => `Let us see.\nAnswer: ${answer}`),
  named('hashes', (answer) => `First 3 + 4 = 7.\n#### ${answer}`),
  named('a tag', (answer) => `Let me think.\n<answer> ${answer} </answer>`),
];

/** What may stand before or after a statement without taking part in it. */
export const surroundings: readonly Statement[] = [
  named('thinking', (stated) => `<think>It may be \\boxed{-123456}. The answer is 77.</think>\n\n${stated}`),
  named('a new problem', (stated) => `${stated}\n\nProblem: What is 2 + 2?\n\nSolution: The answer is \\boxed{4}.`),
  named('a new question', (stated) => `${stated}\n\nQuestion: How many?\nAnswer: 12`),
  named(
    'a new turn',
    (stated) => `${stated}<|im_end|>\n<|im_start|>user\nAnd 2 + 2?<|im_end|>\n<|im_start|>assistant\n\\boxed{4}`,
  ),
  named('the next human', (stated) => `${stated}\n\nHuman: Find 3 + 3.\n\nAssistant: \\boxed{6}`),
  named('working', (stated) => `Let $x = 7$ and $y = 12$. Then $x + y = 19$.\n\n${stated}`),
  named('an end of text', (stated) => `${stated}<|endoftext|>`),
  named('blank lines', (stated) => `\n\n  ${stated}\n\n`),
];
