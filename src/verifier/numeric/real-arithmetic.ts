/**
 * What the evaluator needs from real numbers. A value is a ball: a midpoint and a bound of its error, so that a sign or an
 * order that is told is proved. Two implementations: doubles, which are cheap, and floating point over BigInt of any
 * precision.
 */
import type { Rational } from '../exact/rational';

/**
 * Why an expression has no value here. `undefined`: at this point it has none, e.g. 1/0. `imprecise`: a sign or a size could
 * not be told, more precision may help. `unsupported`: nothing that this evaluator knows.
 */
export class EvaluationFailure extends Error {
  constructor(readonly reason: 'undefined' | 'imprecise' | 'unsupported') {
    super(`the expression has no value here: ${reason}`);
  }
}

/** Shared instances: a failure is an everyday outcome and its stack says nothing. */
export const isUndefined = new EvaluationFailure('undefined');
export const isImprecise = new EvaluationFailure('imprecise');
export const isUnsupported = new EvaluationFailure('unsupported');

export type Sign = -1 | 0 | 1;

/** Every operation spends budget. Operations throw an `EvaluationFailure` where they have no result. */
export interface RealArithmetic<R> {
  readonly zero: R;
  readonly one: R;
  /** Bits of precision. */
  readonly bits: number;
  fromRational(value: Rational): R;
  pi(): R;
  negate(a: R): R;
  add(a: R, b: R): R;
  multiply(a: R, b: R): R;
  divide(a: R, b: R): R;
  /** Of a ≥ 0; a ball that reaches below 0 is taken for its part above. */
  squareRoot(a: R): R;
  exponential(a: R): R;
  /** Of a > 0. */
  logarithm(a: R): R;
  sineAndCosine(a: R): [R, R];
  arctangent(a: R): R;
  /** 0 only where the value is exactly 0, null where the ball holds 0 and more. */
  sign(a: R): Sign | null;
  /** Null where the ball holds an integer and something below it. */
  floor(a: R): bigint | null;
  /** Computes with terms that are small by design: their loss says nothing about the expression. */
  aside<T>(compute: () => T): T;
  /** The ball with |by| added to its radius. */
  widen(a: R, by: R): R;
  /** Logarithm to base 2 of the largest absolute value in the ball; -Infinity for 0. */
  magnitude(a: R): number;
  /** Logarithm to base 2 of the radius; -Infinity where exact. */
  radius(a: R): number;
  /** The midpoint as a double, ±Infinity or 0 beyond their range. */
  toNumber(a: R): number;
}
