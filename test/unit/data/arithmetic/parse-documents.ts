/** Reads generated documents back with rules of its own, as an oracle for the generator. */
import type { ArithmeticProblem } from '../../../../src/data/arithmetic';

const OPERATION = { '+': 'addition', '-': 'subtraction', '*': 'multiplication' } as const;

/** Questions and the text that answers them. */
export function splitSections(document: string): { question: string; response: string }[] {
  return document.split('\n\n').map((section) => {
    const [head, ...rest] = section.split('\n');
    return { question: head, response: rest.join('\n').replace(/^\w+:/, '') };
  });
}

/** The answer to a question, for example `Q: What is 12+30?` or `Problem: x-3=40, x=?`. */
export function solve(question: string): number {
  const equation = /x([-+])(\d+)=(\d+)/.exec(question);
  if (equation) return Number(equation[3]) + (equation[1] === '-' ? 1 : -1) * Number(equation[2]);
  const expression = /\d+(?:[-+*]\d+)+/.exec(question)![0];
  const operands = expression.split(/[-+*]/).map(Number);
  if (expression.includes('*')) return operands[0] * operands[1];
  if (expression.includes('-')) return operands[0] - operands[1];
  return operands.reduce((sum, operand) => sum + operand, 0);
}

export function parseQuestions(document: string): ArithmeticProblem[] {
  return splitSections(document).map(({ question }) => {
    const answer = solve(question);
    const equation = /x([-+])(\d+)=(\d+)/.exec(question);
    if (equation) {
      return {
        kind: 'equation',
        expression: equation[0],
        operation: {
          type: equation[1] === '-' ? 'addition' : 'subtraction',
          operands: [Number(equation[3]), Number(equation[2])],
        },
        answer,
      };
    }
    const expression = /\d+(?:[-+*]\d+)+/.exec(question)![0];
    const type = OPERATION[/[-+*]/.exec(expression)![0] as '+' | '-' | '*'];
    return { kind: type, expression, operation: { type, operands: expression.split(/[-+*]/).map(Number) }, answer };
  });
}
