/**
 * Comparison with decimals that stand for longer ones. A decimal of at least six significant digits equals what rounds or cuts
 * to it; inside an expression it is known to that many digits. Shorter decimals are exact fractions, integers always are.
 */
import type { Budget } from '../budget';
import { boundedMultiply, boundedPower, integer } from '../exact/bounded';
import { exactValue } from '../exact/exact-value';
import { log2 } from '../exact/integers';
import { absolute, add, compare, negate, rational, type Rational, subtract } from '../exact/rational';
import { childNodes } from '../exact/tree';
import type { Node, NumberNode } from '../node';
import { BigArithmetic } from './big-arithmetic';
import { evaluatePair, evaluatePairInDoubles, maximumBits, type PairValues, type Verdict } from './compare-values';
import { Evaluator } from './evaluate';
import { EvaluationFailure } from './real-arithmetic';
import { onlyPoint, type PairSearch } from './sample-pairs';
import { maximumPoints, SamplePoint } from './sample-point';

/** Decimals with fewer significant digits are exact. */
const fewestDigits = 6;
const bits = 192;
/** Bits beyond the last digit of a decimal that its other side has to be known to. */
const spareBits = 30;

/** A decimal that is a whole side of the comparison. */
interface Decimal {
  value: Rational;
  /** One unit of its last digit. */
  unit: Rational;
  digits: number;
}

export const isApproximate = (node: NumberNode): boolean =>
  node.decimals > 0 && node.significant !== null && node.significant >= fewestDigits;

/** Digits of the least exact approximate decimal in the trees; null where all numbers are exact. */
export function leastDigits(nodes: readonly Node[], budget: Budget): number | null {
  let least: number | null = null;
  const visit = (node: Node): void => {
    budget.spend(0.1);
    if (node.kind === 'number' && isApproximate(node)) least = Math.min(least ?? Infinity, node.significant!);
    for (const child of childNodes(node)) visit(child);
  };
  nodes.forEach(visit);
  return least;
}

/** For two sides that are not equal as exact numbers, at least one of which holds an approximate decimal. */
export function compareApproximately(search: PairSearch, digits: number): Verdict {
  const { a, b, classes, budget } = search;
  const left = wholeDecimal(a, budget);
  const right = wholeDecimal(b, budget);
  if (left && right) {
    if (compare(left.unit, right.unit) === 0) return 'different';
    const [shorter, longer] = compare(left.unit, right.unit) > 0 ? [left, right] : [right, left];
    return fits(shorter, longer.value) ? 'equal' : 'different';
  }
  const decimal = left ?? right;
  const other = left ? b : a;
  if (decimal && classes.size === 0 && leastDigits([other], budget) === null) {
    return compareWithDecimal(decimal, other, onlyPoint(search), budget);
  }
  return compareWithTolerance(search, 10 ** (1 - digits));
}

/** A decimal, its negative or percentage, or a decimal times a power of ten. */
function wholeDecimal(node: Node, budget: Budget): Decimal | null {
  if (node.kind === 'number') {
    if (!isApproximate(node)) return null;
    const digits = node.significant! + node.decimals;
    budget.spend(2 + digits / 50 + digits * digits * 1e-5);
    return { value: node.value, unit: lastUnit(node), digits: node.significant! };
  }
  if (node.kind === 'negation') {
    const operand = wholeDecimal(node.operand, budget);
    return operand && { ...operand, value: negate(operand.value) };
  }
  if (node.kind === 'percent') return scaledDecimal(node.operand, rational(1n, 100n), budget);
  if (node.kind !== 'product' || node.factors.length !== 2) return null;
  const [first, second] = node.factors as [Node, Node];
  const power = powerOfTen(second, budget);
  if (power) return scaledDecimal(first, power, budget);
  const leading = powerOfTen(first, budget);
  return leading && scaledDecimal(second, leading, budget);
}

function scaledDecimal(node: Node, scale: Rational, budget: Budget): Decimal | null {
  const decimal = wholeDecimal(node, budget);
  const value = decimal && boundedMultiply(decimal.value, scale, budget);
  const unit = value && boundedMultiply(decimal.unit, scale, budget);
  return unit && { value, unit, digits: decimal.digits };
}

function powerOfTen(node: Node, budget: Budget): Rational | null {
  if (node.kind !== 'power') return null;
  const base = exactValue(node.base, budget);
  const exponent = exactValue(node.exponent, budget);
  if (base?.numerator !== 10n || base.denominator !== 1n || exponent?.denominator !== 1n) return null;
  return boundedPower(base, exponent.numerator, budget);
}

