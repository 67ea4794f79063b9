/** Expressions that differ by a constant factor, as both sides of equivalent equations and inequalities do. */
import { integerNode } from '../compare/rewrite';
import type { CompareContext } from '../compare/types';
import { StructureTable } from '../exact/structure';
import { freeSymbols } from '../exact/tree';
import type { Node } from '../node';
import { leastDigits } from './approximate';
import { compareResidueRatios } from './compare-residues';
import {
  areApart,
  decideZero,
  isProvedNonZero,
  provedSize,
  valueOrFailure,
  type Verdict,
  verdictOrUndecided,
} from './compare-values';
import type { Complex, ComplexArithmetic } from './complex';
import { DoubleArithmetic } from './double-arithmetic';
import { equalExpressions } from './equal-expressions';
import { Evaluator } from './evaluate';
import { EvaluationFailure } from './real-arithmetic';
import { agreeingPairs, type DefinedPair, onlyPoint, type PairSearch } from './sample-pairs';
import { SamplePoint } from './sample-point';
import { classifySymbols } from './symbol-classes';

/**
 * `constant`: a/b is one constant other than 0, and neither side is identically 0; `sign` is that of the constant, 0 where it is
 * complex or unknown. `zero`: both sides are identically 0, which says nothing of their ratio.
 */
export type ConstantRatio = { decided: 'constant'; sign: 1 | -1 | 0 } | 'zero' | 'different' | 'undecided';

type Values = NonNullable<DefinedPair['values']>;

const confirmedPoints = 2;

/** How much more than its tolerance a side has to change. */
const CLEAR = 1000;

/** Points in doubles at which an expression may show that it is not 0. */
const pointsTried = 3;

const [zero, one] = [integerNode(0n), integerNode(1n)];

/**
 * Whether a/b is one constant. Whether a side is identically 0 is decided before any ratio is formed: of two sides that are 0, or
 * that only cannot be told from 0, every cross product agrees with every other.
 *
 * @throws BudgetExceeded
 */
export function constantRatio(a: Node, b: Node, context: CompareContext): ConstantRatio {
  const { budget } = context;
  const structure = new StructureTable(budget);
  const classes = classifySymbols([a, b], budget);
  const search: PairSearch = { a, b, classes, structure, budget };
  if (classes.size === 0) return constantsRatio(search);
  const formal = compareResidueRatios(a, b, structure, budget);
  const constant = (): ConstantRatio => ({
    decided: 'constant',
    sign: signAmong(agreeingPairs(search, () => false)),
  });
  if (formal === 'zero') return formal;
  if (formal === 'constant') return constant();
  const digits = leastDigits([a, b], budget);
  if (digits !== null) return approximateRatio(search, 10 ** (1 - digits));
  const zeros = [a, b].map((side) => vanishes(side, search, context));
  if (zeros[0] === 'equal' && zeros[1] === 'equal') return 'zero';
  if (zeros.includes('undecided')) return 'undecided';
  if (zeros[0] !== zeros[1]) return 'different';
  if (formal === 'proportional') return constant();
  return formal === 'different' ? formal : sampledRatio(search);
}

/** Whether an expression is one number whatever its symbols are, as are x - x and sin²x + cos²x. @throws BudgetExceeded */
export function isOneNumber(node: Node, context: CompareContext): boolean {
  if (freeSymbols(node).size === 0) return true;
  if (differsInDoubles(node, context)) return false;
  const ratio = constantRatio(node, one, context);
  return typeof ratio === 'object' || (ratio === 'different' && equalExpressions(node, zero, context) === 'equal');
}

/** Whether doubles prove that an expression differs at two places: what most do, for little work. */
function differsInDoubles(node: Node, { budget }: CompareContext): boolean {
  const [classes, structure] = [classifySymbols([node], budget), new StructureTable(budget)];
  const [first, second] = [0, 1].map((index) => {
    const point = new SamplePoint(index, classes, structure);
    const evaluator = new Evaluator(new DoubleArithmetic(budget), budget, point.bindings, point);
    return { value: valueOrFailure(evaluator, node), complex: evaluator.complex };
  });
  if (first.value instanceof EvaluationFailure || second.value instanceof EvaluationFailure) return false;
  return areApart(first.value, second.value, first.complex);
}

/** Whether an expression is identically 0: `different` where a point proves that it is not. */
function vanishes(side: Node, { classes, structure, budget }: PairSearch, context: CompareContext): Verdict {
  for (let index = 0; index < pointsTried; index++) {
    const point = new SamplePoint(index, classes, structure);
    const arithmetic = new DoubleArithmetic(budget);
    const evaluator = new Evaluator(arithmetic, budget, point.bindings, point);
    const value = valueOrFailure(evaluator, side);
    if (!(value instanceof EvaluationFailure) && isProvedNonZero(value, evaluator.complex)) return 'different';
  }
  return equalExpressions(side, zero, context);
}

function constantsRatio(search: PairSearch): ConstantRatio {
  const [a, b] = [search.a, search.b].map((node) => constantSign(node, search)) as [Sign, Sign];
  if (a === null || b === null) return 'undecided';
  if (a === 'zero' || b === 'zero') return a === b ? 'zero' : 'different';
  return { decided: 'constant', sign: (a * b) as 1 | -1 | 0 };
}

