/** What a policy acts in: the environment answers its turns until an episode is over. */
import type { Problem } from '../data/dataset';
import type { RewardFunction } from '../rewards';

/** A part of an episode after the prompt. */
export interface Turn {
  from: 'policy' | 'environment';
  text: string;
}

/** An episode as it stands when the policy has ended a turn. */
export interface Episode {
  problem: Problem;
  /** The prompt, template included. */
  prompt: string;
  /** The last is the policy's. */
  turns: readonly Turn[];
  /** Which of the prompt's episodes this is, from 0. */
  sample: number;
}

export interface Environment {
  /**
   * The text that follows the policy's turn, such as the output of a tool, or null: the episode is over. It may be a promise;
   * the episodes of a step are answered at the same time. The text is masked out of the loss, the KL and the advantages. Where
   * it leaves no room in the context for a further turn, the episode is over with finishReason `length`. What it throws ends the
   * run.
   *
   * @param signal aborted when the time for this answer is up, when the run is stopped, and when another answer has failed
   */
  respond(episode: Episode, signal?: AbortSignal): string | null | Promise<string | null>;
  /** Instead of `data.template`. */
  prompt?(problem: Problem): string;
  /** Instead of the config's reward. Its `completion` is what the policy wrote; `turns` is the whole episode. */
  reward?: RewardFunction;
}

export interface EnvironmentLimits {
  /** Most turns of the policy in an episode. */
  maxTurns: number;
  /** Seconds for one answer; an episode without one in time is left out with the reason `timeout`. */
  timeoutSeconds: number;
}
