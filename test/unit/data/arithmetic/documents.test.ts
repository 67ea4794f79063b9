import {
  arithmeticDocument,
  DEFAULT_MIX,
  splitOf,
  TEMPLATES,
  type DocumentMix,
  type TemplateName,
} from '../../../../src/data/arithmetic';
import { parseQuestions, solve, splitSections } from './parse-documents';

const COUNT = 4000;

function documents(mix: DocumentMix = DEFAULT_MIX, split: 'train' | 'heldOut' = 'train'): string[] {
  return Array.from({ length: COUNT }, (_, index) => arithmeticDocument(7, index, split, mix));
}

/** Every `left=right` of the working; `x=...` and the question are left out. */
function equalities(text: string): [string, number][] {
  return [...text.matchAll(/(\d+(?:[-+*]\d+)*)=(\d+)/g)].map((match) => [match[1], Number(match[2])]);
}

function evaluateSimple(expression: string): number {
  return expression
    .replace(/(\d+)\*(\d+)/, (_, a: string, b: string) => String(Number(a) * Number(b)))
    .split(/(?=[-+])/)
    .reduce((sum, term) => sum + Number(term), 0);
}

describe('arithmetic documents', () => {
  test.each(['train', 'heldOut'] as const)('of the %s split hold problems of that split only, run-ons too', (split) => {
    const problems = documents({ ...DEFAULT_MIX, runOn: 0.5 }, split).flatMap(parseQuestions);
    expect(problems.length).toBeGreaterThan(COUNT * 1.4);
    expect(new Set(problems.map((problem) => splitOf(problem)))).toEqual(new Set([split]));
  });

  test('without slips, work columns that are true and end in the true answer', () => {
    const habits = { worked: 1, boxed: 0.5 };
    const mix = {
      ...DEFAULT_MIX,
      habits: { question: habits, short: habits, problem: habits, boxed: habits },
      workedSlip: 0,
      runOn: 0,
    };
    const failures = documents(mix).filter((document) => {
      const [{ question, response }] = splitSections(document);
      const steps = equalities(response);
      const last = Number(response.match(/\d+/g)?.at(-1));
      return (
        steps.length < 2 || steps.some(([left, right]) => evaluateSimple(left) !== right) || last !== solve(question)
      );
    });
    expect(failures).toEqual([]);
  });

  test('give at once as many wrong answers as asked', () => {
    const habits = { ...DEFAULT_MIX.habits, question: { worked: 0, boxed: 0.5 } };
    const mix = { ...DEFAULT_MIX, habits, directWrong: 0.33, runOn: 0, templates: { question: 1 } };
    const wrong = documents(mix).filter((document) => {
      const [{ question, response }] = splitSections(document);
      return Number(response.match(/\d+/)?.[0]) !== solve(question);
    }).length;
    // Five standard deviations of a binomial.
    expect(Math.abs(wrong / COUNT - 0.33)).toBeLessThan(5 * Math.sqrt((0.33 * 0.67) / COUNT));
  });

  test.each(Object.keys(TEMPLATES) as TemplateName[])('work out and box the stated shares of answers to %s', (name) => {
    const mix = { ...DEFAULT_MIX, runOn: 0, templates: { [name]: 1 } };
    const responses = documents(mix).map((document) => splitSections(document)[0].response);
    const share = (pattern: RegExp): number => responses.filter((response) => pattern.test(response)).length / COUNT;
    // Five standard deviations of a binomial.
    const bound = 5 * Math.sqrt(0.25 / COUNT);
    const { worked, boxed } = mix.habits[name];
    expect(Math.abs(share(/\\boxed\{\d+\}/) - boxed)).toBeLessThan(bound);
    expect(Math.abs(share(/\d[-+*]\d|\d=\d/) - worked)).toBeLessThan(bound);
  });

  test('are a function of seed and index alone', () => {
    const [fifth] = [arithmeticDocument(7, 5)];
    arithmeticDocument(7, 6);
    expect(arithmeticDocument(7, 5)).toBe(fifth);
    expect(arithmeticDocument(8, 5)).not.toBe(fifth);
    expect(new Set(documents()).size).toBeGreaterThan(0.99 * COUNT);
  });
});
