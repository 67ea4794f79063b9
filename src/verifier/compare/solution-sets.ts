/** The set of real numbers that an answer describes: an interval, a union, `x > 5`, `x ∈ [0, 7)`, `{x | x < 3}`. */
import { freeSymbols } from '../exact/tree';
import { exactValue } from '../exact/exact-value';
import { isOneNumber } from '../numeric/constant-ratio';
import type { ListNode, Node, RelationNode, RelationOperator } from '../node';
import { asAssignment } from './assignments';
import type { Decision } from './decision';
import { isName, isSameName } from './names';
import { shareUnits, withoutUnits } from './quantities';
import { above, below, Incomparable, type Piece, point, reals, type RealSet, RealSets } from './real-sets';
import { readStatements } from './records';
import { both, piecesOf, type Region } from './regions';
import { infiniteSign, integerNode, minus } from './rewrite';
import { sameRegion } from './same-region';
import type { CompareContext } from './types';
import { limits } from '../limits';

/** `name` is what the condition is about, null where it has no name. */
interface Solutions {
  name: Node | null;
  region: Region;
  domain: 'reals' | 'integers' | 'naturals' | 'rationals';
}

const SCALAR =
  /^(?:number|symbol|constant|sum|product|quotient|negation|power|root|call|application|percent|degrees|quantity)$/;

export const isScalar = (node: Node): boolean => SCALAR.test(node.kind);

const realSolutions = (region: Region, name: Node | null = null): Solutions => ({ name, region, domain: 'reals' });

const ofPieces = (pieces: RealSet): Region => ({ kind: 'pieces', pieces });

function piece(lower: Node, upper: Node, lowerClosed: boolean, upperClosed: boolean): Piece | null {
  if (infiniteSign(lower) > 0 || infiniteSign(upper) < 0) return null;
  const [from, to] = [infiniteSign(lower) === 0 ? lower : null, infiniteSign(upper) === 0 ? upper : null];
  return { lower: from, upper: to, lowerClosed: from !== null && lowerClosed, upperClosed: to !== null && upperClosed };
}

/** The values of a name that stands on the left of an operator. */
function bounded(operator: RelationOperator, end: Node): RealSet | null {
  const sign = infiniteSign(end);
  switch (operator) {
    case '<':
    case '≤':
      return sign === 0 ? [below(end, operator === '≤')] : sign > 0 ? reals : null;
    case '>':
    case '≥':
      return sign === 0 ? [above(end, operator === '≥')] : sign < 0 ? reals : null;
    case '≠':
      return sign === 0 ? [below(end, false), above(end, false)] : reals;
    default:
      return null;
  }
}

const FLIPPED: Partial<Record<RelationOperator, RelationOperator>> = {
  '<': '>',
  '>': '<',
  '≤': '≥',
  '≥': '≤',
  '≠': '≠',
};

/** Collects what one comparison of sets needs. */
class SolutionReader {
  private readonly sets: RealSets;

  /** @param avoid Symbols that the other side has: they are parameters, not the unknown. */
  constructor(
    private readonly context: CompareContext,
    private readonly avoid: ReadonlySet<string>,
  ) {
    this.sets = new RealSets(context);
  }

  /** Null where the node describes no set of real numbers. @throws Incomparable */
  read(node: Node): Solutions | null {
    this.context.budget.spend(2);
    switch (node.kind) {
      case 'interval':
        return this.interval(node.lower, node.upper, node.lowerClosed, node.upperClosed);
      case 'tuple': {
        const [lower, upper] = node.items;
        return node.brackets === '()' && node.items.length === 2 ? this.interval(lower, upper, false, false) : null;
      }
      case 'set':
        return node.items.every(isScalar) ? realSolutions(this.points(node.items)) : null;
      case 'namedSet':
        return this.namedSet(node.name);
      case 'setOperation': {
        const operands = node.operands.map((operand) => this.read(operand));
        if (!operands.every((operand) => operand?.domain === 'reals')) return null;
        const regions = operands.map((operand) => operand!.region);
        if (node.operator === 'difference')
          return realSolutions(both(regions[0], { kind: 'not', operand: { kind: 'or', operands: regions.slice(1) } }));
        return realSolutions({ kind: node.operator === 'union' ? 'or' : 'and', operands: regions });
      }
      case 'setBuilder':
        return this.builder(node.element, node.domain, node.condition);
      case 'membership': {
        const set = isName(node.element) && !isScalar(node.set) ? this.read(node.set) : null;
        if (set === null || (node.negated && set.domain !== 'reals')) return null;
        return { ...set, name: node.element, region: node.negated ? { kind: 'not', operand: set.region } : set.region };
      }
      case 'relation':
        return this.relation(node);
      case 'list':
        return this.values(node) ?? this.conditions(node.items, node.or);
      default:
        return isScalar(node) ? realSolutions(this.points([node])) : null;
    }
  }

