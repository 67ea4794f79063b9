/**
 * What a policy is asked and how its answers are scored, of a config or given in code in its place: the same for training,
 * evaluations, replays and plans.
 */
import { loadTemplate, type Template } from '../data/template';
import type { Environment } from '../environments/environment';
import { checkEnvironment, loadEnvironment } from '../environments/load';
import { ZeroRlError } from '../errors';
import type { RewardFunction } from '../rewards';
import { environmentLimits, type TrainConfig } from './config';
import { givenReward, loadReward, type GivenRewardOptions } from './load-reward';
import type { Play } from './rollouts';

export interface TaskOptions extends GivenRewardOptions {
  /** Instead of the config's reward. It runs on this thread, so code that never returns cannot be cut off. */
  reward?: RewardFunction;
  /** Instead of the config's environment. */
  environment?: Environment;
}

export interface Task {
  template: Template;
  reward: RewardFunction;
  /** Null where completions have one turn. */
  play: Play | null;
  /** Ends the threads of the reward. */
  closeReward: () => void;
}

async function findEnvironment(
  { environment }: TrainConfig,
  given: Environment | undefined,
): Promise<Environment | null> {
  if (given !== undefined) return checkEnvironment('environment', given);
  if (environment === undefined) return null;
  if (environment.code !== undefined) return loadEnvironment(environment.code);
  throw new ZeroRlError(
    'ERR_ZERO_RL_CONFIG',
    'environment has no code and none is given in its place; set environment.code, or give the option environment',
  );
}

/**
 * Loads environment, template and reward.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` when one of them cannot be loaded
 */
export async function loadTask(config: TrainConfig, options: TaskOptions): Promise<Task> {
  const environment = await findEnvironment(config, options.environment);
  const template = environment?.prompt?.bind(environment) ?? (await loadTemplate(config.data.template));
  const given = options.reward ?? environment?.reward;
  const { reward, close: closeReward } = given ? givenReward(given, options) : await loadReward(config, options.warn);
  return { template, reward, play: environment && { environment, ...environmentLimits(config) }, closeReward };
}
