/**
 * Proves or refutes that two sets of real numbers are one, where their conditions relate quotients of polynomials (with absolute
 * values). Between the real roots of those polynomials and the ends of intervals nothing changes, so one number of each cell
 * between them, and they themselves, decide: no hole, however narrow, is missed.
 */
import { exactValue } from '../exact/exact-value';
import { multiplyPolynomials, type Polynomial, signAt } from '../exact/polynomial';
import { approximately, type RealRoot, realRoots, signAtRoot } from '../exact/real-roots';
import type { Node } from '../node';
import { compareReals, equalExpressions, evaluateReal } from '../numeric/equal-expressions';
import type { Decision } from './decision';
import { absoluteArguments, type RationalFunction, readRationalFunction } from './rational-function';
import { Incomparable, RealSets } from './real-sets';
import {
  combine,
  endsOf,
  exactNode,
  holdsExactly,
  isInside,
  leavesOf,
  type Predicate,
  type Region,
  satisfies,
} from './regions';
import { integerNode, minus, times } from './rewrite';
import type { CompareContext } from './types';

/** Beyond this many absolute values in one relation their signs are not tried. */
const MAXIMUM_ABSOLUTE = 3;
const MAXIMUM_DEGREE = 40;
/** Places nearer than this have to be proved the same or are not told apart. */
const NEAR = 1e-9;

/** Neighbouring sides of a relation, subtracted. */
const differences = ({ relation }: Predicate): Node[] =>
  relation.operators.map((_, index) => minus(relation.operands[index], relation.operands[index + 1]));

/** Every polynomial that may change its sign where a predicate changes; null where it relates something else. */
function criticalPolynomials(predicate: Predicate, context: CompareContext): Polynomial[] | null {
  const found: Polynomial[] = [];
  for (const difference of differences(predicate)) {
    const absolutes = absoluteArguments(difference);
    if (absolutes.length > MAXIMUM_ABSOLUTE) return null;
    for (let choice = 0; choice < 2 ** absolutes.length; choice++) {
      const signOf = (argument: Node): 1 | -1 => ((choice >> absolutes.indexOf(argument)) & 1 ? -1 : 1);
      for (const node of [difference, ...absolutes]) {
        const value = readRationalFunction(node, predicate.variable, signOf, context.budget);
        if (value === null) return null;
        found.push(value.top, value.bottom);
      }
    }
  }
  return found;
}

/** The product of all critical polynomials that have roots; null where a predicate is of another kind or too large. */
function criticalProduct(regions: Region[], context: CompareContext): Polynomial | null {
  let product: Polynomial = [1n];
  const known = new Set<string>();
  for (const leaf of regions.flatMap(leavesOf)) {
    const polynomials = leaf.kind === 'predicate' ? criticalPolynomials(leaf, context) : [];
    if (polynomials === null) return null;
    for (const polynomial of polynomials) {
      const key = String(polynomial);
      if (polynomial.length < 2 || known.has(key)) continue;
      known.add(key);
      product = multiplyPolynomials(product, polynomial, context.budget);
      if (product.length > MAXIMUM_DEGREE) return null;
    }
  }
  return product;
}

/** Horner's scheme as a tree. */
function valueAt(polynomial: Polynomial, at: Node): Node {
  return polynomial.reduceRight<Node>(
    (value, coefficient) => ({ kind: 'sum', terms: [times(value, at), integerNode(coefficient)] }),
    integerNode(0n),
  );
}

/** Whether the end of an interval is a root, exactly. */
function isRoot(end: Node, polynomial: Polynomial, context: CompareContext): boolean {
  const exact = exactValue(end, context.budget);
  if (exact) return signAt(polynomial, exact, context.budget) === 0;
  return equalExpressions(valueAt(polynomial, end), integerNode(0n), context) === 'equal';
}

