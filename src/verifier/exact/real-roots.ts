/** Real roots of polynomials, each alone in an interval of fractions (Sturm's theorem and bisection). */
import type { Budget } from '../budget';
import { bitLength } from './integers';
import { degree, greatestCommonDivisor, type Polynomial, signAt, squareFree, sturmChain } from './polynomial';
import { add, multiply, negate, rational, type Rational, subtract } from './rational';

/** The one root of `polynomial`, which has no repeated ones, with lower < root ≤ upper. */
export interface RealRoot {
  polynomial: Polynomial;
  lower: Rational;
  upper: Rational;
}

const half = rational(1n, 2n);
/** Intervals are halved until they are as narrow as doubles tell numbers apart. */
const WIDTH = 2 ** -44;
const MAXIMUM_HALVINGS = 200;

const middle = (a: Rational, b: Rational): Rational => multiply(add(a, b), half);

export const toNumber = ({ numerator, denominator }: Rational): number => Number(numerator) / Number(denominator);

export const approximately = ({ lower, upper }: RealRoot): number => toNumber(middle(lower, upper));

/** Roots of a chain's first polynomial in (lower, upper]. */
function countRoots(chain: readonly Polynomial[], lower: Rational, upper: Rational, budget: Budget): number {
  const changes = (at: Rational): number => {
    const signs = chain.map((p) => signAt(p, at, budget)).filter((sign) => sign !== 0);
    return signs.filter((sign, index) => index > 0 && sign !== signs[index - 1]).length;
  };
  return changes(lower) - changes(upper);
}

/** Halves the interval around the root. */
function halved({ polynomial, lower, upper }: RealRoot, budget: Budget): RealRoot {
  const at = middle(lower, upper);
  const [left, right] = [at, upper].map((end) => signAt(polynomial, end, budget));
  // Simple roots change the sign: right of the only one it is that of the upper end.
  const isLeft = left === 0 || (right !== 0 && left === right);
  return isLeft ? { polynomial, lower, upper: at } : { polynomial, lower: at, upper };
}

function narrowed(root: RealRoot, budget: Budget): RealRoot {
  let narrow = root;
  for (let step = 0; step < MAXIMUM_HALVINGS; step++) {
    const width = toNumber(subtract(narrow.upper, narrow.lower));
    if (width <= WIDTH * Math.max(1, Math.abs(toNumber(narrow.upper)))) break;
    narrow = halved(narrow, budget);
  }
  return narrow;
}

/** All real roots from left to right, each once. @throws BudgetExceeded */
export function realRoots(p: Polynomial, budget: Budget): RealRoot[] {
  if (degree(p) < 1) return [];
  const polynomial = squareFree(p, budget);
  const chain = sturmChain(polynomial, budget);
  // Cauchy's bound, rounded up to a power of two.
  const leading = bitLength(polynomial[polynomial.length - 1]);
  const largest = Math.max(...polynomial.map(bitLength));
  const bound = rational(1n << BigInt(Math.max(1, largest - leading + 2)));
  const found: RealRoot[] = [];
  const search = (lower: Rational, upper: Rational, count: number): void => {
    if (count === 0) return;
    if (count === 1) {
      found.push(narrowed({ polynomial, lower, upper }, budget));
      return;
    }
    const at = middle(lower, upper);
    const left = countRoots(chain, lower, at, budget);
    search(lower, at, left);
    search(at, upper, count - left);
  };
  const from = negate(bound);
  search(from, bound, countRoots(chain, from, bound, budget));
  return found;
}

/** The sign of another polynomial at a root. */
export function signAtRoot(p: Polynomial, root: RealRoot, budget: Budget): -1 | 0 | 1 {
  if (degree(p) < 1) return p.length === 0 ? 0 : p[0] < 0n ? -1 : 1;
  const common = greatestCommonDivisor(p, root.polynomial, budget);
  if (degree(common) > 0 && countRoots(sturmChain(common, budget), root.lower, root.upper, budget) > 0) return 0;
  const chain = sturmChain(squareFree(p, budget), budget);
  let around = root;
  // p is not 0 at the root, so a narrow interval holds no root of p.
  while (countRoots(chain, around.lower, around.upper, budget) > 0) around = halved(around, budget);
  return signAt(p, around.upper, budget);
}
