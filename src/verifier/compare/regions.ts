/**
 * Sets of real numbers given by conditions: pieces where a condition bounds its variable directly, predicates (`x² < 4`) where it
 * does not, and unions, intersections and complements of them.
 */
import { rational } from '../exact/rational';
import { compareReals, evaluateReal } from '../numeric/equal-expressions';
import type { Node, RelationNode, RelationOperator } from '../node';
import { type Piece, type RealSet, RealSets } from './real-sets';
import { number, substitute } from './rewrite';
import type { CompareContext } from './types';

export interface Predicate {
  kind: 'predicate';
  relation: RelationNode;
  variable: string;
}

export type Region =
  | { kind: 'pieces'; pieces: RealSet }
  | Predicate
  | { kind: 'not'; operand: Region }
  | { kind: 'and' | 'or'; operands: Region[] };

export const both = (a: Region, b: Region): Region => ({ kind: 'and', operands: [a, b] });

/** Of a predicate null: its pieces are unknown. @throws Incomparable */
export function piecesOf(region: Region, sets: RealSets): RealSet | null {
  switch (region.kind) {
    case 'pieces':
      return sets.union(region.pieces);
    case 'predicate':
      return null;
    case 'not': {
      const pieces = piecesOf(region.operand, sets);
      return pieces && sets.complement(pieces);
    }
    default: {
      const parts = region.operands.map((operand) => piecesOf(operand, sets));
      if (!parts.every((part) => part !== null)) return null;
      if (region.kind === 'or') return sets.union(parts.flat());
      return parts.slice(1).reduce<RealSet>((left, right) => sets.intersection(left, right), parts[0]);
    }
  }
}

/** Whether `order` (negative, zero or positive) satisfies an operator. */
export function satisfies(operator: RelationOperator, order: number): boolean {
  switch (operator) {
    case '<':
      return order < 0;
    case '≤':
      return order <= 0;
    case '>':
      return order > 0;
    case '≥':
      return order >= 0;
    case '≠':
      return order !== 0;
    default:
      return order === 0;
  }
}

/** Combines what the leaves say; null, for unknown, where it matters. */
export function combine(
  region: Region,
  leaf: (leaf: Predicate | { kind: 'pieces'; pieces: RealSet }) => boolean | null,
): boolean | null {
  switch (region.kind) {
    case 'pieces':
    case 'predicate':
      return leaf(region);
    case 'not': {
      const inside = combine(region.operand, leaf);
      return inside === null ? null : !inside;
    }
    default: {
      const decisive = region.kind === 'or';
      let unknown = false;
      for (const operand of region.operands) {
        const inside = combine(operand, leaf);
        if (inside === decisive) return decisive;
        if (inside === null) unknown = true;
      }
      return unknown ? null : !decisive;
    }
  }
}

/** Whether the region holds a number given exactly; null where that cannot be told. A relation holds only where it is defined. */
export function holdsExactly(region: Region, at: Node, sets: RealSets, context: CompareContext): boolean | null {
  return combine(region, (leaf) => {
    if (leaf.kind === 'pieces') return sets.has(leaf.pieces, at);
    const operands = leaf.relation.operands.map((operand) =>
      substitute(operand, new Map([[leaf.variable, at]]), context.budget),
    );
    let unknown = false;
    for (const [index, operator] of leaf.relation.operators.entries()) {
      const order = compareReals(operands[index], operands[index + 1], context);
      if (order !== null && !satisfies(operator, order)) return false;
      if (order !== null) continue;
      const defined = [operands[index], operands[index + 1]].every((operand) =>
        Number.isFinite(evaluateReal(operand, new Map(), context.budget)),
      );
      if (!defined) return false;
      unknown = true;
    }
    return unknown ? null : true;
  });
}

/** The exact value of a finite double. */
export function exactNode(value: number): Node {
  let scaled = value;
  let denominator = 1n;
  for (; !Number.isInteger(scaled); scaled *= 2) denominator *= 2n;
  return number(rational(BigInt(scaled), denominator));
}

/** Values nearer to each other than this share of their size are not told apart by doubles. */
const ROUNDING = 1e-11;

function relationHolds({ relation, variable }: Predicate, at: number, context: CompareContext): boolean | null {
  const point = new Map([[variable, at]]);
  const values = relation.operands.map((operand) => evaluateReal(operand, point, context.budget));
  for (const [index, operator] of relation.operators.entries()) {
    const [left, right] = [values[index], values[index + 1]];
    if (left === null || right === null) return null;
    if (Math.abs(left - right) <= ROUNDING * Math.max(Math.abs(left), Math.abs(right)))
      return holdsExactly({ kind: 'predicate', relation, variable }, exactNode(at), new RealSets(context), context);
    if (!satisfies(operator, left - right)) return false;
  }
  return true;
}

export function isInside({ lower, upper }: Piece, at: number, context: CompareContext): boolean | null {
  const from = lower === null ? -Infinity : evaluateReal(lower, new Map(), context.budget);
  const to = upper === null ? Infinity : evaluateReal(upper, new Map(), context.budget);
  return from === null || to === null ? null : from < at && at < to;
}

/** Whether the region holds a number that is no end of it; null where an end or a side of a relation has no value. */
export function holds(region: Region, at: number, context: CompareContext): boolean | null {
  return combine(region, (leaf) => {
    context.budget.spend(0.5);
    if (leaf.kind === 'predicate') return relationHolds(leaf, at, context);
    let unknown = false;
    for (const piece of leaf.pieces) {
      const inside = isInside(piece, at, context);
      if (inside) return true;
      if (inside === null) unknown = true;
    }
    return unknown ? null : false;
  });
}

/** How far apart two sides of a relation are at a point, with a sign; null where one has no value. */
export function distances({ relation, variable }: Predicate, at: number, context: CompareContext): number[] | null {
  const point = new Map([[variable, at]]);
  const values = relation.operands.map((operand) => evaluateReal(operand, point, context.budget));
  if (!values.every((value) => value !== null)) return null;
  return values.slice(1).map((value, index) => values[index] - value);
}

/** Leaves of a region. */
export function leavesOf(region: Region): (Predicate | { kind: 'pieces'; pieces: RealSet })[] {
  if (region.kind === 'pieces' || region.kind === 'predicate') return [region];
  return (region.kind === 'not' ? [region.operand] : region.operands).flatMap(leavesOf);
}

/** Finite ends of pieces, without repetition of the same node. */
export function endsOf(...regions: Region[]): Node[] {
  const ends = new Set<Node>();
  for (const leaf of regions.flatMap(leavesOf)) {
    if (leaf.kind === 'pieces')
      for (const { lower, upper } of leaf.pieces) for (const end of [lower, upper]) if (end) ends.add(end);
  }
  return [...ends];
}
