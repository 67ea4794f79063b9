/**
 * Rational arithmetic that knows its cost: every operation spends budget in proportion to its operands and gives null where
 * the result would pass `limits.integerBits`.
 */
import type { Budget } from '../budget';
import { limits } from '../limits';
import { absoluteInteger, bitLength, perfectRoot } from './integers';
import { add, divide, multiply, negate, one, type Rational, zero } from './rational';

/** Bits of numerator and denominator together. */
export const size = (a: Rational): number => bitLength(a.numerator) + bitLength(a.denominator);

/** Work of bringing a fraction to lowest terms whose smaller part has this many bits; measured. */
const reductionCost = (bits: number): number => (bits < 2 ? 0 : 0.14 * bits + 2e-4 * bits * bits);

/** Spends for a result with parts of at most so many bits, before it is in lowest terms; false where that is too large. */
function afford(numeratorBits: number, denominatorBits: number, budget: Budget): boolean {
  const bits = numeratorBits + denominatorBits;
  if (bits > limits.integerBits) return false;
  budget.spend(0.5 + bits * bits * 4e-7 + reductionCost(Math.min(numeratorBits, denominatorBits)));
  return true;
}

export function boundedAdd(a: Rational, b: Rational, budget: Budget): Rational | null {
  if (a.denominator === 1n && b.denominator === 1n) {
    budget.spend(0.2);
    const numerator = a.numerator + b.numerator;
    return size(a) + size(b) > 2 * limits.integerBits ? null : { numerator, denominator: 1n };
  }
  const top = bitLength(a.denominator);
  const bottom = bitLength(b.denominator);
  const numeratorBits = Math.max(bitLength(a.numerator) + bottom, bitLength(b.numerator) + top) + 1;
  return afford(numeratorBits, top + bottom, budget) ? add(a, b) : null;
}

export function boundedMultiply(a: Rational, b: Rational, budget: Budget): Rational | null {
  const numeratorBits = bitLength(a.numerator) + bitLength(b.numerator);
  const denominatorBits = bitLength(a.denominator) + bitLength(b.denominator);
  return afford(numeratorBits, denominatorBits, budget) ? multiply(a, b) : null;
}

/** Null where b is 0, too. */
export function boundedDivide(a: Rational, b: Rational, budget: Budget): Rational | null {
  if (b.numerator === 0n) return null;
  const numeratorBits = bitLength(a.numerator) + bitLength(b.denominator);
  const denominatorBits = bitLength(a.denominator) + bitLength(b.numerator);
  return afford(numeratorBits, denominatorBits, budget) ? divide(a, b) : null;
}

/** base^exponent; null for 0^0 and for negative powers of 0. */
export function boundedPower(base: Rational, exponent: bigint, budget: Budget): Rational | null {
  if (base.numerator === 0n) return exponent > 0n ? zero : null;
  if (exponent === 0n) return one;
  const positive = absoluteInteger(exponent);
  if (base.denominator === 1n && (base.numerator === 1n || base.numerator === -1n))
    return base.numerator === 1n || positive % 2n === 0n ? one : base;
  // A base beyond ±1 has at least one bit more than 1 in one part.
  if (positive > BigInt(limits.integerBits)) return null;
  const count = Number(positive);
  const bits = count * (Math.max(bitLength(base.numerator), bitLength(base.denominator)) - 1);
  if (bits > limits.integerBits) return null;
  budget.spend(0.5 + bits * 0.02 + bits * bits * 2e-7);
  const numerator = base.numerator ** positive;
  const denominator = base.denominator ** positive;
  if (exponent > 0n) return { numerator, denominator };
  return numerator < 0n
    ? { numerator: -denominator, denominator: -numerator }
    : { numerator: denominator, denominator: numerator };
}

/** The real root of an integer degree ≥ 1 where it is rational, else null. */
export function boundedRoot(a: Rational, degree: bigint, budget: Budget): Rational | null {
  if (a.numerator < 0n) {
    if (degree % 2n === 0n) return null;
    const root = boundedRoot(negate(a), degree, budget);
    return root && negate(root);
  }
  const bits = size(a);
  if (degree > BigInt(limits.integerBits)) return a.numerator < 2n && a.denominator === 1n ? a : null;
  budget.spend(1 + bits * 0.02 + bits * bits * 3e-6);
  const numerator = perfectRoot(a.numerator, Number(degree));
  if (numerator === null) return null;
  const denominator = perfectRoot(a.denominator, Number(degree));
  return denominator === null ? null : { numerator, denominator };
}

/** base^exponent for a rational exponent p/q: the real q-th root where it is rational, to the power p; else null. */
export function boundedRationalPower(base: Rational, exponent: Rational, budget: Budget): Rational | null {
  if (exponent.denominator === 1n) return boundedPower(base, exponent.numerator, budget);
  const root = boundedRoot(base, exponent.denominator, budget);
  return root && boundedPower(root, exponent.numerator, budget);
}

export function floor(a: Rational): bigint {
  const quotient = a.numerator / a.denominator;
  return a.numerator < 0n && a.denominator !== 1n ? quotient - 1n : quotient;
}

export const integer = (value: bigint): Rational => ({ numerator: value, denominator: 1n });
