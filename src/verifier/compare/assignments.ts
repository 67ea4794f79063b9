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

/** What a function of one letter is called: `P(x)` as `p(x)`, `f(x)` as `y`. Null for any other name. */
function functionName(name: Node): string | null {
  if (name.kind === 'symbol') return /^y'*$/.test(name.name) ? name.name : null;
  const isFunction = name.kind === 'application' && /^[A-Za-z]'*$/.test(name.name);
  if (!isFunction || name.arguments.length !== 1 || name.arguments[0].kind !== 'symbol') return null;
  return name.name.toLowerCase().replace(/^f/, 'y');
}

/** Whether two names are of one function of one variable: `f(x)` and `y`, `P(x)` and `p(x)`. */
function isSameFunction(a: Assignment, b: Assignment): boolean {
  const [left, right] = [functionName(a.name), functionName(b.name)];
  if (left === null || left !== right) return false;
  const names = [a, b].flatMap(({ name }) => (name.kind === 'application' ? [...freeSymbols(name.arguments[0])] : []));
  if (names.length === 2) return names[0] === names[1];
  // `y = x²` is f(x), not f(t).
  return [a, b].every(({ value }) => isConstant(value) || names.every((name) => freeSymbols(value).has(name)));
}

const ARBITRARY = /^(?:[A-DK]|[Cck]_?\d)$/;
/** More constants are not renamed. */
const MOST_CONSTANTS = 3;

function* permutations(names: readonly string[]): Generator<string[]> {
  if (names.length < 2) yield [...names];
  else
    for (const [index, first] of names.entries())
      for (const rest of permutations(names.filter((_, other) => other !== index))) yield [first, ...rest];
}

/** Solutions of a differential equation whose arbitrary constants have other names: `A + B/x` as `C + D/x`. */
function compareUpToConstants(a: Assignment, b: Assignment, context: CompareContext): boolean {
  if (functionName(a.name) === null) return false;
  const [left, right] = [freeSymbols(a.value), freeSymbols(b.value)];
  const [own, other] = [[...left].filter((name) => !right.has(name)), [...right].filter((name) => !left.has(name))];
  if (own.length === 0 || own.length !== other.length || own.length > MOST_CONSTANTS) return false;
  if (![...own, ...other].every((name) => ARBITRARY.test(name))) return false;
  for (const names of permutations(other)) {
    const renaming = new Map(own.map((name, index): [string, Node] => [name, { kind: 'symbol', name: names[index] }]));
    if (compareNodes(substitute(a.value, renaming, context.budget), b.value, context) === 'equal') return true;
  }
  return false;
}

/** Null where the names differ. */
export function compareAssignments(a: Assignment, b: Assignment, context: CompareContext): Decision | null {
  if (isSameName(a.name, b.name, context) || isSameFunction(a, b)) {
    const decision = compareNodes(a.value, b.value, context);
    return decision !== 'equal' && compareUpToConstants(a, b, context) ? 'equal' : decision;
  }
  const renamed = withArgumentOf(a, b, context);
  return renamed && compareNodes(renamed.value, b.value, context);
}
