/** A real number of any precision with a bound of its error, and logarithms of sizes. */
import { log2 } from '../exact/integers';

export interface BigBall {
  readonly mantissa: bigint;
  readonly exponent: number;
  /** Logarithm to base 2 of the midpoint's absolute value, -Infinity for 0. */
  readonly log: number;
  /** Logarithm to base 2 of the radius, -Infinity where exact. */
  readonly error: number;
}

/** Logarithms are rounded: comparisons between them leave this much. */
export const slack = 0.1;

export const exact = -Infinity;

/** log2(2^a + 2^b), rounded up. */
export function addLogs(a: number, b: number): number {
  const larger = a > b ? a : b;
  const smaller = a > b ? b : a;
  if (smaller === exact || larger - smaller > 60)
    return larger === exact ? exact : larger + (smaller === exact ? 0 : 1e-6);
  return larger + Math.log2(1 + 2 ** (smaller - larger)) + 1e-9;
}

export const isApartFrom0 = (a: BigBall): boolean => a.log > a.error + slack;

/** Logarithm of the least absolute value in a ball that does not reach 0. */
export function lowerLog(a: BigBall): number {
  return a.error === exact ? a.log : a.log + Math.log2(1 - 2 ** Math.min(-1e-3, a.error - a.log)) - 1e-9;
}

/** log2|n| of a mantissa, which is never much longer than the precision. */
export function logOf(n: bigint): number {
  const approximate = Math.abs(Number(n));
  return approximate < 1e300 ? Math.log2(approximate) : log2(n);
}