  /** Null for (2, 1): a point, or a mistake, but not the empty set. */
  private interval(lower: Node, upper: Node, lowerClosed: boolean, upperClosed: boolean): Solutions | null {
    if (!isScalar(lower) || !isScalar(upper)) return null;
    const [from, to] = [lower, upper].map((end) => withoutUnits(end, this.context));
    const interval = piece(from, to, lowerClosed, upperClosed);
    return interval && !this.sets.isEmpty(interval) ? realSolutions(ofPieces([interval])) : null;
  }

  private points(items: Node[]): Region {
    return ofPieces(items.map((item) => point(withoutUnits(item, this.context))));
  }

  private namedSet(name: string): Solutions | null {
    if (name === 'empty') return realSolutions(ofPieces([]));
    if (name === 'complexes') return null;
    if (name === 'positiveIntegers')
      return { name: null, region: ofPieces([above(integerNode(1n), true)]), domain: 'integers' };
    return { name: null, region: ofPieces(reals), domain: name as Solutions['domain'] };
  }

  private builder(element: Node, domain: Node | null, condition: Node | null): Solutions | null {
    if (!isName(element)) return null;
    const values = domain === null ? this.namedSet('reals') : this.read(domain);
    if (values === null || condition === null) return values;
    const holding = this.read(condition);
    if (!holding?.name || !isSameName(holding.name, element, this.context)) return null;
    if (holding.domain !== 'reals' && values.domain !== 'reals' && holding.domain !== values.domain) return null;
    const narrower = values.domain === 'reals' ? holding.domain : values.domain;
    return { name: null, region: both(values.region, holding.region), domain: narrower };
  }

  private relation(written: RelationNode): Solutions | null {
    const node = withoutUnits(written, this.context) as RelationNode;
    const assignment = asAssignment(node);
    if (assignment)
      return isScalar(assignment.value) ? realSolutions(this.points([assignment.value]), assignment.name) : null;
    if (!node.operands.every(isScalar) || !node.operators.every((operator) => FLIPPED[operator] !== undefined))
      return null;
    return this.direct(node) ?? this.predicate(node);
  }

  /** `x < 5`, `1 < x ≤ 5`: the name alone between operands without it. */
  private direct({ operands, operators }: RelationNode): Solutions | null {
    if (operands.length > 3) return null;
    for (const [index, name] of operands.entries()) {
      if ((operands.length === 3 && index !== 1) || !isName(name)) continue;
      const own = freeSymbols(name);
      const others = operands.filter((_, other) => other !== index);
      const clash = (symbol: string): boolean =>
        this.avoid.has(symbol) || others.some((other) => freeSymbols(other).has(symbol));
      if ([...own].some(clash)) continue;
      const bounds: (RealSet | null)[] = [];
      if (index > 0) bounds.push(bounded(FLIPPED[operators[index - 1]]!, operands[index - 1]));
      if (index < operators.length) bounds.push(bounded(operators[index], operands[index + 1]));
      if (!bounds.every((bound) => bound !== null)) return null;
      return realSolutions({ kind: 'and', operands: bounds.map(ofPieces) }, name);
    }
    return null;
  }

  /** Any relation in one symbol. */
  private predicate(relation: RelationNode): Solutions | null {
    const symbols = [...freeSymbols(relation)];
    const [variable] = symbols;
    if (symbols.length !== 1 || variable.endsWith('()') || this.avoid.has(variable)) return null;
    return realSolutions({ kind: 'predicate', relation, variable }, { kind: 'symbol', name: variable });
  }

  /** `1, 2`, `x = 1, x = 2`, `x = 1, 2`. */
  private values(node: ListNode): Solutions | null {
    if (node.items.every(isScalar)) return realSolutions(this.points(node.items));
    const statements = readStatements(node);
    if (!statements?.every(({ value }) => isScalar(value))) return null;
    const [{ name }] = statements;
    if (!statements.every((statement) => isSameName(statement.name, name, this.context))) return null;
    return realSolutions(this.points(statements.map(({ value }) => value)), name);
  }

  /** Conditions on one name: joined by "or" any of them holds, else all, unless none can hold then. */
  private conditions(items: Node[], or: boolean): Solutions | null {
    const parts = items.map((item) => this.read(item));
    if (parts.length === 0 || !parts.every((part) => part !== null)) return null;
    const [{ name }] = parts;
    if (parts.some((part) => (part.name === null) !== (name === null))) return null;
    if (name && !parts.every((part) => isSameName(part.name!, name, this.context))) return null;
    const operands = parts.map(({ region }) => region);
    const domains = parts.map(({ domain }) => domain).filter((domain) => domain !== 'reals');
    if (or) return domains.length > 0 ? null : realSolutions({ kind: 'or', operands }, name);
    if (name === null || domains.length > 1) return null;
    const all: Region = { kind: 'and', operands };
    const region: Region = piecesOf(all, this.sets)?.length === 0 ? { kind: 'or', operands } : all;
    return { name, region, domain: domains[0] ?? 'reals' };
  }
}

