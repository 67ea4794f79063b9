/** Powers and roots: exact exponents by squarings, real odd roots of negative numbers, the principal value otherwise. */
import { absoluteInteger } from '../exact/integers';
import type { Rational } from '../exact/rational';
import type { Complex, ComplexArithmetic } from './complex';
import { isImprecise, isUndefined } from './real-arithmetic';

/** Longest exponent that is reached by squarings; beyond it the rounding errors would take all of the precision. */
const maximumExponent = 1n << 50n;

/** Bits of the smallest bound of a power near 0; also what is smaller is bounded by it. */
const smallestBound = 4_000;

/** base^(p/q) in lowest terms: for odd q and a negative base the power of the real root. */
export function rationalPower<R>(base: Complex<R>, exponent: Rational, c: ComplexArithmetic<R>): Complex<R> {
  const { numerator, denominator } = exponent;
  if (denominator === 1n && absoluteInteger(numerator) < maximumExponent) return integerPower(base, numerator, c);
  if (c.isZero(base)) return powerOfZero(numerator > 0n ? 1 : -1, c);
  if (denominator === 2n && absoluteInteger(numerator) < 100n) return integerPower(c.squareRoot(base), numerator, c);
  const sign = base.im === null ? c.real.sign(base.re) : null;
  if (base.im === null && sign === null) return powerNearZero(base, exponent, c);
  const exact = c.fromRational(exponent);
  if (sign === -1 && denominator % 2n === 1n) {
    const size = realPower(c.negate(base), exact, c);
    return numerator % 2n === 0n ? size : c.negate(size);
  }
  return sign === 1 ? realPower(base, exact, c) : principalPower(base, exact, c);
}

/** base^exponent for an exponent that is no known fraction. */
export function generalPower<R>(base: Complex<R>, exponent: Complex<R>, c: ComplexArithmetic<R>): Complex<R> {
  if (c.isZero(base)) return powerOfZero(c.real.sign(exponent.re), c);
  const sign = base.im === null ? c.real.sign(base.re) : null;
  if (base.im === null && sign === null) throw isImprecise;
  return sign === 1 ? realPower(base, exponent, c) : principalPower(base, exponent, c);
}

function integerPower<R>(base: Complex<R>, exponent: bigint, c: ComplexArithmetic<R>): Complex<R> {
  if (exponent === 0n) {
    if (c.isZero(base)) throw isUndefined;
    return c.one;
  }
  const power = c.integerPower(base, absoluteInteger(exponent));
  return exponent < 0n ? c.invert(power) : power;
}

const realPower = <R>(base: Complex<R>, exponent: Complex<R>, c: ComplexArithmetic<R>): Complex<R> =>
  c.exponential(c.multiply(exponent, { re: c.real.logarithm(base.re), im: null }));

function principalPower<R>(base: Complex<R>, exponent: Complex<R>, c: ComplexArithmetic<R>): Complex<R> {
  c.branched = true;
  return c.exponential(c.multiply(exponent, c.logarithm(base)));
}

function powerOfZero<R>(sign: number | null, c: ComplexArithmetic<R>): Complex<R> {
  if (sign === null) throw isImprecise;
  if (sign <= 0) throw isUndefined;
  return c.zero;
}

/** A positive power of a ball about 0 is a ball about 0. */
function powerNearZero<R>(base: Complex<R>, exponent: Rational, c: ComplexArithmetic<R>): Complex<R> {
  if (exponent.numerator <= 0n) throw isImprecise;
  const log = c.real.magnitude(base.re) * (Number(exponent.numerator) / Number(exponent.denominator));
  if (!(log < 0)) throw isImprecise;
  const bits = BigInt(Math.floor(Math.min(-log, smallestBound)));
  const bound = c.fromRational({ numerator: 1n, denominator: 1n << bits });
  const near = c.real.widen(c.real.zero, bound.re);
  return { re: near, im: near };
}
