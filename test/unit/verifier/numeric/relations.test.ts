import { Budget } from '../../../../src/verifier/budget';
import { limits } from '../../../../src/verifier/limits';
import { constantRatio } from '../../../../src/verifier/numeric/constant-ratio';
import { compareReals, equalExpressions, evaluateReal } from '../../../../src/verifier/numeric/equal-expressions';
import { infix } from '../../../support/verifier-nodes';

const context = (): { budget: Budget } => ({ budget: new Budget(limits.workUnits) });

describe('order of real constants', () => {
  test.each([
    ['1/3', '0.333', 1],
    ['sqrt(2)', '3/2', -1],
    ['sqrt(2)+sqrt(3)', 'sqrt(5+2*sqrt(6))', 0],
    ['e^pi', 'pi^e', 1],
    ['e^(pi*sqrt(163))', '262537412640768744', -1],
    ['10^(10^9)', '(10^8)!', 1],
    ['-oo', '-10^100', -1],
    ['oo', 'oo', 0],
    ['oo', '-oo', 1],
    ['i^2', '-1', 0],
    ['(1+i)*(1-i)', 'sqrt(3)', 1],
    ['x', '1', null],
    ['i', '1', null],
    ['sqrt(-2)', '0', null],
    ['1/0', '1', null],
    ['9^(9^(9^9))', '1', null],
  ])('%s against %s', (a, b, expected) => {
    expect(compareReals(infix(a), infix(b), context())).toBe(expected);
    expect(compareReals(infix(b), infix(a), context())).toBe(expected && -expected);
  });
});

describe('constant factors', () => {
  test.each([
    ['2*x+4*y-6', 'x+2*y-3', 1],
    ['x-y', 'y-x', -1],
    ['sqrt(2)*x-2', 'x-sqrt(2)', 1],
    ['pi*(1-x^2)', 'x^2-1', -1],
    ['i*x', 'x', 0],
    ['sin(2*x)', '-sin(x)*cos(x)', -1],
    ['0.333333*x-1', 'x-3', 1],
    ['n!', '2*n*(n-1)!', 1],
    ['5', '-3', -1],
  ])('%s is a multiple of %s', (a, b, sign) => {
    for (const [left, right] of [
      [a, b],
      [b, a],
    ])
      // prettier-ignore
      expect(constantRatio(infix(left), infix(right), context())).toEqual({ decided: 'constant', sign });
  });

  test.each([
    ['x-x', 'y-y'],
    ['sin(x)^2+cos(x)^2-1', 'x-x'],
    ['sin(x)^2+cos(x)^2-1', '2*sin(x)^2+2*cos(x)^2-2'],
    ['e^x*e^(-x)-1', 'tan(y)*cos(y)-sin(y)'],
    ['sqrt(2)-sqrt(2)', '0'],
  ])('%s and %s are 0, whose ratio is nothing', (a, b) => {
    expect(constantRatio(infix(a), infix(b), context())).toBe('zero');
    expect(constantRatio(infix(b), infix(a), context())).toBe('zero');
  });

  test.each([
    ['x+1', 'x+2'],
    ['x^2', 'x'],
    ['x', 'x-x'],
    ['sin(x)', 'sin(2*x)'],
    ['f(x)-1', 'f(y)-1'],
    ['sqrt(x)-1', 'x-1'],
    ['abs(x)', 'x'],
    ['0.333333*x-1', 'x-4'],
    ['5', '0'],
    ['sin(x)^2+cos(x)^2-1', 'x-2'],
    ['2^(x+1)-2*2^x', 'x-2'],
    ['sqrt(2)*x-sqrt(2)*x', 'x^2+y^2-4'],
    ['arcsin(x)+arccos(x)-pi/2', 'y'],
  ])('%s is no multiple of %s', (a, b) => {
    expect(constantRatio(infix(a), infix(b), context())).toBe('different');
    expect(constantRatio(infix(b), infix(a), context())).toBe('different');
  });

  test('agreement at one value alone proves nothing', () => {
    // Defined at x = 1 only.
    const narrow = 'binomial(0,x-1)*binomial(0,1-x)*(1+0*sqrt(-(x-1)^2))';
    expect(equalExpressions(infix(`3*${narrow}`), infix('x^2+x+1'), context())).not.toBe('equal');
    expect(constantRatio(infix(narrow), infix('x^2+x+1'), context())).not.toEqual({ decided: 'constant', sign: 1 });
  });

  test('what has no value is undecided', () => {
    expect(constantRatio(infix('integral(x,0,1,x)'), infix('y'), context())).toBe('undecided');
  });
});

describe('values at a point', () => {
  const at = (text: string, x: number): number | null => evaluateReal(infix(text), new Map([['x', x]]));

  test.each([
    ['x', 0.1, 0.1],
    ['x^2-2', 3, 7],
    ['sqrt(x)', 4, 2],
    ['sqrt(x)', -4, null],
    ['root(3,x)', -8, -2],
    ['ln(x)', 0, null],
    ['ln(x)', -1, null],
    ['1/x', 0, null],
    ['i^2*x', 3, -3],
    ['floor(x)', 2.5, 2],
    ['x!', 5, 120],
    ['sum(k,1,x,k)', 10, 55],
    ['y', 1, null],
    ['f(x)', 1, null],
    ['oo', 1, null],
    ['x', Infinity, Infinity],
    ['x+1', Infinity, null],
    ['e^(e^x)', 10, null],
  ])('%s at %d', (text, x, expected) => {
    const value = at(text, x);
    if (expected === null || !Number.isFinite(expected)) expect(value).toBe(expected);
    else expect(value).toBeCloseTo(expected, 9);
  });
});