/** The integers of a bounded region as points, from 0 or from 1 for the naturals; null where there are too many or no bounds. */
function enumerated({ region, domain }: Solutions, first: bigint | null, context: CompareContext): Region | null {
  const pieces = domain === 'rationals' ? null : piecesOf(region, new RealSets(context));
  if (pieces === null) return null;
  const points: Piece[] = [];
  for (const { lower, upper, lowerClosed, upperClosed } of pieces) {
    const to = upper && exactValue(upper, context.budget);
    const from = lower && exactValue(lower, context.budget);
    if (!to || (lower && !from) || (!from && first === null)) return null;
    const floor = (n: bigint, d: bigint): bigint => (n >= 0n ? n / d : -((-n + d - 1n) / d));
    let start = from ? -floor(-from.numerator, from.denominator) : first!;
    if (from?.denominator === 1n && !lowerClosed) start++;
    if (first !== null && start < first) start = first;
    let stop = floor(to.numerator, to.denominator);
    if (to.denominator === 1n && !upperClosed) stop--;
    if (stop - start >= BigInt(limits.unorderedItems)) return null;
    for (let value = start; value <= stop; value++) points.push(point(integerNode(value)));
  }
  context.budget.spend(points.length);
  return ofPieces(points);
}

/** Compares two descriptions of sets; null where they are of domains that cannot be compared. @throws Incomparable */
function compareSolutions(a: Solutions, b: Solutions, context: CompareContext): Decision | null {
  if (a.name && b.name && !isSameName(a.name, b.name, context)) return 'different';
  if (a.domain === b.domain) {
    const decision = sameRegion(a.region, b.region, context);
    if (decision === 'equal' || a.domain === 'reals') return decision;
  }
  const [discrete, other] = a.domain === 'reals' ? [b, a] : [a, b];
  if (a.domain !== b.domain && other.domain !== 'reals' && [a, b].some(({ domain }) => domain === 'rationals'))
    return 'different';
  const starts = discrete.domain === 'naturals' || other.domain === 'naturals' ? [0n, 1n] : [null];
  for (const start of starts) {
    const points = [discrete, other].map((side) =>
      side.domain === 'reals' ? side.region : enumerated(side, start, context),
    );
    if (points[0] === null || points[1] === null) return null;
    if (sameRegion(points[0], points[1], context) === 'equal') return 'equal';
  }
  return 'different';
}

/** The real numbers that a condition leaves to its variable, where its bounds are written. @throws Incomparable */
export function readRealSet(condition: Node, context: CompareContext): RealSet | null {
  const solutions = new SolutionReader(context, new Set()).read(condition);
  return solutions?.domain === 'reals' ? piecesOf(solutions.region, new RealSets(context)) : null;
}

/** Compares what both nodes describe as sets of real numbers; null where one of them describes none. */
export function compareAsSolutions(a: Node, b: Node, context: CompareContext): Decision | null {
  if (!shareUnits(a, b, context)) return null;
  const [left, right] = [readSolutions(a, b, context), readSolutions(b, a, context)];
  if (left === null || right === null) return null;
  if (left === 'incomparable' || right === 'incomparable') return 'undecided';
  if (isTruth(a, context) || isTruth(b, context)) return 'different';
  try {
    return compareSolutions(left, right, context);
  } catch (error) {
    if (!(error instanceof Incomparable)) throw error;
    return 'undecided';
  }
}

/** Whether a relation is true or false whatever its symbol is: `x ≥ x` is no way to say "all real numbers", nor `x < x` "none". */
function isTruth(node: Node, context: CompareContext): boolean {
  if (node.kind === 'list') return node.items.some((item) => isTruth(item, context));
  if (node.kind !== 'relation') return false;
  const sides = node.operands.map((side) => withoutUnits(side, context));
  return sides.slice(1).every((side, index) => isOneNumber(minus(side, sides[index]), context));
}

function readSolutions(node: Node, other: Node, context: CompareContext): Solutions | 'incomparable' | null {
  try {
    return new SolutionReader(context, unnamedSymbols(other)).read(node);
  } catch (error) {
    if (!(error instanceof Incomparable)) throw error;
    return 'incomparable';
  }
}

const UNNAMED = /^(?:interval|tuple|set|setOperation|namedSet)$/;

/** The symbols of a set that is written without its unknown. */
const unnamedSymbols = (node: Node): Set<string> => (UNNAMED.test(node.kind) ? freeSymbols(node) : new Set());
