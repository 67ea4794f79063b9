/** `{x | x² = 4}` against `{-2, 2}`: the numbers are all roots, and simple ones, when the equation is ∏(x - root) = 0 times a constant. */
import { freeSymbols } from '../exact/tree';
import { constantRatio, isOneNumber } from '../numeric/constant-ratio';
import { equalExpressions } from '../numeric/equal-expressions';
import type { Node, SetBuilderNode } from '../node';
import { type Decision, every } from './decision';
import { minus, substitute, times } from './rewrite';
import type { CompareContext } from './types';

/** Beyond this degree products are not compared. */
const MAXIMUM_ROOTS = 12;

/** Null where the set is not given by one equation in its symbol, or the other side is no finite set of expressions. */
export function compareRoots(
  builder: SetBuilderNode,
  roots: readonly Node[],
  context: CompareContext,
): Decision | null {
  const { element, domain, condition } = builder;
  if (element.kind !== 'symbol' || condition?.kind !== 'relation' || condition.operators.join() !== '=') return null;
  if (domain !== null && !(domain.kind === 'namedSet' && (domain.name === 'reals' || domain.name === 'complexes')))
    return null;
  const symbols = [...freeSymbols(condition)];
  if (symbols.length !== 1 || symbols[0] !== element.name) return null;
  if (roots.length === 0 || roots.length > MAXIMUM_ROOTS) return null;
  // The set's own symbol is no number.
  if (roots.some((root) => freeSymbols(root).has(element.name))) return 'different';
  const [left, right] = condition.operands;
  // An identity and a contradiction have no finite number of roots.
  if (isOneNumber(minus(left, right), context)) return 'different';
  const linear = roots.map((root) => minus(element, root));
  const ratio = constantRatio(minus(left, right), linear.length === 1 ? linear[0] : times(...linear), context);
  // Both are 0 at the roots and, the factor being a constant other than 0, nowhere else.
  if (typeof ratio === 'object') return 'equal';
  const hold = every(roots, (root) => {
    const at = new Map([[element.name, root]]);
    return equalExpressions(substitute(left, at, context.budget), substitute(right, at, context.budget), context);
  });
  return hold === 'different' ? 'different' : 'undecided';
}
