/** A reward for the form alone, to be combined with others. */
import { checkNumber, checkOneOf } from '../errors';
import { mapInSlices } from '../event-loop';
import { checkFormat, formatStyles, type FormatStyle } from './check-format';
import type { RewardFunction, RewardSample, Score } from './types';

export interface FormatRewardOptions {
  /** Default `boxed`. */
  style?: FormatStyle;
  /** Default 1. */
  right?: number;
  /** Default 0. */
  wrong?: number;
}

/** Scores with reasons `right-format` or `wrong-format`; says nothing about correctness. */
export function formatReward(options: FormatRewardOptions = {}): RewardFunction {
  const style = checkOneOf('style', options.style ?? 'boxed', formatStyles);
  const right = checkNumber('right', options.right ?? 1);
  const wrong = checkNumber('wrong', options.wrong ?? 0);
  const score = ({ completion }: RewardSample): Score => {
    const formatted = checkFormat(completion, style);
    return { reward: formatted ? right : wrong, reason: formatted ? 'right-format' : 'wrong-format', formatted };
  };
  return Object.assign(score, {
    scoreAll: (samples: readonly RewardSample[]): Promise<Score[]> => mapInSlices(samples, score),
  });
}
