/**
 * `a ± b` written out. Signs in one expression are independent, unless it has a `∓`: then all go together. Values that
 * coincide count once.
 */
import { equalExpressions } from '../numeric/equal-expressions';
import type { Node, PlusMinusNode } from '../node';
import { contains, mapChildren, negated } from './rewrite';
import type { CompareContext } from './types';

const MAXIMUM_VALUES = 8;

const isCollection = (node: Node): boolean => node.kind === 'list' || node.kind === 'set';

/** Every `±` outside nested lists and sets, which are written out on their own. */
function collect(node: Node, found: PlusMinusNode[]): void {
  if (node.kind === 'plusMinus') found.push(node);
  mapChildren(node, (child) => {
    if (!isCollection(child)) collect(child, found);
    return child;
  });
}

function withSigns(node: Node, plus: (sign: PlusMinusNode) => boolean): Node {
  if (isCollection(node)) return node;
  const rebuilt = mapChildren(node, (child) => withSigns(child, plus));
  if (node.kind !== 'plusMinus' || rebuilt.kind !== 'plusMinus') return rebuilt;
  const right = plus(node) !== node.flipped ? rebuilt.right : negated(rebuilt.right);
  return rebuilt.left === null ? right : { kind: 'sum', terms: [rebuilt.left, right] };
}

function withoutDuplicates(values: Node[], context: CompareContext): Node[] {
  const kept: Node[] = [];
  for (const value of values) {
    if (!kept.some((other) => equalExpressions(value, other, context) === 'equal')) kept.push(value);
  }
  return kept;
}

const SCALARS = /^(?:sum|product|quotient|power|root|negation|call|number)$/;

/** The values that an expression with `±` stands for; itself where it has none, or too many. */
export function expandPlusMinus(node: Node, context: CompareContext): Node[] {
  if (isCollection(node) || !contains(node, ({ kind }) => kind === 'plusMinus', context.budget)) return [node];
  const signs: PlusMinusNode[] = [];
  collect(node, signs);
  if (signs.length === 0) return [node];
  const tied = signs.some(({ flipped }) => flipped);
  const count = tied ? 2 : 2 ** signs.length;
  if (count > MAXIMUM_VALUES) return [node];
  const values: Node[] = [];
  for (let choice = 0; choice < count; choice++) {
    context.budget.spend(10);
    const plus = (sign: PlusMinusNode): boolean => ((choice >> (tied ? 0 : signs.indexOf(sign))) & 1) === 0;
    values.push(withSigns(node, plus));
  }
  return count > 2 && values.every(({ kind }) => SCALARS.test(kind)) ? withoutDuplicates(values, context) : values;
}
