/** Verdicts on a pair and how those of parts combine. */
import type { Comparison } from './types';

export type Decision = Exclude<Comparison, 'ambiguous'>;

/** Of parts that must all agree. Stops at the first that differs. */
export function every<T>(parts: Iterable<T>, decide: (part: T) => Decision): Decision {
  let result: Decision = 'equal';
  for (const part of parts) {
    const decision = decide(part);
    if (decision === 'different') return 'different';
    if (decision === 'undecided') result = 'undecided';
  }
  return result;
}

/** Of readings of which one must agree. Stops at the first that does. */
export function some<T>(readings: Iterable<T>, decide: (reading: T) => Decision): Decision {
  let result: Decision = 'different';
  for (const reading of readings) {
    const decision = decide(reading);
    if (decision === 'equal') return 'equal';
    if (decision === 'undecided') result = 'undecided';
  }
  return result;
}

/** Item by item; different where the lengths differ. */
export function inOrder<T, U>(a: readonly T[], b: readonly U[], decide: (a: T, b: U) => Decision): Decision {
  if (a.length !== b.length) return 'different';
  return every(a.keys(), (index) => decide(a[index], b[index]));
}
