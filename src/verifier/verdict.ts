/** What the check of one completion says, and the closed list of its reasons. */

/** Why a verdict is what it is; a closed list. */
export const verdictReasons = [
  /** The stated answer equals the gold one. */
  'equal',
  /** It states another answer. */
  'different',
  /** The completion states no answer. */
  'no-answer',
  /** The stated answer can be read neither as mathematics nor as text. */
  'unparsable-answer',
  /** The gold answer is empty or cannot be read: no verdict. */
  'unparsable-gold',
  /** The answer costs more work than one verdict may take. Work is counted, so this does not depend on the machine. */
  'budget',
  /** Several candidates are stated where one was asked. */
  'ambiguous',
  /** Neither equality nor difference could be shown. */
  'undecided',
  /** The batch form ended the worker that had the case, because it hung or died: no verdict. Never said by `verify`. */
  'timeout',
] as const;
export type VerdictReason = (typeof verdictReasons)[number];

export interface Verdict {
  /** null: cannot be scored. */
  correct: boolean | null;
  reason: VerdictReason;
  /** The stated answer as written; absent where there is none. */
  extracted?: string;
  /** Milliseconds that the check itself took. */
  ms: number;
}

export interface VerifyOptions {
  /** `boxed` accepts an answer in a box only; `any` also `<answer>`, `####` and "the answer is". Default `any`. */
  statement?: 'any' | 'boxed';
}
