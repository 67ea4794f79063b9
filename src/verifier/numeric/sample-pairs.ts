/** Values of two expressions at points where both have one. */
import type { Budget } from '../budget';
import type { StructureTable } from '../exact/structure';
import { childNodes } from '../exact/tree';
import type { Node } from '../node';
import { evaluatePairInDoubles } from './compare-values';
import type { Complex, ComplexArithmetic } from './complex';
import type { DoubleBall } from './double-arithmetic';
import { EvaluationFailure } from './real-arithmetic';
import { maximumPoints, ordinaryPoints, SamplePoint } from './sample-point';
import type { SymbolClasses } from './symbol-classes';

/** Points that have to agree in doubles. */
const wantedPoints = 5;
/** Fewest points with a value on both sides that decide anything. */
const fewestPoints = 2;

export interface DefinedPair {
  point: SamplePoint;
  /** Null where doubles do not reach: too large, too small, a sign that could not be told. */
  values: { a: Complex<DoubleBall>; b: Complex<DoubleBall>; complex: ComplexArithmetic<DoubleBall> } | null;
}

export interface PairSearch {
  a: Node;
  b: Node;
  classes: SymbolClasses;
  structure: StructureTable;
  budget: Budget;
}

/** The one point of an expression without symbols. */
export const onlyPoint = ({ classes, structure }: PairSearch): SamplePoint => new SamplePoint(0, classes, structure);

/**
 * Pairs that agree, or a verdict. A point where no branch of a complex function is taken counts more than others: there every
 * reading of roots and logarithms agrees. Others decide only where there are no such points.
 *
 * @param apart Whether a pair shows a difference, given the pairs of its kind before it.
 */
export function agreeingPairs(
  search: PairSearch,
  apart: (pair: NonNullable<DefinedPair['values']>, earlier: readonly DefinedPair[]) => boolean,
): DefinedPair[] | 'different' | 'undecided' {
  const plain: DefinedPair[] = [];
  const branched: DefinedPair[] = [];
  const unclear: DefinedPair[] = [];
  let branchedApart = false;
  let oneSided = 0;
  const seen = new Set<string>();
  const breaks = hasBreaks(search.a, search.budget) || hasBreaks(search.b, search.budget);
  const last = breaks ? maximumPoints : ordinaryPoints;
  for (let index = 0; index < last && (breaks || plain.length < wantedPoints); index++) {
    const point = new SamplePoint(index, search.classes, search.structure);
    const { a, b, complex } = evaluatePairInDoubles(search.a, search.b, point, search.budget);
    // Integers repeat: a value tried twice is still one.
    if (seen.has(point.values)) continue;
    seen.add(point.values);
    const reasons = [a, b].map((value) => (value instanceof EvaluationFailure ? value.reason : 'value'));
    if (reasons.includes('unsupported')) return 'undecided';
    if (reasons.includes('undefined')) {
      if (reasons.includes('value')) oneSided++;
    } else if (a instanceof EvaluationFailure || b instanceof EvaluationFailure) {
      unclear.push({ point, values: null });
    } else {
      const values = { a, b, complex };
      const list = complex.branched ? branched : plain;
      if (apart(values, list)) {
        if (!complex.branched) return 'different';
        branchedApart = true;
      }
      list.push({ point, values });
    }
  }
  // Where mostly one side alone has a value, the few places where both have one say little of either.
  const told = Math.max(plain.length, branched.length);
  if (oneSided > Math.max(told, fewestPoints)) return told < fewestPoints ? 'different' : 'undecided';
  if (plain.length >= fewestPoints) return plain;
  if (branched.length >= fewestPoints) return branchedApart ? 'different' : branched;
  if (unclear.length >= fewestPoints) return unclear;
  return 'undecided';
}

const breaking: ReadonlySet<string> = new Set([
  'abs', 'sign', 'floor', 'ceil', 'round', 'max', 'min', 'mod', 'argument',
]); // prettier-ignore

/** Whether an expression may be another formula elsewhere: few points do not tell |x - 100| from 100 - x. */
function hasBreaks(node: Node, budget: Budget): boolean {
  budget.spend(0.1);
  if (node.kind === 'call' && breaking.has(node.name)) return true;
  return childNodes(node).some((child) => hasBreaks(child, budget));
}
