/** Known functions of complex balls that are not analytic: sizes, parts, rounding, combinatorics. */
import type { FunctionName } from '../node';
import { integer } from '../exact/bounded';
import type { Complex, ComplexArithmetic } from './complex';
import { elementary } from './elementary';
import { binomial, factorial, gamma, permutations } from './gamma';
import { isImprecise, isUnsupported } from './real-arithmetic';

/** @throws EvaluationFailure where the function has no value or is not known for such arguments. */
export function evaluateCall<R>(name: FunctionName, values: Complex<R>[], c: ComplexArithmetic<R>): Complex<R> {
  const [x, y] = values as [Complex<R> | undefined, Complex<R> | undefined];
  if (!x) throw isUnsupported;
  if (y) return severalArguments(name, values, x, y, c);
  const analytic = elementary[name];
  if (analytic) {
    const value = analytic(x, c);
    // Real arguments whose value is complex lie outside of the real domain.
    if (value.im !== null && x.im === null && name !== 'cis') c.branched = true;
    return value;
  }
  switch (name) {
    case 'abs':
    case 'norm':
      return c.absolute(x);
    case 'sign':
      return sign(x, c);
    case 'floor':
      return floor(x, c);
    case 'ceil':
      return c.negate(floor(c.negate(x), c));
    case 'round':
      return round(x, c);
    case 'log':
      return c.divide(c.logarithm(x), c.logarithm(c.integer(10)));
    case 'real':
      return { re: x.re, im: null };
    case 'imaginary':
      return { re: x.im ?? c.real.zero, im: null };
    case 'conjugate':
      return c.conjugate(x);
    case 'argument':
      return c.argument(x);
    case 'factorial':
      return factorial(x, c);
    case 'gamma':
      return gamma(x, c);
    case 'transpose':
    case 'trace':
    case 'determinant':
    case 'max':
    case 'min':
      return x;
    default:
      throw isUnsupported;
  }
}

function severalArguments<R>(
  name: FunctionName,
  values: Complex<R>[],
  x: Complex<R>,
  y: Complex<R>,
  c: ComplexArithmetic<R>,
): Complex<R> {
  switch (name) {
    case 'log':
      return c.divide(c.logarithm(y), c.logarithm(x));
    case 'binomial':
      return binomial(x, y, c);
    case 'permutations':
      return permutations(x, y, c);
    case 'mod': {
      const modulus = c.absolute(y);
      return c.subtract(x, c.multiply(modulus, floor(c.divide(x, modulus), c)));
    }
    case 'max':
      return values.reduce((a, b) => extreme(a, b, 1, c));
    case 'min':
      return values.reduce((a, b) => extreme(a, b, -1, c));
    default:
      throw isUnsupported;
  }
}

function sign<R>(x: Complex<R>, c: ComplexArithmetic<R>): Complex<R> {
  const value = c.real.sign(c.realPart(x));
  if (value === null) throw isImprecise;
  return c.integer(value);
}

function floor<R>(x: Complex<R>, c: ComplexArithmetic<R>): Complex<R> {
  const value = c.real.floor(c.realPart(x));
  if (value === null) throw isImprecise;
  return c.fromRational(integer(value));
}

/** Halves away from 0. */
function round<R>(x: Complex<R>, c: ComplexArithmetic<R>): Complex<R> {
  const side = c.real.sign(c.realPart(x));
  if (side === -1) return c.negate(round(c.negate(x), c));
  return floor(c.add(x, c.fromRational({ numerator: 1n, denominator: 2n })), c);
}

/** The larger of two real numbers, or the smaller. */
function extreme<R>(a: Complex<R>, b: Complex<R>, direction: 1 | -1, c: ComplexArithmetic<R>): Complex<R> {
  const difference = c.real.add(c.realPart(a), c.real.negate(c.realPart(b)));
  const order = c.real.sign(difference);
  if (order === null) return { re: c.real.widen(a.re, difference), im: null };
  return order * direction >= 0 ? a : b;
}