/** 10^(position of the first digit + 1 - significant digits). */
function lastUnit(node: NumberNode): Rational {
  const { numerator, denominator } = absolute(node.value);
  let position = Math.floor((log2(numerator) - log2(denominator)) * Math.LOG10E * Math.LN2);
  // The logarithm may err next to a power of ten.
  if (compare(absolute(node.value), tenTo(position + 1)) >= 0) position++;
  else if (compare(absolute(node.value), tenTo(position)) < 0) position--;
  return tenTo(position + 1 - node.significant!);
}

const tenTo = (exponent: number): Rational =>
  exponent >= 0 ? integer(10n ** BigInt(exponent)) : { numerator: 1n, denominator: 10n ** BigInt(-exponent) };

/** Whether an exact value rounds or cuts to a decimal. */
function fits(decimal: Decimal, value: Rational): boolean {
  const beyond = subtract(absolute(value), absolute(decimal.value));
  return (
    value.numerator < 0n === decimal.value.numerator < 0n &&
    compare(add(beyond, beyond), negate(decimal.unit)) >= 0 &&
    compare(beyond, decimal.unit) < 0
  );
}

/** The same for a constant that is not rational. */
function compareWithDecimal(decimal: Decimal, node: Node, point: SamplePoint, budget: Budget): Verdict {
  const exact = exactValue(node, budget);
  if (exact) return fits(decimal, exact) ? 'equal' : 'different';
  const needed = Math.max(bits, Math.ceil(decimal.digits * 3.33) + 64);
  try {
    for (let precision = needed; precision <= maximumBits; precision *= 2) {
      const verdict = compareAtPrecision(decimal, node, point, new BigArithmetic(precision, budget), budget);
      if (verdict !== null) return verdict;
    }
    return 'undecided';
  } catch (error) {
    if (!(error instanceof EvaluationFailure)) throw error;
    return error.reason === 'undefined' ? 'different' : 'undecided';
  }
}

/** Null where the precision does not show the digits of the decimal. */
function compareAtPrecision(
  decimal: Decimal,
  node: Node,
  point: SamplePoint,
  real: BigArithmetic,
  budget: Budget,
): Verdict | null {
  const { re, im } = new Evaluator(real, budget, point.bindings, point).evaluate(node);
  if (im !== null && real.sign(im) !== null) return 'different';
  const unit = real.fromRational(decimal.unit);
  const coarse = Math.max(re.error, im?.error ?? -Infinity) > unit.log - spareBits;
  if (coarse || real.neededBits > real.bits) return null;
  const aligned = decimal.value.numerator < 0n ? real.negate(re) : re;
  const beyond = real.add(aligned, real.fromRational(negate(absolute(decimal.value))));
  // Irrational values do not lie on the ends: an unknown sign there is an equality that no precision shows.
  const below = real.sign(real.add(real.add(beyond, beyond), unit));
  const above = real.sign(real.add(unit, real.negate(beyond)));
  return below === -1 || above === -1 || above === null ? 'different' : 'equal';
}

/** Points in agreement: most of them within the tolerance, none far outside, where cancellation costs digits. */
function compareWithTolerance({ a, b, classes, structure, budget }: PairSearch, tolerance: number): Verdict {
  const wanted = classes.size === 0 ? 1 : 5;
  let close = 0;
  let near = 0;
  for (let index = 0; index < (classes.size === 0 ? 1 : maximumPoints) && close + near < wanted; index++) {
    const point = new SamplePoint(index, classes, structure);
    let distance = relativeDistance(evaluatePairInDoubles(a, b, point, budget));
    distance ??= relativeDistance(evaluatePair(a, b, point, new BigArithmetic(bits, budget), budget));
    if (distance === null) continue;
    if (distance <= tolerance) close++;
    else if (distance <= 30 * tolerance && classes.size > 0) near++;
    else return 'different';
  }
  if (close + near < Math.min(wanted, 2)) return 'undecided';
  return close >= 3 * near ? 'equal' : 'different';
}

/** |a - b| / max(|a|, |b|); null where it is not known to three digits or was not found. */
function relativeDistance<R>({ a, b, complex }: PairValues<R>): number | null {
  if (a instanceof EvaluationFailure || b instanceof EvaluationFailure) {
    for (const value of [a, b]) {
      if (value instanceof EvaluationFailure && value.reason === 'unsupported') throw value;
    }
    return null;
  }
  try {
    const { real } = complex;
    const difference = complex.absolute(complex.subtract(a, b)).re;
    const sizes = [complex.absolute(a).re, complex.absolute(b).re];
    const larger = sizes.reduce((x, y) => (real.magnitude(x) >= real.magnitude(y) ? x : y));
    if (real.sign(larger) !== 1) return real.sign(difference) === 0 ? 0 : null;
    const ratio = real.divide(difference, larger);
    if (real.radius(ratio) > -33 && real.radius(ratio) > real.magnitude(ratio) - 10) return null;
    return real.toNumber(ratio);
  } catch (error) {
    if (error instanceof EvaluationFailure) return null;
    throw error;
  }
}
