/** Least and greatest of many numbers: `Math.max(...values)` overflows the stack beyond some 120,000. */

/** `from` where there are no values. */
export function least(values: Iterable<number>, from = Infinity): number {
  let result = from;
  for (const value of values) result = Math.min(result, value);
  return result;
}

/** `from` where there are no values. */
export function greatest(values: Iterable<number>, from = -Infinity): number {
  let result = from;
  for (const value of values) result = Math.max(result, value);
  return result;
}
