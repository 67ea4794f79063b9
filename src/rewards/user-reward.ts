/** A reward from user code named in a config. */
import { ZeroRlError } from '../errors';
import { loadUserCode } from '../user-code';
import { workerScript } from '../worker-script';
import { IsolatedReward } from './isolated/isolated-reward';
import type { RewardFunction } from './types';

export interface UserReward {
  reward: RewardFunction;
  /** Ends its thread, if it has one. */
  close: () => void;
}

export interface UserRewardOptions {
  /** Seconds after which a sample that does not end is left out; null runs the reward on the main thread without a limit. */
  timeoutSeconds: number | null;
  warn: (message: string) => void;
  /** Ends the loading. */
  signal?: AbortSignal;
}

/**
 * The function that `./my.mjs#name` exports, on this thread.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` when it cannot be loaded or is no function
 */
export async function loadRewardFunction(reference: string, signal?: AbortSignal): Promise<RewardFunction> {
  const code = await loadUserCode(reference, 'reward', signal);
  if (typeof code !== 'function')
    throw new ZeroRlError('ERR_ZERO_RL_CONFIG', `${reference} is not a function; a reward needs one`);
  return code as RewardFunction;
}

/**
 * The reward `./my.mjs#name`, on a thread of its own where it has a limit.
 *
 * @throws as {@link loadRewardFunction}
 */
export async function loadUserReward(reference: string, options: UserRewardOptions): Promise<UserReward> {
  const { timeoutSeconds, warn, signal } = options;
  const script = workerScript('rewards/isolated/reward-worker');
  if (timeoutSeconds === null || script === null)
    return { reward: await loadRewardFunction(reference, signal), close: () => undefined };
  const isolated = await IsolatedReward.load(script, reference, { timeoutSeconds, warn, signal });
  return { reward: isolated.reward, close: () => isolated.close() };
}
