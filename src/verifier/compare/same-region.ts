/**
 * Whether two sets of real numbers are the same. Unions of intervals and relations of rational functions compare exactly. Other
 * predicates are tried: exactly at the known ends of either side, just beside them, at fixed points of many sizes, and beside
 * each place where one side changes. What agrees everywhere counts as equal, unless the two sides of a relation touch somewhere
 * without crossing: that may be a hole. Open and closed ends that no known end decides make it undecided.
 */
import { evaluateReal } from '../numeric/equal-expressions';
import type { Node } from '../node';
import type { Decision } from './decision';
import { compareExactly } from './exact-regions';
import { Incomparable, RealSets } from './real-sets';
import {
  distances,
  endsOf,
  exactNode,
  holds,
  holdsExactly,
  leavesOf,
  piecesOf,
  type Predicate,
  type Region,
} from './regions';
import type { CompareContext } from './types';

/** Relative distance of "just beside". */
const BESIDE = 1e-7;

const RANDOM_POINTS = 20;
/** Agreement at fewer says nothing. */
const LEAST_POINTS = 8;
/** Beyond this a relation without value tells nothing. */
const NEAR = 50;
const MAXIMUM_DOUBTS = 4;
const BISECTIONS = 32;
const MAXIMUM_CHANGES = 12;

/** Steps towards the place where two sides come closest, each by a factor of 0.62. */
const APPROACHES = 40;
const MAXIMUM_VALLEYS = 8;
const GOLDEN = (Math.sqrt(5) - 1) / 2;
/** Sides that come so much closer than they are around may touch. */
const TOUCHING = 1e-6;

/** Rational points near zero, where most boundaries lie, points far out, and pseudorandom ones of all sizes between. */
const fixedPoints: readonly number[] = (() => {
  const points: number[] = [0];
  for (let numerator = 1; numerator <= 20; numerator++) points.push(numerator / 2);
  for (let size = 16; size < 1e9; size *= 9.3) points.push(Math.round(size));
  for (let size = 0.15; size > 1e-6; size /= 5.3) points.push(size);
  let state = 20_250_601;
  for (let count = 0; count < RANDOM_POINTS; count++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    points.push(Math.exp((state / 2 ** 32 - 0.35) * 9));
  }
  return [...new Set(points.flatMap((x) => [x, -x]))].sort((a, b) => a - b);
})();

const reach = (x: number): number => BESIDE * Math.max(1, Math.abs(x));

/** The place between two points where the region starts or ends. */
function change(region: Region, from: number, to: number, context: CompareContext): number {
  let [inside, outside] = holds(region, from, context) ? [from, to] : [to, from];
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = (inside + outside) / 2;
    if (holds(region, middle, context)) inside = middle;
    else outside = middle;
  }
  return (inside + outside) / 2;
}

/** The kinds of boundary that predicates have: `open` (also of `≠`), `closed`. */
function boundaries(region: Region, negated = false): ('open' | 'closed')[] {
  if (region.kind === 'pieces') return [];
  if (region.kind === 'not') return boundaries(region.operand, !negated);
  if (region.kind !== 'predicate') return region.operands.flatMap((operand) => boundaries(operand, negated));
  return region.relation.operators.map((operator) => (/[<>≠]/.test(operator) !== negated ? 'open' : 'closed'));
}

/**
 * Whether the ends are decided: by exact ends of one side that is all pieces, or since predicates on both sides have one kind
 * of boundary.
 */
function endsAreDecided(a: Region, b: Region): boolean {
  const [left, right] = [boundaries(a), boundaries(b)];
  return left.length === 0 || right.length === 0 || new Set([...left, ...right]).size === 1;
}

/** Where a function that is lower at the middle of three points than at the others is lowest between them. */
function lowest(f: (x: number) => number, from: number, to: number): number {
  let [left, right] = [from, to];
  for (let step = 0; step < APPROACHES; step++) {
    const [low, high] = [right - GOLDEN * (right - left), left + GOLDEN * (right - left)];
    if (f(low) < f(high)) right = high;
    else left = low;
  }
  return (left + right) / 2;
}

class Trial {
  private undecided = false;
  /** Where both sides could be told. */
  private points = 0;
  private doubts = 0;

  constructor(
    private readonly a: Region,
    private readonly b: Region,
    private readonly context: CompareContext,
  ) {}

