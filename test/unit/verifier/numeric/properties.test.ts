import fc from 'fast-check';
import { Budget, BudgetExceeded } from '../../../../src/verifier/budget';
import { limits } from '../../../../src/verifier/limits';
import type { Node } from '../../../../src/verifier/node';
import { equalExpressions } from '../../../../src/verifier/numeric/equal-expressions';
import { arbitraryExpression, rewritten } from '../../../support/arbitrary-expressions';
import { infix, number } from '../../../support/verifier-nodes';

function compare(a: Node, b: Node): { verdict: string; spent: number } {
  const budget = new Budget(limits.workUnits);
  let verdict: string;
  try {
    verdict = equalExpressions(a, b, { budget });
  } catch (error) {
    if (!(error instanceof BudgetExceeded)) throw error;
    verdict = 'budget';
  }
  return { verdict, spent: limits.workUnits - budget.left };
}

function* endless(choices: readonly number[]): Generator<number, number> {
  for (let index = 0; ; index++) yield choices[index % choices.length];
}

const choices = fc.array(fc.nat(1_000), { minLength: 7, maxLength: 20 });

describe.each([[[]], [['x', 'n']]])('expressions over %j', (symbols: string[]) => {
  test('no rewriting makes a difference', () => {
    fc.assert(
      fc.property(arbitraryExpression(symbols), choices, (node, list) => {
        expect(compare(node, rewritten(node, endless(list))).verdict).not.toBe('different');
      }),
      { numRuns: 200 },
    );
  });

  test('adding 1 does', () => {
    fc.assert(
      fc.property(arbitraryExpression(symbols), (node) => {
        expect(compare(node, { kind: 'sum', terms: [node, number(1)] }).verdict).not.toBe('equal');
      }),
      { numRuns: 200 },
    );
  });

  test('the verdict does not depend on the order and is the same again', () => {
    fc.assert(
      fc.property(arbitraryExpression(symbols), arbitraryExpression(symbols), (a, b) => {
        const { verdict } = compare(a, b);
        expect(compare(a, b).verdict).toBe(verdict);
        expect([verdict, 'undecided', 'budget']).toContain(compare(b, a).verdict);
      }),
      { numRuns: 100 },
    );
  });
});

test('integer polynomials: sums of powers against products of roots', () => {
  const roots = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(roots, fc.integer({ min: 1, max: 3 }), (list, shift) => {
      let coefficients = [1];
      for (const root of list) {
        const next = [0, ...coefficients];
        coefficients.forEach((coefficient, power) => (next[power] -= root * coefficient));
        coefficients = next;
      }
      const product = list.map((root) => `(x-(${root}))`).join('*');
      const sum = coefficients.map((coefficient, power) => `(${coefficient})*x^${power}`).join('+');
      expect(compare(infix(product), infix(sum)).verdict).toBe('equal');
      expect(compare(infix(product), infix(`${sum}+${shift}`)).verdict).toBe('different');
    }),
  );
});

describe('hostile expressions end within the budget', () => {
  const nested = (before: string, middle: string, after: string, count: number): string =>
    before.repeat(count) + middle + after.repeat(count);
  const repeated = (text: string, count: number, operator: string): string => Array(count).fill(text).join(operator);

  test.each([
    ['sum(k,1,2000,sum(j,1,2000,sqrt(k*j)))', '5'],
    ['1/(3^10000+1)+1/(5^8000+7)', '1/(3^10001+1)+1/(5^8000+7)'],
    ['lcm(3800!,3^20000+1)', '3'],
    ['7'.repeat(4000), `sqrt(${'7'.repeat(4000)}*${'8'.repeat(4000)})`],
    [`1.${'3'.repeat(3990)}`, 'sqrt(2)'],
    ['e^(10^14)', '0'],
    ['e^e^e^e^e', '2'],
    ['n^n^n^n', 'n'],
    ['sin(10^301)', '0'],
    ['sum(k,1,1000,ln(k))', 'ln(1000!)'],
    ['factorial(factorial(factorial(9)))', 'x'],
    ['(10^15)!', '2'],
    [nested('sin(', 'x', ')', 95), nested('sin(', 'x', ')', 94)],
    [nested('sqrt(1+', 'x', ')', 95), nested('sqrt(1+', 'x', ')', 94)],
    [nested('(', 'x', '^2+1)', 60), `${nested('(', 'x', '^2+1)', 60)}+1`],
    [repeated('x^y', 1000, '*'), 'x^(1001*y)'],
    [repeated('x^(3^(7^4))', 300, '+'), 'x'],
    [repeated('sqrt(x)', 1900, '+'), '1901*sqrt(x)'],
  ])('case %#', (a, b) => {
    const { verdict, spent } = compare(infix(a), infix(b));
    expect(verdict).not.toBe('equal');
    expect(spent).toBeLessThanOrEqual(limits.workUnits);
  });
});
