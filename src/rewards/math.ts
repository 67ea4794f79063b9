/**
 * The rule of the zero-RL experiments: a right answer in a box gains, an answer without a box loses, a wrong one in a box
 * lies between (0 or −0.5; the published trend hardly depends on which).
 */
import { checkNumber } from '../errors';
import { lastBox, verify } from '../verifier';
import type { RewardFunction } from './types';

export interface MathRewardOptions {
  /** Right answer in the right format. Default 1. */
  correct?: number;
  /** Wrong answer in the right format. Default -0.5. */
  wrongAnswer?: number;
  /** No `\boxed{}`. Default -1. */
  wrongFormat?: number;
}

/**
 * Scores with reasons `correct`, `wrong-answer`, `wrong-format` or `gold-unparsable` (reward null). A sample counts as
 * correct only with its answer in a box.
 */
export function mathReward(options: MathRewardOptions = {}): RewardFunction {
  const right = checkNumber('correct', options.correct ?? 1);
  const wrongAnswer = checkNumber('wrongAnswer', options.wrongAnswer ?? -0.5);
  const wrongFormat = checkNumber('wrongFormat', options.wrongFormat ?? -1);
  return ({ answer, completion }) => {
    const { correct } = verify(answer, completion, { statement: 'boxed' });
    const formatted = lastBox(completion) !== null;
    if (correct === null) return { reward: null, reason: 'gold-unparsable', correct, formatted };
    if (!formatted) return { reward: wrongFormat, reason: 'wrong-format', correct, formatted };
    return correct
      ? { reward: right, reason: 'correct', correct, formatted }
      : { reward: wrongAnswer, reason: 'wrong-answer', correct, formatted };
  };
}
