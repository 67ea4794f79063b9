/**
 * Collections without order. What is the same in structure cancels first, so that the pairs compared in full are few; what
 * remains is matched as a bipartite graph, since equality of decimals is not transitive and a greedy choice could fail.
 */
import { BudgetExceeded } from '../budget';
import { exactValue } from '../exact/exact-value';
import { StructureTable } from '../exact/structure';
import { limits } from '../limits';
import { evaluateReal } from '../numeric/equal-expressions';
import type { Node } from '../node';
import { type Decision, every, some } from './decision';
import { isExactNumber } from './rewrite';
import type { CompareContext } from './types';

type Compare<T> = (a: T, b: T) => Decision;

/** From this many items on, approximate values rule out most pairs. */
const MANY = 7;

/** Beyond what decimals may differ by and still be equal. */
const FAR = 1e-4;

/** What has one value only; a percentage, say, has two. */
const ARITHMETIC = /^(?:number|constant|sum|product|quotient|negation|power|root|call)$/;

/** Decisions on all pairs, made when asked for and kept. */
function memoized<T>(
  a: readonly T[],
  b: readonly T[],
  compare: Compare<T>,
  context: CompareContext,
): (i: number, j: number) => Decision {
  const known = new Map<number, Decision>();
  return (i, j) => {
    const key = i * b.length + j;
    let decision = known.get(key);
    if (decision === undefined) {
      context.budget.spend(1);
      decision = compare(a[i], b[j]);
      known.set(key, decision);
    }
    return decision;
  };
}

/** Whether each of n items can have a partner of its own (augmenting paths). */
function hasPerfectMatching(n: number, fits: (i: number, j: number) => boolean, context: CompareContext): boolean {
  const partner = Array<number>(n).fill(-1);
  const seat = (i: number, visited: Set<number>): boolean => {
    for (let step = 0; step < n; step++) {
      // The item at the same place first: most answers keep the order.
      const j = (i + step) % n;
      context.budget.spend(0.1);
      if (visited.has(j) || !fits(i, j)) continue;
      visited.add(j);
      if (partner[j] < 0 || seat(partner[j], visited)) {
        partner[j] = i;
        return true;
      }
    }
    return false;
  };
  for (let i = 0; i < n; i++) if (!seat(i, new Set())) return false;
  return true;
}

/** One to one in any order. */
export function matchUnordered<T>(
  a: readonly T[],
  b: readonly T[],
  compare: Compare<T>,
  context: CompareContext,
): Decision {
  if (a.length !== b.length) return 'different';
  refuseMany(a.length);
  const decide = memoized(a, b, compare, context);
  if (hasPerfectMatching(a.length, (i, j) => decide(i, j) === 'equal', context)) return 'equal';
  return hasPerfectMatching(a.length, (i, j) => decide(i, j) !== 'different', context) ? 'undecided' : 'different';
}

function refuseMany(count: number): void {
  if (count > limits.unorderedItems) throw new BudgetExceeded('a collection has too many items');
}

/** What tells items apart without a comparison: the same key means equal. */
function keyOf(node: Node, table: StructureTable, context: CompareContext): string {
  if (node.kind === 'number') {
    context.budget.spend(0.2);
    return `${node.value.numerator}/${node.value.denominator}`;
  }
  const value = ARITHMETIC.test(node.kind) ? exactValue(node, context.budget) : null;
  return value === null ? `#${table.id(node)}` : `${value.numerator}/${value.denominator}`;
}

/** Takes out what stands on both sides; each item of one side at most once. */
function cancel(a: readonly Node[], b: readonly Node[], context: CompareContext): [Node[], Node[]] {
  const table = new StructureTable(context.budget);
  const waiting = new Map<string, Node[]>();
  for (const item of b) {
    const key = keyOf(item, table, context);
    const same = waiting.get(key);
    if (same) same.push(item);
    else waiting.set(key, [item]);
  }
  const rest = a.filter((item) => waiting.get(keyOf(item, table, context))?.pop() === undefined);
  return [rest, [...waiting.values()].flat()];
}

/** Rules out pairs by what is known of the items without a comparison. */
function prefiltered(compare: Compare<Node>, count: number, context: CompareContext): Compare<Node> {
  const values = new Map<Node, number | null>();
  const valueOf = (node: Node): number | null => {
    if (!ARITHMETIC.test(node.kind)) return null;
    const known = values.get(node);
    if (known !== undefined) return known;
    const value = evaluateReal(node, new Map(), context.budget);
    values.set(node, value);
    return value;
  };
  return (a, b) => {
    if (isExactNumber(a) && isExactNumber(b)) return 'different';
    if (count >= MANY) {
      const [x, y] = [valueOf(a), valueOf(b)];
      const known = x !== null && y !== null && Number.isFinite(x) && Number.isFinite(y);
      if (known && Math.abs(x - y) > FAR * Math.max(1, Math.abs(x), Math.abs(y))) return 'different';
    }
    return compare(a, b);
  };
}

/** The same items as often, in any order. @throws BudgetExceeded beyond `limits.unorderedItems`. */
export function sameBag(
  a: readonly Node[],
  b: readonly Node[],
  compare: Compare<Node>,
  context: CompareContext,
): Decision {
  if (a.length !== b.length) return 'different';
  const [left, right] = cancel(a, b, context);
  return matchUnordered(left, right, prefiltered(compare, left.length, context), context);
}

/** Every item has an equal on the other side, however often it stands there. */
export function coverEachOther<T>(
  a: readonly T[],
  b: readonly T[],
  compare: Compare<T>,
  context: CompareContext,
): Decision {
  refuseMany(Math.max(a.length, b.length));
  const decide = memoized(a, b, compare, context);
  return every([0, 1], (side) => {
    const [items, others] = side === 0 ? [a, b] : [b, a];
    return every(items.keys(), (i) => some(others.keys(), (j) => (side === 0 ? decide(i, j) : decide(j, i))));
  });
}

/** The same items, in any order, however often. @throws BudgetExceeded beyond `limits.unorderedItems`. */
export function sameSet(
  a: readonly Node[],
  b: readonly Node[],
  compare: Compare<Node>,
  context: CompareContext,
): Decision {
  const table = new StructureTable(context.budget);
  const unique = (items: readonly Node[]): Map<string, Node> =>
    new Map(items.map((item) => [keyOf(item, table, context), item]));
  const [left, right] = [unique(a), unique(b)];
  const only = (from: Map<string, Node>, other: Map<string, Node>): Node[] =>
    [...from].filter(([id]) => !other.has(id)).map(([, item]) => item);
  const sides = [
    { items: only(left, right), others: right },
    { items: only(right, left), others: left },
  ];
  const count = Math.max(...sides.map(({ items }) => items.length));
  refuseMany(count);
  const decide = prefiltered(compare, count, context);
  return every(sides, ({ items, others }) =>
    every(items, (item) =>
      some(others.values(), (other) => {
        context.budget.spend(1);
        return decide(item, other);
      }),
    ),
  );
}
