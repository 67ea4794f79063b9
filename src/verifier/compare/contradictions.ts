/** Chains of equalities that are false, such as `1 = 2 = 3`: they state no value, though each of their sides would be one. */
import { StructureTable } from '../exact/structure';
import { freeSymbols } from '../exact/tree';
import { evaluateReal } from '../numeric/equal-expressions';
import type { Node, RelationNode } from '../node';
import type { Decision } from './decision';
import { isName } from './names';
import { contains } from './rewrite';
import type { CompareContext } from './types';

/** Sides further apart than careless rounding, as in `1/3 = 0.33`, are different numbers. */
const ROUNDING = 0.02;

/** The value of a side that is a plain number; null for anything with symbols or units. */
function valueOf(node: Node, { budget }: CompareContext): number | null {
  return freeSymbols(node).size > 0 ? null : evaluateReal(node, new Map(), budget);
}

/** A slip in the working of `x = 5 + 5 + 1 = 7 = 11` leaves what it states; a row of numbers, `x = 1 = 2 = 3`, has no working. */
const isWorking = ({ operands: [name, ...values] }: RelationNode): boolean =>
  isName(name) && values.some(({ kind }) => kind !== 'number');

function isFalse(node: Node, context: CompareContext): boolean {
  if (node.kind !== 'relation' || !node.operators.every((operator) => operator === '=' || operator === '≈'))
    return false;
  if (isWorking(node)) return false;
  const values = node.operands.map((operand) => valueOf(operand, context)).filter((value) => value !== null);
  return values.some((value, index) => {
    const last = index === 0 ? value : values[index - 1];
    return Math.abs(value - last) > ROUNDING * Math.max(Math.abs(value), Math.abs(last));
  });
}

/** No relation is inside one of these. */
const SCALAR = /^(?:number|symbol|constant|sum|product|quotient|negation|power|root|percent|degrees|quantity|text)$/;

/** Where one of the answers holds a false equality it equals only what is written the same; null where both are free of them. */
export function compareContradictions(a: Node, b: Node, context: CompareContext): Decision | null {
  const holds = [a, b].some(
    (node) => !SCALAR.test(node.kind) && contains(node, (part) => isFalse(part, context), context.budget),
  );
  if (!holds) return null;
  return new StructureTable(context.budget).same(a, b) ? 'equal' : 'different';
}