/** Whether a region holds a root that is no end of it. @throws Incomparable */
function holdsRoot(region: Region, root: RealRoot, context: CompareContext): boolean {
  const signOf = (node: Node, variable: string): 1 | -1 | 0 | null => {
    const value = readRationalFunction(node, variable, (argument) => signOf(argument, variable) ?? 0, context.budget);
    return value && signOfValue(value, root, context);
  };
  const holds = combine(region, (leaf) => {
    if (leaf.kind === 'pieces') {
      const inside = leaf.pieces.map((piece) => isInside(piece, approximately(root), context));
      return inside.includes(true) || (inside.includes(null) ? null : false);
    }
    const { operators } = leaf.relation;
    return differences(leaf).every((difference, index) => {
      const sign = signOf(difference, leaf.variable);
      return sign !== null && satisfies(operators[index], sign);
    });
  });
  if (holds === null) throw new Incomparable();
  return holds;
}

/** Null at a pole. */
function signOfValue({ top, bottom }: RationalFunction, root: RealRoot, { budget }: CompareContext): 1 | -1 | 0 | null {
  const below = signAtRoot(bottom, root, budget);
  return below === 0 ? null : ((signAtRoot(top, root, budget) * below) as 1 | -1 | 0);
}

/** Beyond a number by its own size, so that doubles tell the two apart. */
const beyond = (end: number, sign: 1 | -1): number => end + sign * Math.max(1, Math.abs(end));

/** A fraction between two numbers, one of which may be infinite. @throws Incomparable where doubles have none. */
function between(from: number, to: number): Node {
  const middle = from === -Infinity ? beyond(to, -1) : to === Infinity ? beyond(from, 1) : (from + to) / 2;
  const at = from === -Infinity && to === Infinity ? 0 : middle;
  if (!(from < at && at < to)) throw new Incomparable();
  return exactNode(at);
}

/** Finite ends of intervals with their places. @throws Incomparable */
function placedEnds(regions: Region[], context: CompareContext): { end: Node; place: number }[] {
  const placed = endsOf(...regions).map((end) => {
    const place = evaluateReal(end, new Map(), context.budget);
    if (place === null) throw new Incomparable();
    return { end, place };
  });
  placed.sort((x, y) => x.place - y.place);
  for (const [index, { end, place }] of placed.slice(1).entries()) {
    const last = placed[index];
    if (areNear(place, last.place) && compareReals(end, last.end, context) !== 0) throw new Incomparable();
  }
  return placed;
}

const areNear = (a: number, b: number): boolean => Math.abs(a - b) <= NEAR * Math.max(1, Math.abs(a));

/** Null where the conditions are of another kind. Otherwise a proof. @throws Incomparable */
export function compareExactly(a: Region, b: Region, context: CompareContext): Decision | null {
  const polynomial = criticalProduct([a, b], context);
  if (polynomial === null) return null;
  const ends = placedEnds([a, b], context);
  const roots = realRoots(polynomial, context.budget);
  const sets = new RealSets(context);
  const same = (at: Node): boolean => {
    const [left, right] = [a, b].map((region) => holdsExactly(region, at, sets, context));
    if (left === null || right === null) throw new Incomparable();
    return left === right;
  };
  for (const { end } of ends) if (!same(end)) return 'different';
  for (const root of roots) {
    const near = ends.filter(({ place }) => areNear(place, approximately(root)));
    if (near.length === 0 && holdsRoot(a, root, context) !== holdsRoot(b, root, context)) return 'different';
    // An end beside a root, but none of them: no number between them was tried.
    if (!near.every(({ end }) => isRoot(end, polynomial, context))) throw new Incomparable();
  }
  const places = [...roots.map(approximately), ...ends.map(({ place }) => place)].sort((x, y) => x - y);
  const cells = [
    -Infinity,
    ...places.filter((place, index) => index === 0 || !areNear(place, places[index - 1])),
    Infinity,
  ];
  for (let index = 1; index < cells.length; index++)
    if (!same(between(cells[index - 1], cells[index]))) return 'different';
  return 'equal';
}