  /** False where they differ. A relation does not hold where it is undefined; far from zero it may only be out of reach. */
  private agree(at: number): boolean {
    const [left, right] = [holds(this.a, at, this.context), holds(this.b, at, this.context)];
    if (left !== null && right !== null) {
      this.points++;
      return left === right;
    }
    if ((left ?? right) === true && Math.abs(at) < NEAR) this.doubt(left === null ? this.a : this.b, at);
    return true;
  }

  /** The other side holds a number at which this one has no value in doubles: it may have one in exact arithmetic. */
  private doubt(region: Region, at: number): void {
    if (++this.doubts > MAXIMUM_DOUBTS) this.undecided = true;
    else if (holdsExactly(region, exactNode(at), new RealSets(this.context), this.context) !== true)
      this.undecided = true;
  }

  /** Exactly at the ends. */
  private agreeAtEnds(ends: Node[], sets: RealSets): boolean {
    for (const end of ends) {
      const left = holdsExactly(this.a, end, sets, this.context);
      const right = holdsExactly(this.b, end, sets, this.context);
      if (left === null || right === null) this.undecided = true;
      else if (left !== right) return false;
    }
    return true;
  }

  decide(): Decision {
    const { a, b, context } = this;
    const ends = endsOf(a, b);
    const places = ends.map((end) => evaluateReal(end, new Map(), context.budget));
    if (places.some((place) => place === null)) return 'undecided';
    const known = places as number[];
    if (!this.agreeAtEnds(ends, new RealSets(context))) return 'different';
    const clear = fixedPoints.filter((x) => known.every((end) => Math.abs(end - x) > 2 * reach(end)));
    const beside = known.flatMap((end) => [end - reach(end), end + reach(end)]);
    const points = [...clear, ...beside].sort((x, y) => x - y);
    if (!points.every((x) => this.agree(x))) return 'different';
    const decided = this.agreeAtChanges(points, known);
    if (decided !== 'equal') return decided;
    if (this.mayTouch(points, known)) return 'undecided';
    // Ends agree exactly and every tried point agrees; a difference would have to lie between points, beside no change of a side.
    return this.undecided || this.points < LEAST_POINTS || !endsAreDecided(a, b) ? 'undecided' : 'equal';
  }

  /** Whether the sides of a relation come together somewhere without crossing, at no known end. */
  private mayTouch(points: number[], known: number[]): boolean {
    let valleys = 0;
    for (const leaf of [this.a, this.b].flatMap(leavesOf)) {
      if (leaf.kind !== 'predicate') continue;
      for (const index of leaf.relation.operators.keys()) {
        const gap = (x: number): number => this.gap(leaf, index, x);
        const gaps = points.map(gap);
        for (let at = 1; at + 1 < points.length; at++) {
          const [from, to] = [points[at - 1], points[at + 1]];
          const around = Math.min(gaps[at - 1], gaps[at + 1]);
          if (
            !Number.isFinite(Math.max(gaps[at - 1], gaps[at + 1])) ||
            gaps[at] > around ||
            known.some((end) => from < end && end < to)
          )
            continue;
          if (++valleys > MAXIMUM_VALLEYS) return true;
          if (gap(lowest(gap, from, to)) <= TOUCHING * around) return true;
        }
      }
    }
    return false;
  }

  private gap(predicate: Predicate, index: number, x: number): number {
    return Math.abs(distances(predicate, x, this.context)?.[index] ?? Infinity);
  }

  /** Where one side changes between two of the points, the other must change at the same place. */
  private agreeAtChanges(points: number[], known: number[]): Decision {
    let changes = 0;
    for (let index = 1; index < points.length; index++) {
      const [from, to] = [points[index - 1], points[index]];
      if (known.some((end) => from < end && end < to)) continue;
      for (const region of [this.a, this.b]) {
        const [left, right] = [from, to].map((x) => holds(region, x, this.context));
        if (left === right || left === null || right === null) continue;
        if (++changes > MAXIMUM_CHANGES) return 'undecided';
        const at = change(region, from, to, this.context);
        if (!this.agree(at - reach(at)) || !this.agree(at + reach(at))) return 'different';
      }
    }
    return 'equal';
  }
}

/** Compares two sets of real numbers. */
export function sameRegion(a: Region, b: Region, context: CompareContext): Decision {
  try {
    const sets = new RealSets(context);
    const [left, right] = [piecesOf(a, sets), piecesOf(b, sets)];
    if (left && right) return sets.same(left, right);
    return compareExactly(a, b, context) ?? new Trial(a, b, context).decide();
  } catch (error) {
    if (!(error instanceof Incomparable)) throw error;
    return 'undecided';
  }
}
