/**
 * Equality of two expressions. In the order of their cost: structure; exact rational values; residues modulo primes; balls of
 * doubles, which can only show a difference; balls of higher precision. `different` is proved, `equal` holds but for
 * coincidences of more than fifty digits.
 */
import type { CompareContext } from '../compare/types';
import { exactValue } from '../exact/exact-value';
import { equals } from '../exact/rational';
import { StructureTable } from '../exact/structure';
import type { Node } from '../node';
import { compareApproximately, isApproximate, leastDigits } from './approximate';
import { compareResidues } from './compare-residues';
import { compareValues } from './compare-samples';
import { type Verdict, verdictOrUndecided } from './compare-values';
import { infiniteSign } from './infinite';
import { classifySymbols } from './symbol-classes';

export { exactValue } from '../exact/exact-value';
export { freeSymbols } from '../exact/tree';
export { compareReals } from './compare-reals';
export { evaluateReal } from './evaluate-real';

/**
 * Whether two expressions have the same value wherever both have one. Symbols are real, of both signs unless they stand under
 * an even root, in a logarithm or as the base of a fractional power; in factorials and the like they are positive integers.
 * `undecided` for nodes that are no expressions, values out of reach and differences that cannot be told from 0.
 *
 * @throws BudgetExceeded
 */
export function equalExpressions(a: Node, b: Node, context: CompareContext): Verdict {
  const { budget } = context;
  if (a.kind === 'number' && b.kind === 'number' && !isApproximate(a) && !isApproximate(b)) {
    budget.spend(0.5);
    return equals(a.value, b.value) ? 'equal' : 'different';
  }
  const structure = new StructureTable(budget);
  // The same tree is the same value, and the same nonsense where it has none.
  if (structure.same(a, b)) return 'equal';
  const digits = leastDigits([a, b], budget);
  const left = exactValue(a, budget);
  const right = left && exactValue(b, budget);
  if (right) {
    if (equals(left, right)) return 'equal';
    if (digits === null) return 'different';
  }
  const infinite = compareInfinite(a, b, context);
  if (infinite) return infinite;
  if (digits !== null) {
    const classes = classifySymbols([a, b], budget);
    return verdictOrUndecided(() => compareApproximately({ a, b, classes, structure, budget }, digits));
  }
  const formal = compareResidues(a, b, structure, budget);
  if (formal !== 'unknown') return formal;
  return compareValues({ a, b, classes: classifySymbols([a, b], budget), structure, budget });
}

function compareInfinite(a: Node, b: Node, { budget }: CompareContext): Verdict | null {
  const left = infiniteSign(a, budget);
  const right = infiniteSign(b, budget);
  if (left === 0 && right === 0) return null;
  if (left === null || right === null) return 'undecided';
  return left === right ? 'equal' : 'different';
}
