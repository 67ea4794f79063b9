/** Public exports of zero-rl. Importing the package loads nothing native; the engine loads with the first Policy. */
export { isZeroRlError, ZeroRlError, type ErrorCode } from './errors';
export { readJsonLines, type JsonLine, type JsonLinesOptions, type JsonObject } from './data/jsonl';
export type { ModelConfig } from './policy/model-config';
export type { CreateOptions } from './policy/open';
export { Policy } from './policy/policy';
export type { Prompt } from './policy/sample-request';
export type { SaveOptions } from './policy/save';
export { Tokenizer } from './policy/tokenizer';
export type {
  Aggregation,
  Dtype,
  LogProbsOptions,
  PolicyOptions,
  Rollout,
  SampleOptions,
  SampleStats,
  Sequence,
  StepOptions,
  StepStats,
  TrainingSequence,
} from './policy/types';
