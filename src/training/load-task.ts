/**
 * What a policy is asked and how its answers are scored, of a config or given in code in its place: the same for training,
 * evaluations, replays and plans.
 */
import { CHAT, loadTemplate, readsMessages, type Template } from '../data/template';
import type { Environment } from '../environments/environment';
import type { Play } from '../environments/ask';
import { checkEnvironment, environmentTemplate, loadEnvironment } from '../environments/load';
import { ZeroRlError } from '../errors';
import { isUserCode } from '../user-code';
import type { RewardFunction } from '../rewards';
import { chatPrompts } from './chat-prompts';
import { environmentLimits, type TrainConfig } from './config';
import { everyPart } from './config-reward';
import { givenReward, loadReward, type GivenRewardOptions, type LoadedReward } from './load-reward';

export interface TaskOptions extends GivenRewardOptions {
  /** Instead of the config's reward. It runs on this thread, so code that never returns cannot be cut off. */
  reward?: RewardFunction;
  /** Instead of the config's environment. */
  environment?: Environment;
  /** Ends the loading of code that waits for something. */
  signal?: AbortSignal;
}

/** What of the data a task may look at. */
export interface DataNeeds {
  /** Whether code of one's own may read any column of a row. */
  wholeRows: boolean;
  /** Columns that rewards are chosen by. */
  columns: string[];
  /** Whether prompts are made of whole conversations. */
  messages: boolean;
  /** Whether the math verifier reads the answer of every row. */
  golds: boolean;
}

export interface Task {
  template: Template;
  /** Takes from the folder of the model what the template needs; before any prompt is made. */
  prepare: (folder: string) => Promise<void>;
  reward: RewardFunction;
  /** Null where completions have one turn. */
  play: Play | null;
  needs: DataNeeds;
  checkProblems: LoadedReward['checkProblems'];
  /** Ends the threads of the reward. */
  closeReward: () => void;
}

async function findEnvironment(
  config: TrainConfig,
  { environment: given, warn, signal }: TaskOptions,
): Promise<Play | null> {
  const named = (environment: Environment, name: string): Play => ({
    environment,
    name,
    warn,
    ...environmentLimits(config),
  });
  if (given !== undefined) return named(checkEnvironment('environment', given), 'environment');
  if (config.environment === undefined) return null;
  const { code } = config.environment;
  if (code !== undefined) return named(await loadEnvironment(code, signal), `environment ${code}`);
  throw new ZeroRlError(
    'ERR_ZERO_RL_CONFIG',
    'environment has no code and none is given in its place; set environment.code, or give the option environment',
  );
}

/** Whether code that a config names sees rows. */
function namesRowCode({ data, reward }: TrainConfig): boolean {
  return isUserCode(data.template) || everyPart(reward).some(({ name }) => name === 'custom');
}

/**
 * Loads environment, template and reward.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` when one of them cannot be loaded; the signal's reason when it is aborted meanwhile
 */
export async function loadTask(config: TrainConfig, options: TaskOptions): Promise<Task> {
  const play = await findEnvironment(config, options);
  const environment = play?.environment;
  const own = play && environmentTemplate(play);
  const chat = own === null && config.data.template === CHAT ? chatPrompts() : null;
  const template = own ?? chat?.template ?? (await loadTemplate(config.data.template, options.signal));
  const prepare = chat?.prepare ?? (() => Promise.resolve());
  const given = options.reward ?? environment?.reward;
  const loaded = given ? givenReward(given, options) : await loadReward(config, options);
  const { reward, checkProblems, close: closeReward } = loaded;
  const needs = {
    wholeRows: play !== null || options.reward !== undefined || namesRowCode(config),
    columns: everyPart(config.reward).flatMap((part) =>
      part.name === 'by-source' && part.column !== undefined ? [part.column] : [],
    ),
    messages: environment?.prompt !== undefined || readsMessages(config.data.template),
    golds: given === undefined && [config.reward].flat().some(({ name }) => name === 'math'),
  };
  return { template, prepare, reward, play, needs, checkProblems, closeReward };
}
