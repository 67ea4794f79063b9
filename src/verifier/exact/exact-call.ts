/** Values of functions at rational arguments, where they are rational. */
import type { CallNode, Node } from '../node';
import { boundedAdd, boundedDivide, boundedMultiply, boundedPower, boundedRoot, floor, integer, size } from './bounded';
import { determinant } from './determinant';
import type { ExactSearch } from './exact-value';
import { absoluteInteger, factorial, log2, rangeProduct } from './integers';
import {
  absolute,
  add,
  compare,
  gcd,
  isInteger,
  negate,
  one,
  type Rational,
  rational,
  subtract,
  zero,
} from './rational';
import { limits } from '../limits';

/** Largest n whose n! is within `limits.integerBits`. */
export const maximumFactorial = 3_800;

const half: Rational = rational(1n, 2n);

export function exactCall(node: CallNode, search: ExactSearch): Rational | null {
  const matrix = node.arguments.at(0);
  if (matrix?.kind === 'matrix') return matrixCall(node, matrix.rows, search);
  const values = search.values(node.arguments);
  if (values?.length === 0 || !values) return null;
  const [x, y] = values as [Rational, Rational | undefined];
  const { budget } = search;
  budget.spend(0.2);
  switch (node.name) {
    case 'abs':
    case 'norm':
      return values.length === 1 ? absolute(x) : null;
    case 'sign':
      return integer(BigInt(compare(x, zero)));
    case 'floor':
      return integer(floor(x));
    case 'ceil':
      return integer(-floor(negate(x)));
    case 'round': {
      const nearest = integer(floor(add(absolute(x), half)));
      return x.numerator < 0n ? negate(nearest) : nearest;
    }
    case 'real':
    case 'conjugate':
    case 'transpose':
    case 'trace':
    case 'determinant':
      return x;
    case 'imaginary':
      return zero;
    case 'exp':
      return x.numerator === 0n ? one : null;
    case 'ln':
      return compare(x, one) === 0 ? zero : null;
    case 'log':
      return y ? exactLogarithm(x, y, search) : exactLogarithm(integer(10n), x, search);
    case 'factorial':
      return smallFactorial(x, 1, search);
    case 'doubleFactorial':
      return smallFactorial(x, 2, search);
    case 'gamma':
      return isInteger(x) && x.numerator > 0n ? smallFactorial(integer(x.numerator - 1n), 1, search) : null;
    case 'binomial':
      return y ? binomial(x, y, search) : null;
    case 'permutations':
      return y && isInteger(y) ? fallingFactorial(x, y, search) : null;
    case 'gcd':
      return integers(values) ? integer(values.reduce((a, b) => boundedGcd(a, b.numerator, search), 0n)) : null;
    case 'lcm':
      return integers(values) ? leastCommonMultiple(values, search) : null;
    case 'max':
      return values.reduce((a, b) => (compare(a, b) >= 0 ? a : b));
    case 'min':
      return values.reduce((a, b) => (compare(a, b) <= 0 ? a : b));
    case 'mod':
      return y ? modulo(x, y, search) : null;
    default:
      return null;
  }
}

function matrixCall(node: CallNode, rows: Node[][], search: ExactSearch): Rational | null {
  const values: Rational[][] = [];
  for (const row of rows) {
    const rowValues = search.values(row);
    if (!rowValues) return null;
    values.push(rowValues);
  }
  if (node.name === 'trace' && values.length === values[0]?.length) return sum(values.map((row, index) => row[index]));
  if (node.name === 'norm') {
    const squares = sum(values.flat().map((value) => boundedMultiply(value, value, search.budget)));
    return squares && boundedRoot(squares, 2n, search.budget);
  }
  if (node.name !== 'determinant') return null;
  return determinant<Rational | null>(values, {
    zero,
    add: (a, b) => a && b && boundedAdd(a, b, search.budget),
    multiply: (a, b) => a && b && boundedMultiply(a, b, search.budget),
    negate: (a) => a && negate(a),
  });

  function sum(terms: (Rational | null)[]): Rational | null {
    return terms.reduce((a, b) => a && b && boundedAdd(a, b, search.budget), zero);
  }
}

