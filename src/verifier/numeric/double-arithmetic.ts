/**
 * Balls of doubles. Error bounds are generous (Math functions are taken to err by four units in the last place), and any
 * result near overflow or underflow is refused as imprecise, so relative errors hold.
 */
import type { Budget } from '../budget';
import type { Rational } from '../exact/rational';
import { isImprecise, isUndefined, type RealArithmetic, type Sign } from './real-arithmetic';

export interface DoubleBall {
  readonly value: number;
  readonly radius: number;
}

const unit = 2 ** -53;
const largest = 1e300;
const smallest = 1e-280;
/** Radii are rounded up by this, so that none vanishes by underflow. */
const smallestRadius = 1e-300;

/** Measured, in microseconds. */
const operationCost = 0.1;
const conversionCost = 0.5;
const functionCost = 0.5;

function ball(value: number, radius: number): DoubleBall {
  const size = Math.abs(value);
  if (!(size < largest && radius < largest) || (size < smallest && size > 0)) throw isImprecise;
  return { value, radius };
}

/** A result of one correctly rounded operation. */
function rounded(value: number, radius: number): DoubleBall {
  return ball(value, radius * (1 + 4 * unit) + Math.abs(value) * 1.5 * unit);
}

const isExactInteger = (a: DoubleBall): boolean => a.radius === 0 && Number.isSafeInteger(a.value);

const computed = (value: number, radius: number): DoubleBall => ball(value, radius * 1.01 + Math.abs(value) * 8 * unit);

const isExactZero = (a: DoubleBall): boolean => a.radius === 0 && a.value === 0;

const pi: DoubleBall = { value: Math.PI, radius: 4 * unit };

export class DoubleArithmetic implements RealArithmetic<DoubleBall> {
  readonly zero = { value: 0, radius: 0 };
  readonly one = { value: 1, radius: 0 };
  readonly bits = 53;

  constructor(private readonly budget: Budget) {}

  fromRational({ numerator, denominator }: Rational): DoubleBall {
    this.budget.spend(conversionCost);
    const top = Number(numerator);
    if (denominator === 1n) return Number.isSafeInteger(top) ? { value: top, radius: 0 } : computed(top, 0);
    const bottom = Number(denominator);
    if (!(Math.abs(top) < largest && bottom < largest)) throw isImprecise;
    const exact =
      Number.isSafeInteger(top) && Number.isSafeInteger(bottom) && (denominator & (denominator - 1n)) === 0n;
    return exact ? { value: top / bottom, radius: 0 } : computed(top / bottom, 0);
  }

  pi(): DoubleBall {
    return pi;
  }

  negate(a: DoubleBall): DoubleBall {
    return { value: -a.value, radius: a.radius };
  }

  add(a: DoubleBall, b: DoubleBall): DoubleBall {
    this.budget.spend(operationCost);
    const value = a.value + b.value;
    if (a.radius > 0 || b.radius > 0) return rounded(value, a.radius + b.radius);
    // The rounding error of a sum is a double.
    const part = value - a.value;
    const error = a.value - (value - part) + (b.value - part);
    return ball(value, Math.abs(error));
  }

  multiply(a: DoubleBall, b: DoubleBall): DoubleBall {
    this.budget.spend(operationCost);
    const value = a.value * b.value;
    if (value === 0 && a.value !== 0 && b.value !== 0) throw isImprecise;
    if (isExactInteger(a) && isExactInteger(b) && Number.isSafeInteger(value)) return { value, radius: 0 };
    if (isExactZero(a) || isExactZero(b)) return this.zero;
    const radius = Math.abs(a.value) * b.radius + Math.abs(b.value) * a.radius + a.radius * b.radius;
    return rounded(value, radius + smallestRadius);
  }

  divide(a: DoubleBall, b: DoubleBall): DoubleBall {
    this.budget.spend(operationCost);
    const least = Math.abs(b.value) - b.radius;
    if (!(least > 0)) throw b.radius === 0 ? isUndefined : isImprecise;
    const value = a.value / b.value;
    if (value === 0 && a.value !== 0) throw isImprecise;
    if (isExactInteger(a) && isExactInteger(b) && a.value % b.value === 0) return { value, radius: 0 };
    if (isExactZero(a)) return this.zero;
    return rounded(value, (a.radius + Math.abs(value) * b.radius) / least + smallestRadius);
  }

  squareRoot(a: DoubleBall): DoubleBall {
    this.budget.spend(operationCost);
    if (a.value - a.radius <= 0) {
      if (a.radius === 0) return this.zero;
      return { value: 0, radius: Math.sqrt(Math.max(0, a.value) + a.radius) * 1.01 };
    }
    const value = Math.sqrt(a.value);
    if (isExactInteger(a) && Number.isInteger(value)) return { value, radius: 0 };
    return rounded(value, a.radius === 0 ? 0 : a.radius / (2 * Math.sqrt(a.value - a.radius)));
  }

  exponential(a: DoubleBall): DoubleBall {
    this.budget.spend(functionCost);
    if (a.value === 0 && a.radius === 0) return this.one;
    if (!(a.radius < 0.5)) throw isImprecise;
    const value = Math.exp(a.value);
    return value === 0 ? failImprecise() : computed(value, value * 2 * a.radius);
  }

  logarithm(a: DoubleBall): DoubleBall {
    this.budget.spend(functionCost);
    if (a.value === 1 && a.radius === 0) return this.zero;
    const least = a.value - a.radius;
    if (!(least > 0)) throw isImprecise;
    return computed(Math.log(a.value), a.radius / least);
  }

  sineAndCosine(a: DoubleBall): [DoubleBall, DoubleBall] {
    this.budget.spend(functionCost);
    if (a.value === 0 && a.radius === 0) return [this.zero, this.one];
    return [computed(Math.sin(a.value), a.radius), computed(Math.cos(a.value), a.radius)];
  }

  arctangent(a: DoubleBall): DoubleBall {
    this.budget.spend(functionCost);
    if (a.value === 0 && a.radius === 0) return this.zero;
    return computed(Math.atan(a.value), a.radius);
  }

  sign(a: DoubleBall): Sign | null {
    if (a.value > a.radius) return 1;
    if (a.value < -a.radius) return -1;
    return a.radius === 0 ? 0 : null;
  }

  floor(a: DoubleBall): bigint | null {
    const low = Math.floor(a.value - a.radius);
    if (!(Math.abs(low) < 2 ** 52) || Math.floor(a.value + a.radius) !== low) return null;
    return BigInt(low);
  }

  aside<T>(compute: () => T): T {
    return compute();
  }

  widen(a: DoubleBall, by: DoubleBall): DoubleBall {
    return ball(a.value, a.radius + Math.abs(by.value) + by.radius);
  }

  magnitude(a: DoubleBall): number {
    return Math.log2(Math.abs(a.value) + a.radius);
  }

  radius(a: DoubleBall): number {
    return Math.log2(a.radius);
  }

  toNumber(a: DoubleBall): number {
    return a.value;
  }
}

function failImprecise(): never {
  throw isImprecise;
}
