export { extractAnswer, lastBox, type AnswerKind, type StatedAnswer } from './extract';
export { equalAnswers, verdictReasons, verify, type Verdict, type VerdictReason, type VerifyOptions } from './verify';
