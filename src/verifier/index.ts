import '../dispose-symbols';
export {
  stopIdleVerifiers,
  VerifierPool,
  verifyBatch,
  type PoolVerifyOptions,
  type VerifierPoolOptions,
  type VerifyBatchOptions,
  type VerifyCase,
} from './batch';
export {
  extractAnswer,
  lastBox,
  type ExtractOptions,
  type Statement,
  type StatementKind,
} from './extract/extract-answer';
export { verdictReasons, type Verdict, type VerdictReason, type VerifyOptions } from './verdict';
export { equalAnswers, isReadableGold, verify } from './verify';
