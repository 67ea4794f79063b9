/**
 * Sets of real numbers as unions of intervals and points, with exact ends. Single intervals may have symbols in their ends;
 * whatever needs the order of ends that cannot be ordered throws `Incomparable`.
 */
import { compareReals, equalExpressions } from '../numeric/equal-expressions';
import type { Node } from '../node';
import { type Decision, inOrder } from './decision';
import type { CompareContext } from './types';

/** An end is null where the piece is infinite; infinite ends are open. */
export interface Piece {
  lower: Node | null;
  upper: Node | null;
  lowerClosed: boolean;
  upperClosed: boolean;
}

/** Pieces from left to right that neither overlap nor touch. */
export type RealSet = readonly Piece[];

/** Thrown where the order of two ends cannot be told. Caught where a comparison of sets starts. */
export class Incomparable extends Error {}

export const reals: RealSet = [{ lower: null, upper: null, lowerClosed: false, upperClosed: false }];

export const point = (at: Node): Piece => ({ lower: at, upper: at, lowerClosed: true, upperClosed: true });

export const above = (end: Node, closed: boolean): Piece => ({
  lower: end,
  upper: null,
  lowerClosed: closed,
  upperClosed: false,
});

export const below = (end: Node, closed: boolean): Piece => ({
  lower: null,
  upper: end,
  lowerClosed: false,
  upperClosed: closed,
});

export class RealSets {
  constructor(private readonly context: CompareContext) {}

  /** Negative, zero or positive; a decimal that is an end to six digits counts as that end. */
  private order(a: Node, b: Node): number {
    this.context.budget.spend(1);
    if (a === b) return 0;
    const order = compareReals(a, b, this.context);
    if (order !== null) return order;
    if (equalExpressions(a, b, this.context) === 'equal') return 0;
    throw new Incomparable();
  }

  /** Where the ends cannot be ordered a piece counts as one with numbers in it. */
  isEmpty({ lower, upper, lowerClosed, upperClosed }: Piece): boolean {
    if (lower === null || upper === null || lower === upper) return false;
    const order = compareReals(lower, upper, this.context);
    return order !== null && (order > 0 || (order === 0 && !(lowerClosed && upperClosed)));
  }

  private compareLower(a: Piece, b: Piece): number {
    if (a.lower === null || b.lower === null) return Number(b.lower === null) - Number(a.lower === null);
    return this.order(a.lower, b.lower) || Number(b.lowerClosed) - Number(a.lowerClosed);
  }

  private compareUpper(a: Piece, b: Piece): number {
    if (a.upper === null || b.upper === null) return Number(a.upper === null) - Number(b.upper === null);
    return this.order(a.upper, b.upper) || Number(a.upperClosed) - Number(b.upperClosed);
  }

  /** Whether nothing lies between the end of a and the start of b, which starts no earlier than a. */
  private touches(a: Piece, b: Piece): boolean {
    if (a.upper === null || b.lower === null) return true;
    const order = this.order(a.upper, b.lower);
    return order > 0 || (order === 0 && (a.upperClosed || b.lowerClosed));
  }

  union(pieces: readonly Piece[]): RealSet {
    const sorted = pieces.filter((piece) => !this.isEmpty(piece)).sort((a, b) => this.compareLower(a, b));
    const result: Piece[] = [];
    for (const piece of sorted) {
      const last = result.at(-1);
      if (last === undefined || !this.touches(last, piece)) {
        result.push({ ...piece });
      } else if (this.compareUpper(piece, last) > 0) {
        last.upper = piece.upper;
        last.upperClosed = piece.upperClosed;
      }
    }
    return result;
  }

  intersection(a: RealSet, b: RealSet): RealSet {
    const pieces = a.flatMap((left) =>
      b.map((right): Piece => {
        this.context.budget.spend(1);
        const lower = this.compareLower(left, right) >= 0 ? left : right;
        const upper = this.compareUpper(left, right) <= 0 ? left : right;
        return {
          lower: lower.lower,
          lowerClosed: lower.lowerClosed,
          upper: upper.upper,
          upperClosed: upper.upperClosed,
        };
      }),
    );
    return this.union(pieces);
  }

  complement(set: RealSet): RealSet {
    const gaps: Piece[] = [];
    let gap: Piece | null = { ...reals[0] };
    for (const { lower, upper, lowerClosed, upperClosed } of set) {
      if (lower !== null) gaps.push({ ...gap!, upper: lower, upperClosed: !lowerClosed });
      gap = upper === null ? null : above(upper, !upperClosed);
    }
    if (gap !== null) gaps.push(gap);
    return gaps;
  }

  difference(a: RealSet, b: RealSet): RealSet {
    return this.intersection(a, this.complement(b));
  }

  /** Ends compare as answers do: a decimal may stand for an exact value. */
  // Pieces neither overlap nor touch, so equal sets have the same pieces.
  same(a: RealSet, b: RealSet): Decision {
    const sameEnd = (x: Node | null, y: Node | null): Decision => {
      if (x === null || y === null) return x === y ? 'equal' : 'different';
      return equalExpressions(x, y, this.context);
    };
    return inOrder(a, b, (x, y) => {
      if (x.lowerClosed !== y.lowerClosed || x.upperClosed !== y.upperClosed) return 'different';
      return inOrder([x.lower, x.upper], [y.lower, y.upper], sameEnd);
    });
  }

  /** Whether a number is in the set. */
  has(set: RealSet, at: Node): boolean {
    return set.some(({ lower, upper, lowerClosed, upperClosed }) => {
      if (lower !== null && this.order(lower, at) >= (lowerClosed ? 1 : 0)) return false;
      return upper === null || this.order(at, upper) < (upperClosed ? 1 : 0);
    });
  }
}
