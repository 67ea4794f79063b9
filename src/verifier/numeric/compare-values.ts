/** Comparison of two expressions at one point, at rising precision. */
import type { Budget } from '../budget';
import type { Node } from '../node';
import { BigArithmetic } from './big-arithmetic';
import type { BigBall } from './big-ball';
import type { Complex, ComplexArithmetic } from './complex';
import { DoubleArithmetic, type DoubleBall } from './double-arithmetic';
import { Evaluator } from './evaluate';
import { EvaluationFailure, type RealArithmetic } from './real-arithmetic';
import type { SamplePoint } from './sample-point';

export type Verdict = 'equal' | 'different' | 'undecided';

/** Work of setting up one evaluation and of a failure in it. */
const setupCost = 2;
const failureCost = 5;

/** Both values of a pair at a point, or why there are none. */
export interface PairValues<R> {
  complex: ComplexArithmetic<R>;
  a: Complex<R> | EvaluationFailure;
  b: Complex<R> | EvaluationFailure;
}

export function evaluatePair<R>(
  a: Node,
  b: Node,
  point: SamplePoint,
  real: RealArithmetic<R>,
  budget: Budget,
): PairValues<R> {
  budget.spend(setupCost);
  const evaluator = new Evaluator(real, budget, point.bindings, point);
  return { complex: evaluator.complex, a: valueOrFailure(evaluator, a), b: valueOrFailure(evaluator, b) };
}

export function evaluatePairInDoubles(a: Node, b: Node, point: SamplePoint, budget: Budget): PairValues<DoubleBall> {
  return evaluatePair(a, b, point, new DoubleArithmetic(budget), budget);
}

export function valueOrFailure<R>(evaluator: Evaluator<R>, node: Node): Complex<R> | EvaluationFailure {
  try {
    return evaluator.evaluate(node);
  } catch (error) {
    if (!(error instanceof EvaluationFailure)) throw error;
    evaluator.budget.spend(failureCost);
    return error;
  }
}

/** True where the balls are proved to be apart; a difference out of reach proves nothing. */
export function areApart<R>(a: Complex<R>, b: Complex<R>, c: ComplexArithmetic<R>): boolean {
  try {
    return isProvedNonZero(c.subtract(a, b), c);
  } catch (error) {
    if (!(error instanceof EvaluationFailure)) throw error;
    return false;
  }
}

export function isProvedNonZero<R>(a: Complex<R>, c: ComplexArithmetic<R>): boolean {
  const re = c.real.sign(a.re);
  if (re === 1 || re === -1) return true;
  const im = a.im === null ? 0 : c.real.sign(a.im);
  return im === 1 || im === -1;
}

/** Bits of the first steps; more where terms of very different size met. */
const firstBits = 192;
export const maximumBits = 2_048;
/** Where one point of several does not decide within so many bits, another may. */
const maximumBitsOfSample = 1_024;

/**
 * Whether a difference is 0: `different` when proved, `equal` when the bound of its error shrinks with the precision while it
 * holds 0, and goes far below anything that met in the computation.
 *
 * @param difference Computes the difference and the size (log2) of what was subtracted, throwing an EvaluationFailure.
 * @param levels Precisions that have to agree: two for a single constant, one where several points support each other.
 */
export function decideZero(
  difference: (arithmetic: BigArithmetic) => {
    value: Complex<BigBall>;
    size: number;
    complex: ComplexArithmetic<BigBall>;
  },
  levels: 1 | 2,
  budget: Budget,
): Verdict {
  const most = levels === 1 ? maximumBitsOfSample : maximumBits;
  let bits = firstBits;
  let agreed: { bits: number; radius: number } | null = null;
  for (;;) {
    const arithmetic = new BigArithmetic(bits, budget);
    let next = bits * 2;
    try {
      const { value, size, complex } = difference(arithmetic);
      if (isProvedNonZero(value, complex)) return 'different';
      const radius = Math.max(value.re.error, value.im?.error ?? -Infinity);
      const needed = arithmetic.neededBits;
      const relative = radius <= size - bits / 2;
      const shrunk = agreed !== null && radius <= agreed.radius - 0.2 * (bits - agreed.bits);
      // The difference is smaller than a bound that shrank with the precision: 0, but for coincidences of fifty digits.
      if (needed <= bits && (shrunk || (relative && levels === 1))) return 'equal';
      if (needed > next) {
        next = Math.ceil(needed / 64) * 64;
        // Half of the bits that an equality needs may show a difference.
        if (levels === 2 && needed <= 2 * most) next = Math.max(2 * bits, Math.min(next, most));
      }
      agreed = { bits, radius };
    } catch (error) {
      if (!(error instanceof EvaluationFailure) || error.reason !== 'imprecise') throw error;
      budget.spend(failureCost);
    }
    if (next > most) return 'undecided';
    bits = next;
  }
}

/** Whether two expressions are equal at one point. @throws EvaluationFailure where one has no value. */
export function comparePrecisely(a: Node, b: Node, point: SamplePoint, levels: 1 | 2, budget: Budget): Verdict {
  return decideZero(
    (arithmetic) => {
      const evaluator = new Evaluator(arithmetic, budget, point.bindings, point);
      const left = evaluator.evaluate(a);
      const right = evaluator.evaluate(b);
      const { complex } = evaluator;
      return { value: complex.subtract(left, right), size: provedSize(left, complex), complex };
    },
    levels,
    budget,
  );
}

/** Values that are out of reach decide nothing. */
export function verdictOrUndecided(decide: () => Verdict): Verdict {
  try {
    return decide();
  } catch (error) {
    if (error instanceof EvaluationFailure) return 'undecided';
    throw error;
  }
}

/** log2 of |a|; -Infinity where a may be 0. */
export function provedSize<R>(a: Complex<R>, c: ComplexArithmetic<R>): number {
  if (!isProvedNonZero(a, c)) return -Infinity;
  return Math.max(c.real.magnitude(a.re), a.im === null ? -Infinity : c.real.magnitude(a.im));
}
