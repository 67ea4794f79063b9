/** Events as they are listed. */
import type { EventRow } from '../protocol.js';

/**
 * The newest first, those of one millisecond against the order in which the run wrote them; without a time last, by step.
 * @param rows those of each run in the order of its file
 */
export function ordered(rows: readonly EventRow[]): EventRow[] {
  const compare = (a: EventRow, b: EventRow): number => {
    if (a.time === b.time) return a.time === null ? b.step - a.step : 0;
    return (a.time ?? '') < (b.time ?? '') ? 1 : -1;
  };
  return [...rows].reverse().sort(compare);
}
