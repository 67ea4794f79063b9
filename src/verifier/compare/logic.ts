/** Statements of logic, compared as written; the order of `∧` and `∨` and of the sides of `⇔` does not count. */
import type { Node } from '../node';
import { compareNodes } from './compare-nodes';
import { type Decision, inOrder } from './decision';
import { matchUnordered } from './matching';
import type { CompareContext } from './types';

/** Null where neither side is a statement of logic. A statement is never a value, nor a list of its parts. */
export function compareLogic(a: Node, b: Node, context: CompareContext): Decision | null {
  if (a.kind !== 'logic' && b.kind !== 'logic') return null;
  if (a.kind !== 'logic' || b.kind !== 'logic' || a.operator !== b.operator) return 'different';
  const compare = (x: Node, y: Node): Decision => compareNodes(x, y, context);
  return /[∧∨⇔]/.test(a.operator)
    ? matchUnordered(a.operands, b.operands, compare, context)
    : inOrder(a.operands, b.operands, compare);
}