const integers = (values: readonly Rational[]): boolean => values.every(isInteger);

function boundedGcd(a: bigint, b: bigint, search: ExactSearch): bigint {
  const bits = Math.min(size(integer(a)), size(integer(b)));
  search.budget.spend(0.2 * bits + 2e-4 * bits * bits);
  return gcd(a, b);
}

function leastCommonMultiple(values: readonly Rational[], search: ExactSearch): Rational | null {
  let result: Rational | null = one;
  for (const { numerator } of values) {
    if (numerator === 0n) return zero;
    const divisor = boundedGcd(result.numerator, numerator, search);
    result = boundedMultiply(result, integer(absoluteInteger(numerator) / divisor), search.budget);
    if (!result) return null;
  }
  return result;
}

function smallFactorial(x: Rational, step: 1 | 2, search: ExactSearch): Rational | null {
  if (!isInteger(x) || x.numerator < 0n || x.numerator > BigInt(maximumFactorial * step)) return null;
  const n = Number(x.numerator);
  search.budget.spend(0.3 + n * 0.15 + n * n * 2e-5);
  return integer(step === 1 ? factorial(n) : rangeProduct(n % 2 === 0 ? 2 : 1, n, 2));
}

/** Zero for integers k < 0 or k > n ≥ 0. */
function binomial(n: Rational, k: Rational, search: ExactSearch): Rational | null {
  if (!isInteger(k)) return null;
  if (k.numerator < 0n) return zero;
  let fewer = k;
  if (isInteger(n) && n.numerator >= 0n) {
    if (k.numerator > n.numerator) return zero;
    if (2n * k.numerator > n.numerator) fewer = integer(n.numerator - k.numerator);
  }
  const product = fallingFactorial(n, fewer, search);
  const divisor = product && smallFactorial(fewer, 1, search);
  return divisor && boundedDivide(product, divisor, search.budget);
}

/** n (n-1) ... (n-k+1). */
function fallingFactorial(n: Rational, k: Rational, search: ExactSearch): Rational | null {
  if (k.numerator < 0n) return null;
  if (isInteger(n) && n.numerator >= 0n && k.numerator > n.numerator) return zero;
  if (k.numerator > BigInt(maximumFactorial)) return null;
  const count = Number(k.numerator);
  const bits = count * size(n);
  if (bits > limits.integerBits) return null;
  search.budget.spend(0.3 + count * 0.3 + bits * bits * 2e-7);
  if (isInteger(n) && n.numerator > 0n && n.numerator < 2n ** 52n) {
    const high = Number(n.numerator);
    return integer(rangeProduct(high - count + 1, high, 1));
  }
  let result: Rational | null = one;
  for (let index = 0n; index < k.numerator && result; index++)
    result = boundedMultiply(result, subtract(n, integer(index)), search.budget);
  return result;
}

/** The representative from 0 up to |m|. */
function modulo(a: Rational, m: Rational, search: ExactSearch): Rational | null {
  const modulus = absolute(m);
  const quotient = boundedDivide(a, modulus, search.budget);
  const whole = quotient && boundedMultiply(modulus, integer(floor(quotient)), search.budget);
  return whole && boundedAdd(a, negate(whole), search.budget);
}

/** Where it is a fraction with a denominator of at most 6. */
function exactLogarithm(base: Rational, x: Rational, search: ExactSearch): Rational | null {
  if (base.numerator <= 0n || x.numerator <= 0n || compare(base, one) === 0) return null;
  search.budget.spend(1);
  const ratio = (log2(x.numerator) - log2(x.denominator)) / (log2(base.numerator) - log2(base.denominator));
  for (let q = 1; q <= 6; q++) {
    const p = Math.round(ratio * q);
    if (!(Math.abs(p - ratio * q) < 1e-9 * Math.max(1, Math.abs(p)))) continue;
    const left = boundedPower(base, BigInt(p), search.budget);
    const right = left && boundedPower(x, BigInt(q), search.budget);
    return right && compare(left, right) === 0 ? rational(BigInt(p), BigInt(q)) : null;
  }
  return null;
}
