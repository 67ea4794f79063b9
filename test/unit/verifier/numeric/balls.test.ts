import fc from 'fast-check';
import { Budget } from '../../../../src/verifier/budget';
import { rational, type Rational } from '../../../../src/verifier/exact/rational';
import type { Node } from '../../../../src/verifier/node';
import { BigArithmetic } from '../../../../src/verifier/numeric/big-arithmetic';
import type { BigBall } from '../../../../src/verifier/numeric/big-ball';
import type { Complex } from '../../../../src/verifier/numeric/complex';
import { DoubleArithmetic } from '../../../../src/verifier/numeric/double-arithmetic';
import { Evaluator } from '../../../../src/verifier/numeric/evaluate';
import { EvaluationFailure, type RealArithmetic } from '../../../../src/verifier/numeric/real-arithmetic';
import { arbitraryExpression } from '../../../support/arbitrary-expressions';
import { infix } from '../../../support/verifier-nodes';

const unlimited = (): Budget => new Budget(Infinity);
const fine = new BigArithmetic(500, unlimited());

function evaluate<R>(node: Node, real: RealArithmetic<R>): Complex<R> | string {
  try {
    return new Evaluator(real, unlimited(), () => null).evaluate(node);
  } catch (error) {
    if (error instanceof EvaluationFailure) return error.reason;
    throw error;
  }
}

/** A double ball as a ball of the fine arithmetic. */
function widened({ value, radius }: { value: number; radius: number }): BigBall {
  const exact = (x: number): BigBall => fine.fromRational(fromDouble(x));
  return fine.widen(exact(value), exact(radius));
}

function fromDouble(value: number): Rational {
  let scaled = value;
  let bits = 0n;
  for (; !Number.isInteger(scaled); bits++) scaled *= 2;
  return rational(BigInt(scaled), 1n << bits);
}

function expectOverlap(coarse: Complex<BigBall>, precise: Complex<BigBall>): void {
  for (const part of ['re', 'im'] as const) {
    const difference = fine.add(coarse[part] ?? fine.zero, fine.negate(precise[part] ?? fine.zero));
    expect([0, null]).toContain(fine.sign(difference));
  }
}

test.each([64, 192])('balls of %d bits hold what more precision finds', (bits) => {
  fc.assert(
    fc.property(arbitraryExpression([]), (node) => {
      const precise = evaluate(node, fine);
      const coarse = evaluate(node, new BigArithmetic(bits, unlimited()));
      if (typeof precise !== 'string' && typeof coarse !== 'string') expectOverlap(coarse, precise);
      // What has no value has none at any precision.
      if (precise === 'undefined') expect(typeof coarse).toBe('string');
    }),
    { numRuns: 300 },
  );
});

test('balls of doubles hold what more precision finds', () => {
  fc.assert(
    fc.property(arbitraryExpression([]), (node) => {
      const precise = evaluate(node, fine);
      const coarse = evaluate(node, new DoubleArithmetic(unlimited()));
      if (typeof precise === 'string' || typeof coarse === 'string') return;
      const { re, im } = coarse;
      expectOverlap({ re: widened(re), im: im && widened(im) }, precise);
    }),
    { numRuns: 300 },
  );
});

/** Digits that are known from tables. */
test.each([
  ['pi', '3.14159265358979323846264338327950288419716939937510'],
  ['e', '2.71828182845904523536028747135266249775724709369995'],
  ['ln(2)', '0.69314718055994530941723212145817656807550013436025'],
  ['sqrt(2)', '1.41421356237309504880168872420969807856967187537694'],
  ['sin(1)', '0.84147098480789650665250232163029899962256306079837'],
  ['cos(1)', '0.54030230586813971740093660744297660373231042061792'],
  ['arctan(1/2)', '0.46364760900080611621425623146121440202853705428612'],
  ['gamma(1/3)', '2.67893853470774763365569294097467764412868937795730'],
  ['e^pi', '23.14069263277926900572908636794854738026610624260021'],
])('%s = %s', (text, digits) => {
  const value = evaluate(infix(text), new BigArithmetic(192, unlimited())) as Complex<BigBall>;
  const error = fine.add(
    value.re,
    fine.negate(fine.fromRational(rational(BigInt(digits.replace('.', '')), 10n ** 50n))),
  );
  expect(fine.magnitude(error)).toBeLessThan(-164);
});

test('precision is not wasted: sums, functions and powers keep all but a few bits', () => {
  for (const text of [
    '1/3+sqrt(2)',
    'sin(2)*e^3',
    'ln(7)/arctan(3)',
    '3^(1/7)',
    'sqrt(5)^40',
    'sin(10^(-30))',
    '100!/e',
  ]) {
    const { re } = evaluate(infix(text), new BigArithmetic(192, unlimited())) as Complex<BigBall>;
    expect(re.error - re.log).toBeLessThan(-175);
  }
});
