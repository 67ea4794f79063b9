/** Complex numbers over any real arithmetic. A null imaginary part is exactly 0, and most values have one. */
import type { Rational } from '../exact/rational';
import { isImprecise, isUndefined, type RealArithmetic } from './real-arithmetic';

export interface Complex<R> {
  readonly re: R;
  readonly im: R | null;
}

export class ComplexArithmetic<R> {
  readonly zero: Complex<R>;
  readonly one: Complex<R>;
  readonly i: Complex<R>;
  /** Set where a function took a branch that only complex numbers have: the root or logarithm of a negative number, ... */
  branched = false;

  constructor(readonly real: RealArithmetic<R>) {
    this.zero = { re: real.zero, im: null };
    this.one = { re: real.one, im: null };
    this.i = { re: real.zero, im: real.one };
  }

  fromRational(value: Rational): Complex<R> {
    return { re: this.real.fromRational(value), im: null };
  }

  integer(value: number): Complex<R> {
    return this.fromRational({ numerator: BigInt(value), denominator: 1n });
  }

  pi(): Complex<R> {
    return { re: this.real.pi(), im: null };
  }

  /** Drops an imaginary part that is exactly 0. */
  make(re: R, im: R | null): Complex<R> {
    return { re, im: im !== null && this.real.sign(im) === 0 ? null : im };
  }

  negate(a: Complex<R>): Complex<R> {
    return { re: this.real.negate(a.re), im: a.im === null ? null : this.real.negate(a.im) };
  }

  conjugate(a: Complex<R>): Complex<R> {
    return { re: a.re, im: a.im === null ? null : this.real.negate(a.im) };
  }

  add(a: Complex<R>, b: Complex<R>): Complex<R> {
    const re = this.real.add(a.re, b.re);
    if (a.im === null || b.im === null) return { re, im: a.im ?? b.im };
    return this.make(re, this.real.add(a.im, b.im));
  }

  subtract(a: Complex<R>, b: Complex<R>): Complex<R> {
    return this.add(a, this.negate(b));
  }

  multiply(a: Complex<R>, b: Complex<R>): Complex<R> {
    const { real } = this;
    if (a.im === null && b.im === null) return { re: real.multiply(a.re, b.re), im: null };
    if (a.im === null) return this.make(real.multiply(a.re, b.re), real.multiply(a.re, b.im!));
    if (b.im === null) return this.make(real.multiply(a.re, b.re), real.multiply(a.im, b.re));
    const re = real.add(real.multiply(a.re, b.re), real.negate(real.multiply(a.im, b.im)));
    return this.make(re, real.add(real.multiply(a.re, b.im), real.multiply(a.im, b.re)));
  }

  divide(a: Complex<R>, b: Complex<R>): Complex<R> {
    const { real } = this;
    if (b.im === null) {
      return { re: real.divide(a.re, b.re), im: a.im === null ? null : real.divide(a.im, b.re) };
    }
    const product = this.multiply(a, this.conjugate(b));
    return this.divide(product, { re: this.squaredAbsolute(b), im: null });
  }

  /** 1 / a. */
  invert(a: Complex<R>): Complex<R> {
    return this.divide(this.one, a);
  }

  half(a: Complex<R>): Complex<R> {
    return this.multiply(a, this.fromRational({ numerator: 1n, denominator: 2n }));
  }

  /** a^count for count ≥ 1, by squarings. */
  integerPower(a: Complex<R>, count: bigint): Complex<R> {
    let result: Complex<R> | null = null;
    let square = a;
    for (let left = count; ;) {
      if (left & 1n) result = result ? this.multiply(result, square) : square;
      left >>= 1n;
      if (left === 0n) return result!;
      square = this.multiply(square, square);
    }
  }

  /** The value as a real number. @throws undefined where the imaginary part is not 0, imprecise where that is unknown. */
  realPart(a: Complex<R>): R {
    if (a.im === null) return a.re;
    throw this.real.sign(a.im) === null ? isImprecise : isUndefined;
  }

  isZero(a: Complex<R>): boolean {
    return a.im === null && this.real.sign(a.re) === 0;
  }

  squaredAbsolute(a: Complex<R>): R {
    const { real } = this;
    const square = real.multiply(a.re, a.re);
    return a.im === null ? square : real.add(square, real.multiply(a.im, a.im));
  }

  absolute(a: Complex<R>): Complex<R> {
    const { real } = this;
    if (a.im !== null) return { re: real.squareRoot(this.squaredAbsolute(a)), im: null };
    const sign = real.sign(a.re);
    if (sign === null) return { re: real.widen(real.zero, a.re), im: null };
    return sign < 0 ? this.negate(a) : a;
  }

  /** In (-π, π]. */
  argument(a: Complex<R>): Complex<R> {
    const { real } = this;
    const sign = real.sign(a.re);
    if (a.im === null) {
      if (sign === 0) throw isUndefined;
      if (sign === null) throw isImprecise;
      return sign > 0 ? this.zero : this.pi();
    }
    const side = real.sign(a.im);
    const half = real.multiply(real.pi(), real.fromRational({ numerator: 1n, denominator: 2n }));
    if (sign === 1) return { re: real.arctangent(real.divide(a.im, a.re)), im: null };
    if (side === null) throw isImprecise;
    const angle = real.negate(real.arctangent(real.divide(a.re, a.im)));
    return { re: real.add(side > 0 ? half : real.negate(half), angle), im: null };
  }

  exponential(a: Complex<R>): Complex<R> {
    const { real } = this;
    if (a.im === null) return { re: real.exponential(a.re), im: null };
    const length = real.exponential(a.re);
    const [sine, cosine] = real.sineAndCosine(a.im);
    return this.make(real.multiply(length, cosine), real.multiply(length, sine));
  }

  /** The principal logarithm. */
  logarithm(a: Complex<R>): Complex<R> {
    const { real } = this;
    if (a.im === null) {
      const sign = real.sign(a.re);
      if (sign === 1) return { re: real.logarithm(a.re), im: null };
      if (sign === 0) throw isUndefined;
      if (sign === null) throw isImprecise;
      this.branched = true;
      return { re: real.logarithm(real.negate(a.re)), im: real.pi() };
    }
    this.branched = true;
    const length = this.half({ re: real.logarithm(this.squaredAbsolute(a)), im: null });
    return this.make(length.re, this.argument(a).re);
  }

  /** The principal square root. */
  squareRoot(a: Complex<R>): Complex<R> {
    const { real } = this;
    if (a.im === null) {
      const sign = real.sign(a.re);
      if (sign === 0 || sign === 1) return { re: real.squareRoot(a.re), im: null };
      // A ball about 0: the root lies somewhere near 0, on the real or on the imaginary axis.
      if (sign === null) {
        const near = real.squareRoot(real.widen(real.zero, a.re));
        return { re: near, im: near };
      }
      this.branched = true;
      return { re: real.zero, im: real.squareRoot(real.negate(a.re)) };
    }
    return this.exponential(this.half(this.logarithm(a)));
  }
}
