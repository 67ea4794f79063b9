/** Trigonometric and hyperbolic functions and their inverses, with the principal branches, over complex balls. */
import type { FunctionName } from '../node';
import type { Complex, ComplexArithmetic } from './complex';

type Unary = <R>(z: Complex<R>, c: ComplexArithmetic<R>) => Complex<R>;

const cosine: Unary = (z, c) => sineAndCosine(z, c)[1];
const sine: Unary = (z, c) => sineAndCosine(z, c)[0];
const hyperbolicSine: Unary = (z, c) => hyperbolic(z, c)[0];
const hyperbolicCosine: Unary = (z, c) => hyperbolic(z, c)[1];

function tangent<R>(z: Complex<R>, c: ComplexArithmetic<R>): Complex<R> {
  const [top, bottom] = sineAndCosine(z, c);
  return c.divide(top, bottom);
}

function cotangent<R>(z: Complex<R>, c: ComplexArithmetic<R>): Complex<R> {
  const [bottom, top] = sineAndCosine(z, c);
  return c.divide(top, bottom);
}

function hyperbolicTangent<R>(z: Complex<R>, c: ComplexArithmetic<R>): Complex<R> {
  const [top, bottom] = hyperbolic(z, c);
  return c.divide(top, bottom);
}

function sineAndCosine<R>(z: Complex<R>, c: ComplexArithmetic<R>): [Complex<R>, Complex<R>] {
  const [s, k] = c.real.sineAndCosine(z.re);
  if (z.im === null) {
    return [
      { re: s, im: null },
      { re: k, im: null },
    ];
  }
  // sin(x + iy) = sin x cosh y + i cos x sinh y, cos(x + iy) = cos x cosh y - i sin x sinh y
  const [sh, ch] = hyperbolic({ re: z.im, im: null }, c);
  const { multiply, negate } = bind(c);
  return [c.make(multiply(s, ch.re), multiply(k, sh.re)), c.make(multiply(k, ch.re), negate(multiply(s, sh.re)))];
}

function bind<R>(c: ComplexArithmetic<R>): { multiply: (a: R, b: R) => R; negate: (a: R) => R } {
  return { multiply: (a, b) => c.real.multiply(a, b), negate: (a) => c.real.negate(a) };
}

function hyperbolic<R>(z: Complex<R>, c: ComplexArithmetic<R>): [Complex<R>, Complex<R>] {
  const up = c.exponential(z);
  const down = c.invert(up);
  return [c.half(c.subtract(up, down)), c.half(c.add(up, down))];
}

/** 2 arctan(x / (1 + sqrt(1 - x²))) for real |x| ≤ 1, else -i ln(iz + sqrt(1 - z²)). */
function arcsine<R>(z: Complex<R>, c: ComplexArithmetic<R>): Complex<R> {
  const complement = c.subtract(c.one, c.multiply(z, z));
  const sign = z.im === null && complement.im === null ? c.real.sign(complement.re) : -1;
  if (sign !== -1) {
    const root = c.real.squareRoot(complement.re);
    const half = c.real.arctangent(c.real.divide(z.re, c.real.add(c.real.one, root)));
    const value = c.real.add(half, half);
    // Just outside of [-1, 1] the value leaves the real line by about the root.
    if (sign === null) return { re: c.real.widen(value, root), im: c.real.widen(c.real.zero, c.real.add(root, root)) };
    return { re: value, im: null };
  }
  c.branched = true;
  const inside = c.add(c.multiply(c.i, z), c.squareRoot(complement));
  return c.negate(c.multiply(c.i, c.logarithm(inside)));
}

const arccosine: Unary = (z, c) => c.subtract(c.half(c.pi()), arcsine(z, c));

/** Complex: (i/2) (ln(1 - iz) - ln(1 + iz)). */
function arctangent<R>(z: Complex<R>, c: ComplexArithmetic<R>): Complex<R> {
  if (z.im === null) return { re: c.real.arctangent(z.re), im: null };
  const turned = c.multiply(c.i, z);
  const difference = c.subtract(c.logarithm(c.subtract(c.one, turned)), c.logarithm(c.add(c.one, turned)));
  return c.half(c.multiply(c.i, difference));
}

const arccotangent: Unary = (z, c) => c.subtract(c.half(c.pi()), arctangent(z, c));

/** ln(z + sqrt(z² + 1)); for negative z the sum would cancel. */
function hyperbolicArcsine<R>(z: Complex<R>, c: ComplexArithmetic<R>): Complex<R> {
  if (z.im === null && c.real.sign(z.re) === -1) return c.negate(hyperbolicArcsine(c.negate(z), c));
  return c.logarithm(c.add(z, c.squareRoot(c.add(c.multiply(z, z), c.one))));
}

const hyperbolicArccosine: Unary = (z, c) =>
  c.logarithm(c.add(z, c.multiply(c.squareRoot(c.subtract(z, c.one)), c.squareRoot(c.add(z, c.one)))));

const hyperbolicArctangent: Unary = (z, c) =>
  c.half(c.subtract(c.logarithm(c.add(c.one, z)), c.logarithm(c.subtract(c.one, z))));

/** Functions of one complex argument that are analytic on their domain. */
export const elementary: Partial<Record<FunctionName, Unary>> = {
  exp: (z, c) => c.exponential(z),
  ln: (z, c) => c.logarithm(z),
  cis: (z, c) => c.exponential(c.multiply(c.i, z)),
  sin: sine,
  cos: cosine,
  tan: tangent,
  cot: cotangent,
  sec: (z, c) => c.invert(cosine(z, c)),
  csc: (z, c) => c.invert(sine(z, c)),
  arcsin: arcsine,
  arccos: arccosine,
  arctan: arctangent,
  arccot: arccotangent,
  arcsec: (z, c) => arccosine(c.invert(z), c),
  arccsc: (z, c) => arcsine(c.invert(z), c),
  sinh: hyperbolicSine,
  cosh: hyperbolicCosine,
  tanh: hyperbolicTangent,
  coth: (z, c) => c.invert(hyperbolicTangent(z, c)),
  sech: (z, c) => c.invert(hyperbolicCosine(z, c)),
  csch: (z, c) => c.invert(hyperbolicSine(z, c)),
  arcsinh: hyperbolicArcsine,
  arccosh: hyperbolicArccosine,
  arctanh: hyperbolicArctangent,
};
