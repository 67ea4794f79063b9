/** Order of real constants. */
import type { CompareContext } from '../compare/types';
import { exactValue } from '../exact/exact-value';
import { compare } from '../exact/rational';
import { StructureTable } from '../exact/structure';
import type { Node } from '../node';
import { decideZero, evaluatePairInDoubles, provedSize } from './compare-values';
import { Evaluator } from './evaluate';
import { infiniteSign } from './infinite';
import { EvaluationFailure, type RealArithmetic, type Sign } from './real-arithmetic';
import type { Complex } from './complex';
import { SamplePoint } from './sample-point';
import { freeSymbols } from '../exact/tree';

/**
 * -1, 0 or 1 as a is less than, equal to or greater than b; decimals count as exact, ±∞ have their place. Null where either is
 * no real constant or the order is out of reach.
 *
 * @throws BudgetExceeded
 */
export function compareReals(a: Node, b: Node, context: CompareContext): Sign | null {
  const { budget } = context;
  const left = exactValue(a, budget);
  const right = left && exactValue(b, budget);
  if (right) return Math.sign(compare(left, right)) as Sign;
  const leftInfinite = infiniteSign(a, budget);
  const rightInfinite = infiniteSign(b, budget);
  if (leftInfinite === null || rightInfinite === null) return null;
  if (freeSymbols(a).size > 0 || freeSymbols(b).size > 0) return null;
  if (leftInfinite !== 0 || rightInfinite !== 0) return Math.sign(leftInfinite - rightInfinite) as Sign;
  const structure = new StructureTable(budget);
  const point = new SamplePoint(0, new Map(), structure);
  const pair = evaluatePairInDoubles(a, b, point, budget);
  if (!(pair.a instanceof EvaluationFailure) && !(pair.b instanceof EvaluationFailure)) {
    const sign = orderOf(pair.a, pair.b, pair.complex.real);
    if (sign !== null) return sign;
  }
  return compareRealsPrecisely(a, b, point, context);
}

function compareRealsPrecisely(a: Node, b: Node, point: SamplePoint, { budget }: CompareContext): Sign | null {
  let order: Sign | null = null;
  try {
    const verdict = decideZero(
      (arithmetic) => {
        const evaluator = new Evaluator(arithmetic, budget, point.bindings, point);
        const { complex } = evaluator;
        const left = evaluator.evaluate(a);
        const right = evaluator.evaluate(b);
        order = orderOf(left, right, arithmetic);
        return { value: complex.subtract(left, right), size: provedSize(left, complex), complex };
      },
      2,
      budget,
    );
    if (verdict === 'equal') return 0;
    return verdict === 'different' ? order : null;
  } catch (error) {
    if (error instanceof EvaluationFailure) return null;
    throw error;
  }
}

/** Null where unknown, 0 included unless it is exact, or where either has an imaginary part. */
function orderOf<R>(a: Complex<R>, b: Complex<R>, real: RealArithmetic<R>): Sign | null {
  for (const { im } of [a, b]) if (im !== null && real.sign(im) !== null) return null;
  return real.sign(real.add(a.re, real.negate(b.re)));
}
