/** What the comparison of two parsed answers says and needs. */
import type { Budget } from '../budget';

/**
 * `ambiguous`: the answer names several candidates where one was asked. `undecided`: neither equality nor difference could
 * be shown.
 */
export type Comparison = 'equal' | 'different' | 'ambiguous' | 'undecided';

export interface CompareContext {
  budget: Budget;
}
