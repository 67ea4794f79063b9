/** The gamma function of real numbers by Stirling's series, and what is made of it. */
import type { Complex, ComplexArithmetic } from './complex';
import { isImprecise, isUndefined, isUnsupported } from './real-arithmetic';
import type { Rational } from '../exact/rational';

/** Longer series are refused; enough for about 700 bits. */
const maximumTerms = 120;

let stirling: Rational[] | null = null;

/** B_2k / (2k (2k-1)) for k = 1, 2, ..., from the tangent numbers, which are integers. Not in lowest terms. */
function stirlingCoefficients(): Rational[] {
  if (stirling) return stirling;
  const tangent: bigint[] = [0n, 1n];
  for (let k = 2; k <= maximumTerms; k++) tangent.push(BigInt(k - 1) * tangent[k - 1]);
  for (let k = 2; k <= maximumTerms; k++) {
    for (let j = k; j <= maximumTerms; j++) {
      tangent[j] = BigInt(j - k) * tangent[j - 1] + BigInt(j - k + 2) * tangent[j];
    }
  }
  stirling = tangent.slice(1).map((value, index) => {
    const four = 1n << BigInt(2 * index + 2);
    return { numerator: index % 2 === 0 ? value : -value, denominator: BigInt(2 * index + 1) * four * (four - 1n) };
  });
  return stirling;
}

/** ln Γ(x) for real x > 0. */
function logGamma<R>(x: R, c: ComplexArithmetic<R>): R {
  const { real } = c;
  const from = (numerator: bigint, denominator = 1n): R => real.fromRational({ numerator, denominator });
  // Shift until the series reaches the precision.
  const goal = Math.ceil(real.bits / 7) + 4;
  const distance = goal - real.toNumber(x);
  let z = x;
  let shift = real.one;
  for (let index = 0; index < distance; index++) {
    shift = real.multiply(shift, z);
    z = real.add(z, real.one);
  }
  const inverse = real.divide(real.one, z);
  const square = real.multiply(inverse, inverse);
  let power = inverse;
  let series = real.zero;
  let previous = Infinity;
  const coefficients = stirlingCoefficients();
  for (let k = 0; ; k++) {
    const term = real.multiply(real.fromRational(coefficients[k]), power);
    const size = real.magnitude(term);
    // The error is below the first term left out.
    if (size < -real.bits - 8 || size > previous || k === maximumTerms - 1) {
      if (size > -real.bits / 2) throw isImprecise;
      series = real.widen(series, term);
      break;
    }
    series = real.add(series, term);
    power = real.multiply(power, square);
    previous = size;
  }
  // (z - 1/2) ln z - z + ln(2π)/2 + series
  const half = from(1n, 2n);
  const main = real.multiply(real.add(z, real.negate(half)), real.logarithm(z));
  const constant = real.multiply(half, real.logarithm(real.multiply(from(2n), real.pi())));
  const total = real.add(real.add(main, real.negate(z)), real.add(constant, series));
  return distance > 0 ? real.add(total, real.negate(real.logarithm(shift))) : total;
}

/** Γ(z) for real z. */
export function gamma<R>(z: Complex<R>, c: ComplexArithmetic<R>): Complex<R> {
  if (z.im !== null) throw isUnsupported;
  const { real } = c;
  const sign = real.sign(z.re);
  if (sign === null) throw isImprecise;
  if (sign === 1) return { re: real.aside(() => real.exponential(logGamma(z.re, c))), im: null };
  if (sign === 0) throw isUndefined;
  // π / (sin(πz) Γ(1 - z))
  const [sine] = real.sineAndCosine(real.multiply(real.pi(), z.re));
  const rest = gamma(c.subtract(c.one, z), c);
  return c.divide(c.pi(), c.multiply({ re: sine, im: null }, rest));
}

export const factorial = <R>(z: Complex<R>, c: ComplexArithmetic<R>): Complex<R> => gamma(c.add(z, c.one), c);

/** Γ(n+1) / (Γ(k+1) Γ(n-k+1)) for n, k, n-k > -1. */
export function binomial<R>(n: Complex<R>, k: Complex<R>, c: ComplexArithmetic<R>): Complex<R> {
  return c.real.aside(() => c.exponential(c.subtract(logPermutations(n, k, c), logFactorial(k, c))));
}

/** Γ(n+1) / Γ(n-k+1) for n, n-k > -1. */
export function permutations<R>(n: Complex<R>, k: Complex<R>, c: ComplexArithmetic<R>): Complex<R> {
  return c.real.aside(() => c.exponential(logPermutations(n, k, c)));
}

const logPermutations = <R>(n: Complex<R>, k: Complex<R>, c: ComplexArithmetic<R>): Complex<R> =>
  c.subtract(logFactorial(n, c), logFactorial(c.subtract(n, k), c));

function logFactorial<R>(z: Complex<R>, c: ComplexArithmetic<R>): Complex<R> {
  const next = c.add(z, c.one);
  if (next.im !== null || c.real.sign(next.re) !== 1) throw isImprecise;
  return { re: c.real.aside(() => logGamma(next.re, c)), im: null };
}
