import {
  extractAnswer,
  type ExtractOptions,
  type StatementKind,
} from '../../../../src/verifier/extract/extract-answer';

/** A completion, how it states its answer, and the texts of it; null where it states none. */
export type Case = [completion: string, kind: StatementKind, ...texts: string[]];

/** `['box', '1', '2']`, or null. */
export function stated(completion: string, options?: ExtractOptions): [StatementKind, ...string[]] | null {
  const statement = extractAnswer(completion, options);
  return statement && [statement.kind, ...statement.texts];
}
