/** Public exports of zero-rl. Importing the package loads nothing native; the engine loads with the first Policy. */
import './dispose-symbols';
export { isZeroRlError, ZeroRlError, type ErrorCode } from './errors';
export { readJsonLines, type JsonLine, type JsonLinesOptions } from './data/jsonl';
export type { JsonObject } from './json-object';
export type { ModelConfig } from './policy/model-config';
export type { CreateOptions } from './policy/open';
export { Critic } from './policy/critic';
export { Policy } from './policy/policy';
export type { OpenOptions, Scheduler, Submission } from './policy/scheduler';
export type { TrunkCritic } from './policy/trunk-critic';
export type { Prompt } from './policy/sample-request';
export type { SaveOptions } from './policy/save';
export { Tokenizer } from './policy/tokenizer';
export type {
  Aggregation,
  Completion,
  CriticStepOptions,
  CriticStepStats,
  Dtype,
  LogProbsOptions,
  Objective,
  PolicyOptions,
  Rollout,
  SampleOptions,
  SampleStats,
  SamplingOptions,
  Sequence,
  StepOptions,
  StepStats,
  TrainingSequence,
  ValueSequence,
} from './policy/types';
export {
  algorithms,
  formula,
  type Advantages,
  type Estimator,
  type EstimatorInput,
  type EstimatorOptions,
  type KlPlacement,
  type Numerics,
  valueTargets,
  type ValueTargets,
} from './algorithms';
export type { Problem } from './data/dataset';
export type { Environment, Episode, Turn } from './environments/environment';
export type { StepMetrics } from './observe/metrics';
export {
  checkFormat,
  combineRewards,
  countdownReward,
  formatReward,
  lengthReward,
  mathReward,
  type FormatStyle,
  type RewardFunction,
  type RewardResult,
  type RewardSample,
  type Score,
  type ScorePart,
} from './rewards';
export type { TrainConfig, TrainConfigInput } from './training/config';
export type { Evaluation, EstimateAtK } from './training/evaluate';
export { comparePaired, majorityAtK, passAtK, type Estimate, type PairedComparison } from './evaluation/statistics';
export { train, type TrainOptions } from './training/train';
export type { TrainEvent } from './training/train-event';
export {
  VerifierPool,
  verdictReasons,
  verify,
  verifyBatch,
  type PoolVerifyOptions,
  type Verdict,
  type VerdictReason,
  type VerifierPoolOptions,
  type VerifyBatchOptions,
  type VerifyCase,
  type VerifyOptions,
} from './verifier';
