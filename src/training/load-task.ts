/**
 * What a policy is asked and how its answers are scored, of a config or given in code in its place: the same for training,
 * evaluations, replays and plans.
 */
import { loadTemplate, readsMessages, type Template } from '../data/template';
import type { Environment } from '../environments/environment';
import { checkEnvironment, loadEnvironment } from '../environments/load';
import { ZeroRlError } from '../errors';
import { isUserCode } from '../user-code';
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

/** What of the data a task may look at. */
export interface DataNeeds {
  /** Whether code of one's own may read any column of a row. */
  wholeRows: boolean;
  /** Whether prompts are made of whole conversations. */
  messages: boolean;
}

export interface Task {
  template: Template;
  reward: RewardFunction;
  /** Null where completions have one turn. */
  play: Play | null;
  needs: DataNeeds;
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

/** Whether code that a config names sees rows. */
function namesRowCode({ data, reward }: TrainConfig): boolean {
  const parts = Array.isArray(reward) ? reward : [reward];
  return isUserCode(data.template) || parts.some(({ name }) => name === 'custom');
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
  const needs = {
    wholeRows: environment !== null || options.reward !== undefined || namesRowCode(config),
    messages: environment?.prompt !== undefined || readsMessages(config.data.template),
  };
  const play = environment && { environment, ...environmentLimits(config) };
  return { template, reward, play, needs, closeReward };
}
