/** What a reward sees and what it says. */
import type { Problem } from '../data/dataset';
import type { Turn } from '../environments/environment';

/** One completion to score. */
export interface RewardSample {
  /** The prompt's data row: id, problem text, answer and any further columns. */
  problem: Problem;
  /** The prompt as sampled from, template included. */
  prompt: string;
  completion: string;
  /** The gold answer, `problem.answer`. */
  answer: string;
  /** The tokens of `completion`: those that the policy wrote, end tokens included where they were sampled. */
  tokens: Int32Array;
  /** `length`: cut off by the token limit. */
  finishReason: 'stop' | 'length';
  /** Where an environment takes part: the whole episode, of which `completion` is what the policy wrote. */
  turns?: readonly Turn[];
  /** Which of the prompt's completions this is, from 0; errors name it. */
  index?: number;
}

/** A term of a reward that is a sum. */
export interface ScorePart {
  name: string;
  /** Before the weight. */
  reward: number;
  weight: number;
  reason: string;
}

/** A score with its reason. Anything left out counts as stated. */
export interface Score {
  /** The scalar reward; null: cannot be scored, the sample is left out of the step. */
  reward: number | null;
  /** Why, in a few words from a small set, e.g. `wrong-format`. Default `custom`. */
  reason?: string;
  /** Counts into accuracy; null or absent: not known. 1 and 0 stand for true and false. */
  correct?: boolean | null;
  /** Counts into the format rate; null or absent: not known. 1 and 0 stand for true and false. */
  formatted?: boolean | null;
  /**
   * The answer that the completion states, for majority votes; null: it states none, which is a vote as well. Absent: not known; maj@k
   * is not estimated then, unless every sample without one is right.
   */
  answer?: string | null;
  /** The terms of a reward that is a sum: their means are metrics, and rollouts have them. */
  parts?: ScorePart[];
  /**
   * Further figures by name, whose means over the samples that have them are metrics: numbers and truth values; null, or a number
   * that is not finite: not known of this sample. Numbers and truth values beside the keys above count as well.
   */
  metrics?: Record<string, number | boolean | null>;
}

/** What a reward may return for a sample. A bare number is a score without more. */
export type RewardResult = number | null | Score;

/** A reward. A promise is awaited. */
export interface RewardFunction {
  (sample: RewardSample): RewardResult | Promise<RewardResult>;
  /**
   * The same for many samples at once, used instead where it is there: one result per sample, in their order. The signal
   * is that of the run.
   */
  scoreAll?(samples: readonly RewardSample[], signal?: AbortSignal): Promise<readonly RewardResult[]>;
}
