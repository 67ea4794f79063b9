/** What a reward sees and what it says. */
import type { Problem } from '../data/dataset';

/** One completion to score. */
export interface RewardSample {
  /** The prompt's data row: id, problem text, answer and any further columns. */
  problem: Problem;
  /** The prompt as sampled from, template included. */
  prompt: string;
  completion: string;
  /** The gold answer, `problem.answer`. */
  answer: string;
  /** Response tokens, the end token included where one was sampled. */
  tokens: Int32Array;
  /** `length`: cut off by the token limit. */
  finishReason: 'stop' | 'length';
}

/** A score with its reason. Anything left out counts as stated. */
export interface Score {
  /** The scalar reward; null: cannot be scored, the sample is left out of the step. */
  reward: number | null;
  /** Why, in a few words from a small set, e.g. `wrong-format`. Default `custom`. */
  reason?: string;
  /** Counts into accuracy; null or absent: not known. */
  correct?: boolean | null;
  /** Counts into the format rate; null or absent: not known. */
  formatted?: boolean | null;
}

/** A reward. A bare number is a score without more; a promise is awaited. */
export type RewardFunction = (sample: RewardSample) => number | null | Score | Promise<number | null | Score>;
