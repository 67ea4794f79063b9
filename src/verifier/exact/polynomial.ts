/**
 * Polynomials in one variable with integer coefficients, lowest degree first, without zeros at the end; [] is 0. Divisions keep
 * signs: what they give is a positive multiple of the true result.
 */
import type { Budget } from '../budget';
import { bitLength } from './integers';
import { gcd, type Rational } from './rational';

export type Polynomial = readonly bigint[];

/** Work of one multiplication of coefficients with so many bits. */
const cost = (bits: number): number => 0.2 + bits * bits * 4e-7;

const sizeOf = (p: Polynomial): number => p.reduce((most, coefficient) => Math.max(most, bitLength(coefficient)), 1);

export const degree = (p: Polynomial): number => p.length - 1;

export function trimmed(coefficients: bigint[]): Polynomial {
  while (coefficients.length > 0 && coefficients[coefficients.length - 1] === 0n) coefficients.pop();
  return coefficients;
}

export function addPolynomials(a: Polynomial, b: Polynomial, budget: Budget): Polynomial {
  budget.spend(0.1 * (a.length + b.length));
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  return trimmed(long.map((coefficient, index) => coefficient + (short[index] ?? 0n)));
}

export function multiplyPolynomials(a: Polynomial, b: Polynomial, budget: Budget): Polynomial {
  if (a.length === 0 || b.length === 0) return [];
  budget.spend(a.length * b.length * cost(Math.max(sizeOf(a), sizeOf(b))));
  const product = Array<bigint>(a.length + b.length - 1).fill(0n);
  for (const [i, x] of a.entries()) for (const [j, y] of b.entries()) product[i + j] += x * y;
  return trimmed(product);
}

/** Divided by the greatest common divisor of its coefficients, signs kept. */
function primitive(p: Polynomial, budget: Budget): Polynomial {
  budget.spend(p.length * (0.3 + 0.02 * sizeOf(p)));
  const content = p.reduce((divisor, coefficient) => gcd(divisor, coefficient), 0n);
  return content > 1n ? p.map((coefficient) => coefficient / content) : p;
}

export const derivative = (p: Polynomial): Polynomial =>
  p.slice(1).map((coefficient, index) => coefficient * BigInt(index + 1));

/** Quotient and remainder of a positive multiple of a by b ≠ 0. */
function divideWithRest(a: Polynomial, b: Polynomial, budget: Budget): { quotient: Polynomial; rest: Polynomial } {
  const rest = [...a];
  const leading = b[b.length - 1];
  const [factor, sign] = leading < 0n ? [-leading, -1n] : [leading, 1n];
  const quotient = Array<bigint>(Math.max(0, a.length - b.length + 1)).fill(0n);
  for (let shift = a.length - b.length; shift >= 0; shift--) {
    budget.spend((rest.length + b.length) * cost(Math.max(sizeOf(rest), bitLength(leading))));
    const top = rest[shift + b.length - 1] * sign;
    for (const [index, coefficient] of quotient.entries()) quotient[index] = coefficient * factor;
    quotient[shift] += top;
    for (const [index, coefficient] of rest.entries()) rest[index] = coefficient * factor;
    for (const [index, coefficient] of b.entries()) rest[shift + index] -= top * coefficient;
  }
  return { quotient: trimmed(quotient), rest: trimmed(rest) };
}

/** Up to a constant factor. */
export function greatestCommonDivisor(a: Polynomial, b: Polynomial, budget: Budget): Polynomial {
  let [left, right] = [primitive(a, budget), primitive(b, budget)];
  while (right.length > 0) {
    const { rest } = divideWithRest(left, right, budget);
    [left, right] = [right, primitive(rest, budget)];
  }
  return left;
}

/** The same roots, each once. */
export function squareFree(p: Polynomial, budget: Budget): Polynomial {
  const repeated = greatestCommonDivisor(p, derivative(p), budget);
  return degree(repeated) < 1 ? primitive(p, budget) : primitive(divideWithRest(p, repeated, budget).quotient, budget);
}

/** Sturm's chain of a polynomial without repeated roots. */
export function sturmChain(p: Polynomial, budget: Budget): Polynomial[] {
  const chain = [p, derivative(p)];
  for (;;) {
    const [a, b] = chain.slice(-2);
    if (b.length < 2) return b.length === 0 ? chain.slice(0, -1) : chain;
    const rest = primitive(divideWithRest(a, b, budget).rest, budget);
    if (rest.length === 0) return chain;
    chain.push(rest.map((coefficient) => -coefficient));
  }
}

/** The sign of the value at a fraction. */
export function signAt(p: Polynomial, at: Rational, budget: Budget): -1 | 0 | 1 {
  const bits = bitLength(at.numerator) + bitLength(at.denominator);
  budget.spend(p.length * cost(sizeOf(p) + p.length * bits));
  // Horner's scheme on numerator and denominator.
  let value = 0n;
  let scale = 1n;
  for (let index = p.length - 1; index >= 0; index--) {
    value = value * at.numerator + p[index] * scale;
    scale *= at.denominator;
  }
  return value < 0n ? -1 : value > 0n ? 1 : 0;
}
