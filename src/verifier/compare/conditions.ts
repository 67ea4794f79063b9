/**
 * Answers that describe which values are possible: relations, intervals, unions, memberships, set-builders. Where both sides
 * describe sets of real numbers these decide; elsewhere the forms are compared.
 */
import { StructureTable } from '../exact/structure';
import { freeSymbols } from '../exact/tree';
import type { MembershipNode, Node, RelationNode, SetBuilderNode } from '../node';
import { asAssignment } from './assignments';
import { compareCollections } from './collections';
import { compareNodes } from './compare-nodes';
import { type Decision, every, inOrder } from './decision';
import { matchUnordered } from './matching';
import { isName, isSameName } from './names';
import { compareRelations } from './relations';
import { substitute } from './rewrite';
import { compareRoots } from './roots';
import { compareAsSolutions, isScalar } from './solution-sets';
import type { CompareContext } from './types';

const isSet = ({ kind }: Node): boolean =>
  kind === 'interval' ||
  kind === 'setOperation' ||
  kind === 'namedSet' ||
  kind === 'setBuilder' ||
  kind === 'membership';

/** An equation or congruence to be solved. */
const isEquation = (node: Node): boolean =>
  node.kind === 'relation' &&
  asAssignment(node) === null &&
  node.operators.every((operator) => operator === '=' || operator === '≈' || operator === '≡');

/** Whether a node describes possible values; statements `name = value` alone do not. */
export function isCondition(node: Node): boolean {
  if (node.kind === 'relation') return asAssignment(node) === null;
  if (node.kind !== 'list') return isSet(node);
  const conditions = node.items.filter(isCondition).length;
  return conditions > 0 && (node.or || node.items.every(({ kind }) => kind === 'relation' || kind === 'membership'));
}

/** A name that no answer has: a bound symbol must not become one that is free in the other description. */
const BOUND: Node = { kind: 'symbol', name: '□' };

/** Set-builders as written, whatever their bound symbols are called. */
function compareBuilders(a: SetBuilderNode, b: SetBuilderNode, context: CompareContext): Decision {
  const compare = (x: Node | null, y: Node | null): Decision => {
    if (x === null || y === null) return x === y ? 'equal' : 'different';
    return compareNodes(x, y, context);
  };
  const [left, right] = [a, b].map((builder) => {
    const symbol = boundSymbol(builder);
    const parts = [builder.element, builder.domain, builder.condition];
    if (symbol === null) return parts;
    const renaming = new Map([[symbol, BOUND]]);
    return parts.map((part) => part && substitute(part, renaming, context.budget));
  });
  const decision = inOrder(left, right, compare);
  // Two descriptions may differ and still be of one set.
  return decision === 'different' ? 'undecided' : decision;
}

/** The symbol that runs through a set-builder, where there is a single one. */
function boundSymbol({ element, condition }: SetBuilderNode): string | null {
  const names = [...freeSymbols(element)];
  const bound =
    condition?.kind === 'membership' && condition.element.kind === 'symbol' ? condition.element.name : names[0];
  return names.includes(bound) ? bound : null;
}

/** `x ∈ A` names the set A; `3 ∈ A` and `x ∈ 5` name none. */
const saysWhere = ({ element, set, negated }: MembershipNode): boolean =>
  !negated && isName(element) && (!isScalar(set) || set.kind === 'symbol');

