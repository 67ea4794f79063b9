/**
 * Statements `name = value`. A chain such as `x = 5 + 6 = 11 ≈ 11.0` states its last exact value; against a bare value the name
 * does not count, against another statement it must be the same.
 */
import { freeSymbols } from '../exact/tree';
import type { Node, RelationNode } from '../node';
import { compareNodes } from './compare-nodes';
import type { Decision } from './decision';
import { isName, isSameName } from './names';
import { substitute } from './rewrite';
import type { CompareContext } from './types';

export interface Assignment {
  name: Node;
  value: Node;
}

const isModulo = (node: Node): boolean => node.kind === 'call' && node.name === 'mod';

/** Whether only `=` and `≈` stand in it. */
const isChainOfEqualities = ({ operators }: RelationNode): boolean =>
  operators.every((operator) => operator === '=' || operator === '≈');

/** The last value before an `≈`, the first operand left aside. */
function lastExact({ operands, operators }: RelationNode): Node {
  const approximate = operators.indexOf('≈', 1);
  return operands[approximate < 0 ? operands.length - 1 : approximate];
}

/** `x = x² - 2` says nothing of what x is. */
const refersToItself = (name: Node, value: Node): boolean =>
  name.kind === 'symbol' && freeSymbols(value).has(name.name);

/** The statement that a relation makes, if it is one; also `3 = x`. */
export function asAssignment(node: Node): Assignment | null {
  if (node.kind !== 'relation' || !isChainOfEqualities(node)) return null;
  const { operands } = node;
  if (isModulo(operands[operands.length - 1])) return null;
  if (isName(operands[0])) {
    const value = lastExact(node);
    return refersToItself(operands[0], value) ? null : { name: operands[0], value };
  }
  const [value, name] = operands;
  if (operands.length !== 2 || !isName(name) || refersToItself(name, value)) return null;
  return { name, value };
}

const isConstant = (node: Node): boolean => freeSymbols(node).size === 0;

/** The value that a chain without a name states: `5 + 6 = 11` is 11, `√2 ≈ 1.41` is √2. Null for an equation to be solved. */
export function statedValue(node: RelationNode): Node | null {
  if (!isChainOfEqualities(node) || isModulo(node.operands[node.operands.length - 1])) return null;
  const { operands, operators } = node;
  if (operators[0] === '≈' && operands.length === 2 && !isName(operands[0])) return operands[0];
  if (!operands.every(isConstant)) return null;
  return operators[0] === '≈' ? operands[0] : lastExact(node);
}

/** Letters that stand for any argument of a function rather than for one value. */
const DUMMY = /^[kmnstuvwxyz]$/;

/** The same function with the argument of another: `f(n) = 2n` as `f(x) = 2x`. */
function withArgumentOf(a: Assignment, b: Assignment, context: CompareContext): Assignment | null {
  const [from, to] = [a.name, b.name];
  if (from.kind !== 'application' || to.kind !== 'application') return null;
  if (from.name !== to.name || from.arguments.length !== to.arguments.length) return null;
  const values = new Map<string, Node>();
  const targets = new Set<string>();
  for (const [index, argument] of from.arguments.entries()) {
    const other = to.arguments[index];
    if (argument.kind !== 'symbol' || other.kind !== 'symbol') return null;
    if (!DUMMY.test(argument.name) || !DUMMY.test(other.name)) return null;
    values.set(argument.name, other);
    targets.add(other.name);
  }
  if (values.size !== from.arguments.length || targets.size !== values.size) return null;
  // A letter that is free here would be captured, or was.
  for (const name of freeSymbols(b.value)) if (values.has(name) && !targets.has(name)) return null;
  for (const name of freeSymbols(a.value)) if (targets.has(name) && !values.has(name)) return null;
  return { name: to, value: substitute(a.value, values, context.budget) };
}

/** Null where the names differ. */
export function compareAssignments(a: Assignment, b: Assignment, context: CompareContext): Decision | null {
  if (isSameName(a.name, b.name, context)) return compareNodes(a.value, b.value, context);
  const renamed = withArgumentOf(a, b, context);
  return renamed && compareNodes(renamed.value, b.value, context);
}
