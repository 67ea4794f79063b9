/** Comparison of two expressions by their values: of constants once, of functions at several points. */
import { areApart, comparePrecisely, evaluatePairInDoubles, verdictOrUndecided, type Verdict } from './compare-values';
import { EvaluationFailure } from './real-arithmetic';
import { agreeingPairs, onlyPoint, type PairSearch } from './sample-pairs';

/** Points that are looked at with more precision than doubles have. */
const confirmedPoints = 2;

export function compareValues(search: PairSearch): Verdict {
  return search.classes.size === 0 ? compareConstants(search) : compareFunctions(search);
}

function compareConstants(search: PairSearch): Verdict {
  const point = onlyPoint(search);
  const { a, b, complex } = evaluatePairInDoubles(search.a, search.b, point, search.budget);
  const failures = [a, b].filter((value) => value instanceof EvaluationFailure);
  if (failures.some(({ reason }) => reason === 'unsupported')) return 'undecided';
  if (failures.some(({ reason }) => reason === 'undefined')) return failures.length === 1 ? 'different' : 'undecided';
  if (!(a instanceof EvaluationFailure) && !(b instanceof EvaluationFailure) && areApart(a, b, complex)) {
    return 'different';
  }
  return verdictOrUndecided(() => comparePrecisely(search.a, search.b, point, 2, search.budget));
}

function compareFunctions(search: PairSearch): Verdict {
  const pairs = agreeingPairs(search, ({ a, b, complex }) => areApart(a, b, complex));
  if (typeof pairs === 'string') return pairs;
  let confirmed = 0;
  for (const { point } of pairs) {
    const verdict = verdictOrUndecided(() => comparePrecisely(search.a, search.b, point, 1, search.budget));
    if (verdict === 'different') return verdict;
    // Two different points of pseudorandom digits at which the difference is 0 to hundreds of bits.
    if (verdict === 'equal' && ++confirmed === confirmedPoints) return 'equal';
  }
  return 'undecided';
}
