import fc from 'fast-check';
import { Budget } from '../../../../src/verifier/budget';
import { boundedAdd, boundedDivide, boundedMultiply, boundedPower } from '../../../../src/verifier/exact/bounded';
import { exactValue } from '../../../../src/verifier/exact/exact-value';
import { add, divide, multiply, rational, type Rational } from '../../../../src/verifier/exact/rational';
import { limits } from '../../../../src/verifier/limits';
import { based, infix } from '../../../support/verifier-nodes';

const budget = (): Budget => new Budget(limits.workUnits);

function value(text: string): string | null {
  const result = exactValue(infix(text), budget());
  if (!result) return null;
  return result.denominator === 1n ? String(result.numerator) : `${result.numerator}/${result.denominator}`;
}

describe('values', () => {
  test.each([
    ['1/2+1/3-1', '-1/6'],
    ['0.125', '1/8'],
    ['2^10/2^(-2)', '4096'],
    ['(2/3)^(-2)', '9/4'],
    ['50%*8', '4'],
    ['sqrt(49/4)', '7/2'],
    ['root(3,-8/27)', '-2/3'],
    ['(-8)^(2/3)', '4'],
    ['8^(-1/3)', '1/2'],
    ['root(-2,4)', '1/2'],
    ['5!/3!', '20'],
    ['doubleFactorial(7)', '105'],
    ['doubleFactorial(8)', '384'],
    ['gamma(5)', '24'],
    ['binomial(10,3)', '120'],
    ['binomial(3,5)', '0'],
    ['binomial(1/2,2)', '-1/8'],
    ['binomial(-2,3)', '-4'],
    ['permutations(7,2)', '42'],
    ['gcd(12,-18,27)', '3'],
    ['lcm(4,6,10)', '60'],
    ['mod(-7,3)', '2'],
    ['mod(7/2,2)', '3/2'],
    ['floor(-7/2)', '-4'],
    ['ceil(-7/2)', '-3'],
    ['round(5/2)', '3'],
    ['round(-5/2)', '-3'],
    ['abs(-3)+sign(-2)', '2'],
    ['max(1/3,1/4)-min(2,3)', '-5/3'],
    ['log(1000)', '3'],
    ['log(8,1/4)', '-2/3'],
    ['ln(1)+exp(0)', '1'],
    ['sum(k,1,100,k)', '5050'],
    ['product(k,1,5,k/(k+1))', '1/6'],
    ['sum(k,3,2,k)', '0'],
    ['sum(k,1,3,sum(j,1,k,j))', '10'],
    ['determinant([[1,2],[3,4]])', '-2'],
    ['trace([[1,2],[3,4]])', '5'],
    ['norm([[3,4]])', '5'],
  ])('%s = %s', (text, expected) => {
    expect(value(text)).toBe(expected);
  });

  test.each(['sqrt(2)', 'sqrt(-4)', '1/0', '0^0', '0^(-1)', 'pi', 'x', '(-1)!', '(1/2)!', 'log(-10)', 'f(2)', '2*oo'])(
    '%s has none',
    (text) => {
      expect(value(text)).toBeNull();
    },
  );

  test('digits of another base count by their value', () => {
    expect(exactValue(based('204', 5), budget())).toEqual(rational(54n));
  });

  test('symbols and applications take their values from the bindings', () => {
    const bindings = (name: string): Rational | null => ({ n: rational(4n), 'F(5/1)': rational(7n) })[name] ?? null;
    expect(exactValue(infix('n!+F(n+1)'), budget(), bindings)).toEqual(rational(31n));
    expect(exactValue(infix('sum(n,1,3,n)'), budget(), bindings)).toEqual(rational(6n));
  });
});

describe('sizes', () => {
  test.each(['2^1000000', '10^(10^9)', '9^(9^(9^9))', '(10^9)!', '4000!', 'binomial(10^6,5*10^5)', 'sum(k,1,10^6,k)'])(
    '%s is refused before it is computed',
    (text) => {
      const own = budget();
      expect(exactValue(infix(text), own)).toBeNull();
      expect(limits.workUnits - own.left).toBeLessThan(6_000);
    },
  );

  test('trivial powers have a value whatever the exponent', () => {
    expect(value('1^(10^30)')).toBe('1');
    expect(value('(-1)^(10^30+1)')).toBe('-1');
    expect(value('0^(10^30)')).toBe('0');
  });

  test('one value costs at most its allowance', () => {
    const own = budget();
    expect(exactValue(infix('sum(k,1,2000,sum(j,1,2000,k/j))'), own)).toBeNull();
    expect(limits.workUnits - own.left).toBeLessThanOrEqual(5_000);
  });
});

test('bounded operations agree with those without bounds', () => {
  const anyRational = fc
    .tuple(fc.bigInt(-(10n ** 30n), 10n ** 30n), fc.bigInt(1n, 10n ** 30n))
    .map(([numerator, denominator]) => rational(numerator, denominator));
  fc.assert(
    fc.property(anyRational, anyRational, fc.integer({ min: -5, max: 5 }), (a, b, n) => {
      expect(boundedAdd(a, b, budget())).toEqual(add(a, b));
      expect(boundedMultiply(a, b, budget())).toEqual(multiply(a, b));
      if (b.numerator !== 0n) expect(boundedDivide(a, b, budget())).toEqual(divide(a, b));
      if (a.numerator === 0n) return;
      let power = rational(1n);
      for (let index = 0; index < Math.abs(n); index++) power = n > 0 ? multiply(power, a) : divide(power, a);
      expect(boundedPower(a, BigInt(n), budget())).toEqual(power);
    }),
  );
});
