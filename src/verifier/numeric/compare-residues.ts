/** Comparison by residues: what holds formally, whatever π, roots and functions stand for. */
import type { Budget } from '../budget';
import type { StructureTable } from '../exact/structure';
import type { Node } from '../node';
import { ResidueEvaluator } from './residue';

/** `equal` and `different` are certain but for a chance of 2^-100 and 2^-50; `unknown` otherwise. */
export function compareResidues(
  a: Node,
  b: Node,
  structure: StructureTable,
  budget: Budget,
): 'equal' | 'different' | 'unknown' {
  for (let seed = 0; seed < 2; seed++) {
    const evaluator = new ResidueEvaluator(seed, structure, budget);
    const left = evaluator.evaluate(a);
    const right = left && evaluator.evaluate(b);
    if (!right) return 'unknown';
    if (!evaluator.field.same(left, right)) return evaluator.pure ? 'different' : 'unknown';
  }
  return 'equal';
}

/**
 * Whether a/b is a constant as a formal fraction; `zero` where both are 0. `proportional` says that the ratio is constant whatever
 * the functions stand for; but only their values tell whether both sides are 0, as those of sin²x + cos²x - 1 are.
 */
export function compareResidueRatios(
  a: Node,
  b: Node,
  structure: StructureTable,
  budget: Budget,
): 'constant' | 'proportional' | 'zero' | 'different' | 'unknown' {
  const zeros = { a: 0, b: 0 };
  let pure = true;
  for (let seed = 0; seed < 2; seed++) {
    // Two points of one field.
    const first = new ResidueEvaluator(seed, structure, budget);
    const second = new ResidueEvaluator(seed + 2, structure, budget);
    const left = first.evaluate(a);
    const right = left && first.evaluate(b);
    const otherLeft = right && second.evaluate(a);
    const otherRight = otherLeft && second.evaluate(b);
    if (!otherRight) return 'unknown';
    const { field } = first;
    const cross = field.multiply(left, otherRight)!;
    const otherCross = field.multiply(otherLeft, right)!;
    pure &&= first.pure && second.pure;
    if (!field.same(cross, otherCross)) return pure ? 'different' : 'unknown';
    zeros.a += left.top === 0n ? 1 : 0;
    zeros.b += right.top === 0n ? 1 : 0;
    if (zeros.a !== zeros.b) return pure ? 'different' : 'unknown';
  }
  if (zeros.a > 0) return 'zero';
  return pure ? 'constant' : 'proportional';
}
