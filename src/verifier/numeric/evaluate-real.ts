/** Plain values of expressions at given points. */
import { Budget } from '../budget';
import type { Bindings } from '../exact/exact-value';
import { rational, type Rational } from '../exact/rational';
import { limits } from '../limits';
import type { Node } from '../node';
import { DoubleArithmetic } from './double-arithmetic';
import { Evaluator } from './evaluate';
import { EvaluationFailure } from './real-arithmetic';

/**
 * The value of an expression as a double; null where it is undefined, complex, not finite or not known to a single digit, or
 * where a symbol has no value.
 *
 * @throws BudgetExceeded
 */
export function evaluateReal(
  node: Node,
  values: ReadonlyMap<string, number>,
  budget: Budget = new Budget(limits.workUnits),
): number | null {
  if (node.kind === 'symbol') return values.get(node.name) ?? null;
  const exact = new Map<string, Rational>();
  const bindings: Bindings = (name) => {
    const known = exact.get(name);
    if (known) return known;
    const value = values.get(name);
    if (value === undefined || !Number.isFinite(value)) return null;
    const fraction = fromDouble(value);
    exact.set(name, fraction);
    return fraction;
  };
  try {
    const evaluator = new Evaluator(new DoubleArithmetic(budget), budget, bindings);
    const { re, im } = evaluator.evaluate(node);
    if (im !== null && Math.abs(im.value) > im.radius) return null;
    return re.radius <= Math.abs(re.value) / 2 || re.radius < 1e-9 ? re.value : null;
  } catch (error) {
    if (error instanceof EvaluationFailure) return null;
    throw error;
  }
}

/** The exact value of a finite double. */
function fromDouble(value: number): Rational {
  let scaled = value;
  let bits = 0;
  while (!Number.isInteger(scaled) && bits < 1100) {
    scaled *= 2;
    bits++;
  }
  return rational(BigInt(scaled), 1n << BigInt(bits));
}
