/** The reward that a config names, or the one given in its place. */
import { basename } from 'node:path';
import { valueOf } from '../data/columns';
import type { Problem } from '../data/dataset';
import { combineRewards, rewards, type RewardFunction, type WeightedReward } from '../rewards';
import { bySource } from '../rewards/by-source';
import { limitReward } from '../rewards/time-limit';
import { loadUserReward } from '../rewards/user-reward';
import type { TrainConfig } from './config';
import type { RewardConfig, RewardPart, SimplePart } from './config-reward';

const REWARD_TIMEOUT_SECONDS = 30;

export interface GivenRewardOptions {
  /** Seconds without a finished sample after which those that the reward waits with are left out, default 30; null: no limit. */
  rewardTimeoutSeconds?: number | null;
  warn: (message: string) => void;
}

export interface LoadedReward {
  reward: RewardFunction;
  /**
   * Checks that there is a reward for every problem.
   *
   * @returns a sentence on each group of rewards that none of them asks for
   * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` naming a problem without one
   */
  checkProblems: (problems: readonly Problem[]) => string[];
  /** Ends the threads of user code. */
  close: () => void;
}

/** A reward given in code, which runs on this thread. */
export function givenReward(reward: RewardFunction, options: GivenRewardOptions): LoadedReward {
  const { rewardTimeoutSeconds: timeoutSeconds = REWARD_TIMEOUT_SECONDS, warn } = options;
  return {
    reward: timeoutSeconds === null ? reward : limitReward(reward, { timeoutSeconds, warn }),
    checkProblems: () => [],
    close: () => undefined,
  };
}

/** Names of parts in rollouts and metrics; one that comes again is numbered. */
function uniqueNames(parts: readonly RewardPart[]): string[] {
  const seen = new Map<string, number>();
  return parts.map((part) => {
    const name = part.name === 'custom' ? basename(part.code) : part.name;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} ${count}`;
  });
}

/** Loads parts and keeps what is to be done with them later. */
class RewardLoader {
  readonly closers: (() => void)[] = [];
  readonly checks: LoadedReward['checkProblems'][] = [];

  constructor(
    private readonly config: TrainConfig,
    private readonly options: { warn: (message: string) => void; signal?: AbortSignal },
  ) {}

  /** One part as it is, several as their weighted sum. */
  async load(given: RewardConfig | SimplePart | SimplePart[]): Promise<RewardFunction> {
    const list: RewardPart[] = Array.isArray(given) ? given : [given];
    const names = uniqueNames(list);
    const parts: WeightedReward[] = [];
    for (const [i, part] of list.entries())
      parts.push({ reward: await this.loadPart(part), weight: part.weight, name: names[i] });
    return parts.length === 1 && parts[0].weight === 1 ? parts[0].reward : combineRewards(parts);
  }

  private async loadPart(part: RewardPart): Promise<RewardFunction> {
    switch (part.name) {
      case 'math':
        return rewards.math(part);
      case 'format':
        return rewards.format(part);
      case 'countdown':
        return rewards.countdown(part);
      case 'length':
        return rewards.length({ ...part, maxTokens: part.maxTokens ?? this.config.rollout.maxTokens });
      case 'by-source':
        return this.loadBySource(part);
      case 'custom': {
        const { code, timeoutSeconds } = part;
        const { reward, close } = await loadUserReward(code, { ...this.options, timeoutSeconds });
        this.closers.push(close);
        return reward;
      }
    }
  }

  private async loadBySource(part: RewardPart & { name: 'by-source' }): Promise<RewardFunction> {
    const { column } = part;
    const functions = new Map<string, RewardFunction>();
    for (const [key, reward] of Object.entries(part.rewards)) functions.set(key, await this.load(reward));
    const otherwise = part.otherwise && (await this.load(part.otherwise));
    const keyOf = ({ row = {}, source }: Problem): string | undefined => {
      const value = column === undefined ? source : valueOf(row, column);
      return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
    };
    const reward = bySource({ keyOf, rewards: functions, otherwise });
    this.checks.push((problems) => {
      const unused = reward.check(problems);
      if (unused.length === 0) return [];
      return [`No problem is of the source ${unused.join(' or ')}, for which reward.rewards has a reward`];
    });
    return reward;
  }
}

/** The reward of a config. */
export async function loadReward(
  config: TrainConfig,
  options: { warn: (message: string) => void; signal?: AbortSignal },
): Promise<LoadedReward> {
  const loader = new RewardLoader(config, options);
  const close = (): void => loader.closers.forEach((closePart) => closePart());
  try {
    const reward = await loader.load(config.reward);
    return { reward, checkProblems: (problems) => loader.checks.flatMap((check) => check(problems)), close };
  } catch (error) {
    close();
    throw error;
  }
}
