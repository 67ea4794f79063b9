/**
 * Functions by cases. Where the conditions are sets of numbers of one variable, two functions are equal when they have the same
 * domain and agree on every part that two of their pieces share; elsewhere the pieces are matched as written.
 */
import { freeSymbols } from '../exact/tree';
import { equalExpressions } from '../numeric/equal-expressions';
import type { Node, PiecewiseNode } from '../node';
import { compareNodes } from './compare-nodes';
import { type Decision, every } from './decision';
import { matchUnordered } from './matching';
import { Incomparable, type Piece, reals, type RealSet, RealSets } from './real-sets';
import { integerNode, minus, substitute, times } from './rewrite';
import { isScalar, readRealSet } from './solution-sets';
import type { CompareContext } from './types';

type Pieces = PiecewiseNode['pieces'];

interface Part {
  value: Node;
  domain: RealSet;
}

const MOST_PIECES = 12;

/** The one symbol that all conditions are about. */
function variableOf(pieces: Pieces): string | null {
  const names = new Set(pieces.flatMap(({ condition }) => (condition ? [...freeSymbols(condition)] : [])));
  return names.size === 1 ? [...names][0] : null;
}

/** Each value with the numbers where it holds: an earlier condition takes precedence. Null where a condition is no such set. */
function partsOf(pieces: Pieces, context: CompareContext): Part[] | null {
  const sets = new RealSets(context);
  const parts: Part[] = [];
  let covered: RealSet = [];
  for (const { value, condition } of pieces) {
    const stated = condition ? readRealSet(condition, context) : reals;
    if (stated === null) return null;
    parts.push({ value, domain: sets.difference(stated, covered) });
    covered = sets.union([...covered, ...stated]);
  }
  return parts.filter(({ domain }) => domain.length > 0);
}

const T: Node = { kind: 'symbol', name: '□' };
const SQUARE: Node = {
  kind: 'power',
  base: T,
  exponent: integerNode(2n),
};
const ONE = integerNode(1n);

/** The variable in terms of one that may be any real number, so that it stays between the ends. */
function within({ lower, upper }: Piece, variable: Node): Node {
  if (lower !== null && lower === upper) return lower;
  if (lower !== null && upper !== null) {
    const share: Node = { kind: 'quotient', numerator: SQUARE, denominator: { kind: 'sum', terms: [ONE, SQUARE] } };
    return { kind: 'sum', terms: [lower, times(minus(upper, lower), share)] };
  }
  if (lower !== null) return { kind: 'sum', terms: [lower, SQUARE] };
  return upper === null ? variable : minus(upper, SQUARE);
}

function agree(a: Part, b: Part, variable: string, context: CompareContext): Decision {
  const shared = new RealSets(context).intersection(a.domain, b.domain);
  if (shared.length === 0) return 'equal';
  if (![a.value, b.value].every(isScalar)) return compareNodes(a.value, b.value, context);
  if (equalExpressions(a.value, b.value, context) === 'equal') return 'equal';
  return every(shared, (piece) => {
    const at = new Map([[variable, within(piece, { kind: 'symbol', name: variable })]]);
    const [x, y] = [a.value, b.value].map((value) => substitute(value, at, context.budget));
    return equalExpressions(x, y, context);
  });
}

/** Piece by piece, conditions included; `otherwise` only stands for `otherwise`. */
function compareWritten(a: Pieces, b: Pieces, context: CompareContext): Decision {
  const decision = matchUnordered(
    a,
    b,
    (x, y) => {
      if (x.condition === null || y.condition === null) {
        return x.condition === y.condition ? compareNodes(x.value, y.value, context) : 'different';
      }
      const [left, right] = [x.condition, y.condition];
      return every([() => compareNodes(x.value, y.value, context), () => compareNodes(left, right, context)], (part) =>
        part(),
      );
    },
    context,
  );
  return decision === 'different' ? 'undecided' : decision;
}

function comparePieces(a: Pieces, b: Pieces, context: CompareContext): Decision {
  const [p, q] = [variableOf(a), variableOf(b)];
  const variable = p ?? q;
  if (variable === null || (p !== null && q !== null && p !== q)) return compareWritten(a, b, context);
  const [left, right] = [partsOf(a, context), partsOf(b, context)];
  if (left === null || right === null) return compareWritten(a, b, context);
  const sets = new RealSets(context);
  const domains = [left, right].map((parts) => sets.union(parts.flatMap(({ domain }) => domain)));
  return every(
    [
      () => sets.same(domains[0], domains[1]),
      ...left.flatMap((x) => right.map((y) => () => agree(x, y, variable, context))),
    ],
    (part) => part(),
  );
}

/** Compares two nodes of which at least one is a definition by cases; an expression is one of a single case. */
export function comparePiecewise(a: Node, b: Node, context: CompareContext): Decision {
  const [left, right] = [a, b].map((node): Pieces | null => {
    if (node.kind === 'piecewise') return node.pieces;
    return isScalar(node) ? [{ value: node, condition: null }] : null;
  });
  if (left === null || right === null) return 'different';
  if (left.length > MOST_PIECES || right.length > MOST_PIECES) return 'undecided';
  try {
    return comparePieces(left, right, context);
  } catch (error) {
    if (!(error instanceof Incomparable)) throw error;
    return 'undecided';
  }
}
