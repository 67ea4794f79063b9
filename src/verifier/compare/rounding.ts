/** A gold that is the rounded value of an exact answer: `33.3` where the answer is `\frac{100}{3}`. */
import type { Budget } from '../budget';
import { exactValue } from '../exact/exact-value';
import type { Rational } from '../exact/rational';
import { freeSymbols } from '../exact/tree';
import { evaluateReal } from '../numeric/equal-expressions';
import type { Node, NumberNode } from '../node';
import { contains } from './rewrite';

/** Fewer digits leave too many exact values that round to them. */
const LEAST_SIGNIFICANT = 3;

const EXACT = /^(?:number|quotient|product|sum|negation|power|root|call|constant)$/;

/** `2^a·5^b`: such a fraction can be written out, so nobody rounds it. */
function isFinite10({ denominator }: Rational): boolean {
  let rest = denominator;
  for (const prime of [2n, 5n]) while (rest % prime === 0n) rest /= prime;
  return rest === 1n;
}

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

/** Denominators beyond this are no answers that were rounded by hand. */
const GREATEST_DENOMINATOR = 10n ** 12n;

function roundsTo(answer: Node, gold: NumberNode, sign: bigint, budget: Budget): boolean {
  const exact = exactValue(answer, budget);
  const unit = 10n ** BigInt(gold.decimals);
  if (exact) {
    if (exact.denominator > GREATEST_DENOMINATOR || isFinite10(exact)) return false;
    const distance = exact.numerator * gold.value.denominator - sign * gold.value.numerator * exact.denominator;
    return 2n * absolute(distance) * unit <= exact.denominator * gold.value.denominator;
  }
  const value = evaluateReal(answer, new Map(), budget);
  if (value === null || !Number.isFinite(value)) return false;
  const expected = Number(sign * gold.value.numerator) / Number(gold.value.denominator);
  return Math.abs(value - expected) * Number(unit) <= 0.5;
}

/** Whether `gold` is a decimal of three significant digits or more and `answer` an exact value that rounds to it. */
export function isRounding(gold: Node, answer: Node, budget: Budget): boolean {
  const negative = gold.kind === 'negation';
  const decimal = negative ? gold.operand : gold;
  if (decimal.kind !== 'number' || decimal.decimals === 0 || (decimal.significant ?? 0) < LEAST_SIGNIFICANT)
    return false;
  if (!EXACT.test(answer.kind) || freeSymbols(answer).size > 0) return false;
  if (contains(answer, (part) => part.kind === 'number' && part.significant !== null, budget)) return false;
  return roundsTo(answer, decimal, negative ? -1n : 1n, budget);
}
