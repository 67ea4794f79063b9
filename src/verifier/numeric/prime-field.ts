/** Fractions of residues modulo a prime. A division costs nothing until a residue is needed as a name. */
import type { Budget } from '../budget';
import { absoluteInteger, bitLength, powerModulo } from '../exact/integers';
import type { Rational } from '../exact/rational';

export interface Residue {
  readonly top: bigint;
  readonly bottom: bigint;
}

/** Primes p = 1 modulo 4 with a square root of -1, which stands for the imaginary unit. */
const primes = [
  { prime: 4223340537427850893n, imaginaryUnit: 3803248850371244383n },
  { prime: 4022542007017784981n, imaginaryUnit: 3309247677089245888n },
] as const;

/** Bits of an exponent; exponents count modulo p - 1, which must not matter. */
const maximumExponentBits = 60;

/** Operations on null, which has no residue, give null. */
export class PrimeField {
  readonly prime: bigint;
  readonly imaginaryUnit: Residue;
  readonly zero: Residue = { top: 0n, bottom: 1n };
  readonly one: Residue = { top: 1n, bottom: 1n };

  /** @param index Even and odd ones have different primes. */
  constructor(
    index: number,
    private readonly budget: Budget,
  ) {
    const { prime, imaginaryUnit } = primes[index % 2];
    this.prime = prime;
    this.imaginaryUnit = { top: imaginaryUnit, bottom: 1n };
  }

  fromRational({ numerator, denominator }: Rational): Residue | null {
    this.budget.spend((bitLength(numerator) + bitLength(denominator)) / 300);
    const top = numerator % this.prime;
    const bottom = denominator === 1n ? 1n : denominator % this.prime;
    return bottom === 0n ? null : { top: top < 0n ? top + this.prime : top, bottom };
  }

  same(a: Residue, b: Residue): boolean {
    this.budget.spend(0.5);
    return (a.top * b.bottom - b.top * a.bottom) % this.prime === 0n;
  }

  add(a: Residue | null, b: Residue | null): Residue | null {
    if (!a || !b) return null;
    this.budget.spend(0.5);
    if (a.bottom === b.bottom) return { top: (a.top + b.top) % this.prime, bottom: a.bottom };
    const top = (a.top * b.bottom + b.top * a.bottom) % this.prime;
    return { top, bottom: (a.bottom * b.bottom) % this.prime };
  }

  multiply(a: Residue | null, b: Residue | null): Residue | null {
    if (!a || !b) return null;
    this.budget.spend(0.4);
    const bottom = a.bottom === 1n ? b.bottom : b.bottom === 1n ? a.bottom : (a.bottom * b.bottom) % this.prime;
    return { top: (a.top * b.top) % this.prime, bottom };
  }

  negate(a: Residue | null): Residue | null {
    return a && { top: a.top === 0n ? 0n : this.prime - a.top, bottom: a.bottom };
  }

  divide(a: Residue | null, b: Residue | null): Residue | null {
    return b && b.top !== 0n ? this.multiply(a, { top: b.bottom, bottom: b.top }) : null;
  }

  /** Null for exponents beyond 60 bits and for powers of 0 that are not positive. */
  power(a: Residue, exponent: bigint): Residue | null {
    const bits = bitLength(exponent);
    if (bits > maximumExponentBits || (a.top === 0n && exponent <= 0n)) return null;
    this.budget.spend(bits * 0.5);
    const positive = absoluteInteger(exponent);
    const top = powerModulo(a.top, positive, this.prime);
    const bottom = a.bottom === 1n ? 1n : powerModulo(a.bottom, positive, this.prime);
    return exponent < 0n ? { top: bottom, bottom: top } : { top, bottom };
  }

  /** The residue as one integer. */
  reduced({ top, bottom }: Residue): bigint {
    if (bottom === 1n) return top;
    this.budget.spend(25);
    return (top * powerModulo(bottom, this.prime - 2n, this.prime)) % this.prime;
  }
}
