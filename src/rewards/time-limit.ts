/**
 * A limit in time for a reward that runs on this thread: one that waits for ever costs its samples and not the run. Code that
 * never returns to the event loop cannot be stopped here; see isolated/ for that.
 */
import { checkNumber } from '../errors';
import { timerDelay, untilAborted } from '../until-aborted';
import { sampleName } from './complete-score';
import { scoreSample } from './score';
import type { RewardFunction, RewardResult, RewardSample } from './types';

export interface TimeLimitOptions {
  /** Seconds without a finished sample after which those under way are given up. */
  timeoutSeconds: number;
  warn: (message: string) => void;
}

const TIMED_OUT: RewardResult = { reward: null, reason: 'timeout' };

/** Calls `expired` when `touch` was not called for so long; `stop` ends that. */
function watch(seconds: number, expired: () => void): { touch: () => void; stop: () => void } {
  const timer = setTimeout(expired, timerDelay(seconds));
  return { touch: () => timer.refresh(), stop: () => clearTimeout(timer) };
}

/**
 * The same reward; samples that do not end in time have no reward and the reason `timeout`.
 *
 * @throws TypeError or RangeError naming the option
 */
export function limitReward(reward: RewardFunction, options: TimeLimitOptions): RewardFunction {
  const timeoutSeconds = checkNumber('timeoutSeconds', options.timeoutSeconds, 0);
  const late = (samples: readonly RewardSample[]): void => {
    const more = samples.length > 1 ? ` and ${samples.length - 1} more` : '';
    options.warn(
      `The reward did not end within ${timeoutSeconds} s on ${sampleName(samples[0])}${more}, which ${more ? 'are' : 'is'} left out`,
    );
  };
  const scoreAll = async (samples: readonly RewardSample[], signal?: AbortSignal): Promise<readonly RewardResult[]> => {
    if (samples.length === 0) return [];
    const results: (RewardResult | undefined)[] = samples.map(() => undefined);
    let expire = (): void => undefined;
    const expired = new Promise<'expired'>((resolve) => (expire = () => resolve('expired')));
    const { touch, stop } = watch(timeoutSeconds, () => expire());
    const scoreOne = async (sample: RewardSample, i: number): Promise<RewardResult> => {
      const result = await scoreSample(reward, sample);
      results[i] = result;
      touch();
      return result;
    };
    const scoreThem = async (): Promise<readonly RewardResult[]> =>
      reward.scoreAll ? reward.scoreAll(samples, signal) : Promise.all(samples.map(scoreOne));
    const work = scoreThem();
    try {
      const ended = await untilAborted(Promise.race([work, expired]), signal);
      if (ended !== 'expired') return ended;
    } finally {
      stop();
      // What it throws from now on is too late to matter.
      work.catch(() => undefined);
    }
    late(samples.filter((_, i) => results[i] === undefined));
    return results.map((result) => result ?? TIMED_OUT);
  };
  return Object.assign(async (sample: RewardSample) => (await scoreAll([sample]))[0], { scoreAll });
}
