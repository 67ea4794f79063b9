/**
 * A penalty for long responses that rises over a buffer, the soft overlong punishment of DAPO (Yu et al. 2025, eq. 13); to be
 * combined with others.
 */
import { checkInteger, checkNumber } from '../errors';
import type { RewardFunction, Score } from './types';

export interface LengthRewardOptions {
  /** Response tokens, the end token included, from which the penalty is full. */
  maxTokens: number;
  /** Tokens before `maxTokens` over which the penalty rises from 0. */
  buffer: number;
  /** The full penalty. Default -1. */
  penalty?: number;
}

/**
 * 0 up to maxTokens − buffer tokens, then falling linearly to `penalty` at maxTokens; a response that was cut off has the full
 * penalty. Reasons `right-length`, `long` and `too-long`.
 *
 * @throws TypeError or RangeError naming the option
 */
export function lengthReward(options: LengthRewardOptions): RewardFunction {
  const maxTokens = checkInteger('maxTokens', options.maxTokens, 1);
  const buffer = checkInteger('buffer', options.buffer, 1, maxTokens);
  const penalty = checkNumber('penalty', options.penalty ?? -1);
  return ({ tokens: { length }, finishReason }): Score => {
    if (finishReason === 'length' || length >= maxTokens) return { reward: penalty, reason: 'too-long' };
    const over = length - (maxTokens - buffer);
    return over <= 0 ? { reward: 0, reason: 'right-length' } : { reward: (penalty * over) / buffer, reason: 'long' };
  };
}