/** 0 for a complex number other than 0, null where unknown. */
type Sign = 1 | -1 | 0 | 'zero' | null;

function constantSign(node: Node, search: PairSearch): Sign {
  const point = onlyPoint(search);
  let sign: Sign = null;
  const verdict = verdictOrUndecided(() =>
    decideZero(
      (arithmetic) => {
        const evaluator = new Evaluator(arithmetic, search.budget, point.bindings, point);
        const value = evaluator.evaluate(node);
        sign = value.im !== null && arithmetic.sign(value.im) !== null ? 0 : arithmetic.sign(value.re);
        return { value, size: -Infinity, complex: evaluator.complex };
      },
      2,
      search.budget,
    ),
  );
  if (verdict === 'equal') return 'zero';
  return verdict === 'different' ? sign : null;
}

function sampledRatio(search: PairSearch): ConstantRatio {
  const pairs = agreeingPairs(search, (values, earlier) => {
    const first = reference(earlier);
    const [a, b] = [values.a, values.b].map((value) => isProvedNonZero(value, values.complex));
    if (a !== b && (values.complex.isZero(values.a) || values.complex.isZero(values.b))) return true;
    const { complex } = values;
    return first !== null && isShown(() => isProvedNonZero(crossDifference(values, first.values, complex), complex));
  });
  if (typeof pairs === 'string') return pairs;
  const first = reference(pairs);
  if (first === null) return 'undecided';
  let confirmed = 0;
  for (const { point } of pairs) {
    if (point === first.point) continue;
    const verdict = verdictOrUndecided(() => compareRatiosPrecisely(search, first.point, point));
    if (verdict === 'different') return verdict;
    // The ratio at two further points is that at the first, where neither side is 0.
    if (verdict === 'equal' && ++confirmed === confirmedPoints) return { decided: 'constant', sign: signAmong(pairs) };
  }
  return 'undecided';
}

/** The first pair of which both values are certainly not 0. */
function reference(pairs: readonly DefinedPair[]): { point: SamplePoint; values: Values } | null {
  for (const { point, values } of pairs) {
    if (values && isProvedNonZero(values.a, values.complex) && isProvedNonZero(values.b, values.complex)) {
      return { point, values };
    }
  }
  return null;
}

/** 0 where the ratios of two pairs are the same. */
function crossDifference<R>(
  at: { a: Complex<R>; b: Complex<R> },
  first: { a: Complex<R>; b: Complex<R> },
  c: ComplexArithmetic<R>,
): Complex<R> {
  return c.subtract(c.multiply(at.a, first.b), c.multiply(first.a, at.b));
}

function compareRatiosPrecisely({ a, b, budget }: PairSearch, first: SamplePoint, at: SamplePoint): Verdict {
  return decideZero(
    (arithmetic) => {
      const evaluators = [first, at].map((p) => new Evaluator(arithmetic, budget, p.bindings, p));
      const [firstValues, values] = evaluators.map((evaluator) => ({
        a: evaluator.evaluate(a),
        b: evaluator.evaluate(b),
      }));
      const { complex } = evaluators[0];
      const value = crossDifference(values, firstValues, complex);
      return { value, size: provedSize(complex.multiply(values.a, firstValues.b), complex), complex };
    },
    1,
    budget,
  );
}

/** Products beyond the range of doubles show no difference. */
function isShown(decide: () => boolean): boolean {
  try {
    return decide();
  } catch (error) {
    if (error instanceof EvaluationFailure) return false;
    throw error;
  }
}

/** Decimals inside: the ratios agree to as many digits as the decimals have. */
function approximateRatio(search: PairSearch, tolerance: number): ConstantRatio {
  const pairs = agreeingPairs(search, (values, earlier) => {
    const first = reference(earlier);
    if (!first) return false;
    return isShown(() => {
      const { complex } = values;
      const difference = crossDifference(values, first.values, complex);
      const size = complex.absolute(complex.multiply(values.a, first.values.b)).re.value;
      return complex.absolute(difference).re.value > 20 * tolerance * size;
    });
  });
  if (typeof pairs === 'string') return pairs;
  const shown = reference(pairs) !== null && sides.every((side) => varies(side, pairs, tolerance));
  return shown ? { decided: 'constant', sign: signAmong(pairs) } : 'undecided';
}

const sides = ['a', 'b'] as const;

/** Whether a side changes by far more than its decimals leave open: of two that do not, every ratio is the same. */
function varies(side: 'a' | 'b', pairs: readonly DefinedPair[], tolerance: number): boolean {
  const values = pairs.flatMap(({ values }) => (values && values[side].im === null ? [values[side].re.value] : []));
  const size = Math.max(...values.map(Math.abs));
  return Math.max(...values) - Math.min(...values) > CLEAR * tolerance * size;
}

/** Sign of the ratio at the first pair that tells it. */
function signAmong(pairs: readonly DefinedPair[] | string): 1 | -1 | 0 {
  if (typeof pairs === 'string') return 0;
  const { real } = reference(pairs)?.values.complex ?? { real: null };
  const first = reference(pairs)?.values;
  if (!first || !real || first.a.im !== null || first.b.im !== null) return 0;
  return (real.sign(first.a.re)! * real.sign(first.b.re)!) as 1 | -1;
}