/** Sets that are no unions of real intervals: named, built, or made of such. */
function compareForms(a: Node, b: Node, context: CompareContext): Decision {
  // Written the same, and so the same set, whatever it is.
  if (new StructureTable(context.budget).same(a, b)) return 'equal';
  if (a.kind === 'membership' && b.kind === 'membership') {
    if (a.negated !== b.negated) return 'different';
    if (isName(a.element) && isName(b.element) && !isSameName(a.element, b.element, context)) return 'different';
    return every([[a.element, b.element] as const, [a.set, b.set] as const], ([x, y]) => compareNodes(x, y, context));
  }
  if (a.kind === 'membership') return saysWhere(a) ? compareNodes(a.set, b, context) : 'different';
  if (b.kind === 'membership') return saysWhere(b) ? compareNodes(a, b.set, context) : 'different';
  if (a.kind === 'namedSet' && b.kind === 'namedSet') return a.name === b.name ? 'equal' : 'different';
  if (a.kind === 'interval' && b.kind === 'interval') {
    if (a.lowerClosed !== b.lowerClosed || a.upperClosed !== b.upperClosed) return 'different';
    return inOrder([a.lower, a.upper], [b.lower, b.upper], (x, y) => compareNodes(x, y, context));
  }
  if (a.kind === 'setBuilder' && b.kind === 'setBuilder') return compareBuilders(a, b, context);
  if (a.kind === 'setOperation' && b.kind === 'setOperation' && a.operator === b.operator) {
    const compare = (x: Node, y: Node): Decision => compareNodes(x, y, context);
    const decision =
      a.operator === 'difference'
        ? inOrder(a.operands, b.operands, compare)
        : matchUnordered(a.operands, b.operands, compare, context);
    return decision === 'different' ? 'undecided' : decision;
  }
  const opaque = [a, b].every((node) => isSet(node) || node.kind === 'set' || node.kind === 'list');
  return opaque && [a, b].some(({ kind }) => kind === 'setBuilder' || kind === 'setOperation')
    ? 'undecided'
    : 'different';
}

/** A set-builder against the roots of its equation. */
function compareWithRoots(builder: Node, roots: Node, context: CompareContext): Decision | null {
  if (builder.kind !== 'setBuilder') return null;
  const numbers = roots.kind === 'set' || roots.kind === 'list' ? roots.items : [roots];
  return numbers.every(isScalar) ? compareRoots(builder, numbers, context) : null;
}

/** Relations of two operands that a chain, or a list of chains, is made of. */
function linksOf(node: Node): RelationNode[] | null {
  if (node.kind === 'list') {
    const parts = node.or ? [] : node.items.map(linksOf);
    return parts.length > 0 && parts.every((part) => part !== null) ? parts.flat() : null;
  }
  if (node.kind !== 'relation') return null;
  return node.operators.map((operator, index) => ({
    kind: 'relation',
    operands: node.operands.slice(index, index + 2),
    operators: [operator],
  }));
}

/** `1 < x < 2 < y` as `1 < x < 2, y > 2`: a chain in several unknowns and the list of its links. */
function sameChain(chain: Node, list: Node, context: CompareContext): boolean {
  if (chain.kind !== 'relation' || chain.operators.length < 2 || list.kind !== 'list') return false;
  if (freeSymbols(chain).size < 2) return false;
  const [left, right] = [linksOf(chain), linksOf(list)];
  if (left === null || right?.length !== left.length) return false;
  return matchUnordered(left, right, (x, y) => compareRelations(x, y, context), context) === 'equal';
}

/** Compares two nodes of which at least one is a condition. */
export function compareConditions(a: Node, b: Node, context: CompareContext): Decision {
  if (a.kind === 'relation' && b.kind === 'relation') {
    const written = compareRelations(a, b, context);
    if (written === 'equal' || isEquation(a) || isEquation(b)) return written;
    // Only of one unknown are the solutions a set of numbers.
    const unknowns = new Set([...freeSymbols(a), ...freeSymbols(b)]);
    return (unknowns.size === 1 ? compareAsSolutions(a, b, context) : null) ?? written;
  }
  if (sameChain(a, b, context) || sameChain(b, a, context)) return 'equal';
  const [statement, other] = isCondition(a) ? [asAssignment(b), a] : [asAssignment(a), b];
  if (statement && !isScalar(statement.value)) return compareNodes(statement.value, other, context);
  if (isEquation(a) || isEquation(b))
    return a.kind === 'list' || b.kind === 'list' ? compareCollections(a, b, context) : 'different';
  const decision = compareAsSolutions(a, b, context);
  if (decision !== null && decision !== 'undecided') return decision;
  const found = compareWithRoots(a, b, context) ?? compareWithRoots(b, a, context);
  if (found !== null) return found;
  const written =
    a.kind === 'list' || b.kind === 'list' ? compareCollections(a, b, context) : compareForms(a, b, context);
  return decision === 'undecided' && written === 'different' ? 'undecided' : written;
}
