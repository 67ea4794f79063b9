/** The rewards that a config names. */
import { countdownReward } from './countdown/countdown';
import { formatReward } from './format';
import { lengthReward } from './length';
import { mathReward } from './math';

export { countdownReward, type CountdownRewardOptions } from './countdown/countdown';
export { checkFormat, formatStyles, type FormatStyle } from './check-format';
export { formatReward, type FormatRewardOptions } from './format';
export { lengthReward, type LengthRewardOptions } from './length';
export { mathReward, type MathRewardOptions } from './math';
export { combineRewards, scoreSample, scoreSamples, type WeightedReward } from './score';
export { sampleName, type CompleteScore } from './complete-score';
export type { RewardFunction, RewardResult, RewardSample, Score, ScorePart } from './types';

/** Rewards by name: each makes a function from its options. */
export const rewards = {
  math: mathReward,
  format: formatReward,
  length: lengthReward,
  countdown: countdownReward,
} as const;
