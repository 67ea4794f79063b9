/** The reward that a config names, or the one given in its place. */
import { combineRewards, rewards, type RewardFunction, type WeightedReward } from '../rewards';
import { limitReward } from '../rewards/time-limit';
import { loadUserReward, type UserReward } from '../rewards/user-reward';
import type { TrainConfig } from './config';

const REWARD_TIMEOUT_SECONDS = 30;

export interface GivenRewardOptions {
  /** Seconds without a finished sample after which those that the reward waits with are left out, default 30; null: no limit. */
  rewardTimeoutSeconds?: number | null;
  warn: (message: string) => void;
}

/** A reward given in code, which runs on this thread. */
export function givenReward(reward: RewardFunction, options: GivenRewardOptions): UserReward {
  const { rewardTimeoutSeconds: timeoutSeconds = REWARD_TIMEOUT_SECONDS, warn } = options;
  return {
    reward: timeoutSeconds === null ? reward : limitReward(reward, { timeoutSeconds, warn }),
    close: () => undefined,
  };
}

/** The reward of a config: one part as it is, several as their weighted sum. `close` ends the threads of user code. */
export async function loadReward(
  { reward, rollout }: TrainConfig,
  { warn, signal }: { warn: (message: string) => void; signal?: AbortSignal },
): Promise<UserReward> {
  const parts: WeightedReward[] = [];
  const closers: (() => void)[] = [];
  const close = (): void => closers.forEach((closePart) => closePart());
  try {
    for (const part of Array.isArray(reward) ? reward : [reward]) {
      const { name, weight } = part;
      if (part.name === 'math') parts.push({ reward: rewards.math(part), weight, name });
      else if (part.name === 'format') parts.push({ reward: rewards.format(part), weight, name });
      else if (part.name === 'countdown') parts.push({ reward: rewards.countdown(part), weight, name });
      else if (part.name === 'length')
        parts.push({
          reward: rewards.length({ ...part, maxTokens: part.maxTokens ?? rollout.maxTokens }),
          weight,
          name,
        });
      else {
        const user = await loadUserReward(part.code, { timeoutSeconds: part.timeoutSeconds, warn, signal });
        parts.push({ reward: user.reward, weight, name: part.code });
        closers.push(user.close);
      }
    }
  } catch (error) {
    close();
    throw error;
  }
  const single = parts.length === 1 && (parts[0].weight ?? 1) === 1;
  return { reward: single ? parts[0].reward : combineRewards(parts), close };
}
