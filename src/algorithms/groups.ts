/** Groups: the samples of one prompt. */
import { invalidRange } from '../errors';

/** Index lists of the groups, in order of first appearance. */
export function groupMembers(groups: ArrayLike<number>): number[][] {
  const members = new Map<number, number[]>();
  for (let i = 0; i < groups.length; i++) {
    const list = members.get(groups[i]);
    if (list) list.push(i);
    else members.set(groups[i], [i]);
  }
  return [...members.values()];
}

/** What the only sample of a prompt gets: 0, its raw return (verl), or a RangeError (OpenRLHF). */
export type SingletonRule = 'zero' | 'raw' | 'refuse';

/** The rule of a numeric mode. */
export function singletonRule(numerics: string): SingletonRule {
  return numerics === 'openrlhf' ? 'refuse' : numerics === 'verl' ? 'raw' : 'zero';
}

/**
 * Applies `centre` to the returns of each group of two or more and `rule` to the others. Returns that are all equal
 * centre to exactly 0, whatever rounding would leave.
 */
export function centreGroups(
  groups: ArrayLike<number>,
  returns: ArrayLike<number>,
  rule: SingletonRule,
  centre: (values: readonly number[], members: readonly number[]) => readonly number[],
): Float64Array {
  const out = new Float64Array(returns.length);
  for (const members of groupMembers(groups)) {
    const values = members.map((i) => returns[i]);
    if (members.length === 1) {
      if (rule === 'refuse')
        throw invalidRange('groups', 'at least 2 sequences in every group', `1 in group ${groups[members[0]]}`);
      if (rule === 'raw') out[members[0]] = values[0];
    } else if (values.some((value) => value !== values[0])) {
      const centred = centre(values, members);
      members.forEach((i, at) => (out[i] = centred[at]));
    }
  }
  return out;
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Divided by n − 1. */
export function unbiasedStd(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** Each return less the mean of its group. */
export function lessGroupMean(
  groups: ArrayLike<number>,
  returns: ArrayLike<number>,
  rule: SingletonRule,
): Float64Array {
  return centreGroups(groups, returns, rule, (values) => {
    const mean = meanOf(values);
    return values.map((value) => value - mean);
  });
}
