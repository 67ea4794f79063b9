/** Gathers what a run needs: config, models, problems, template, reward, estimator and the run folder. */
import { existsSync } from 'node:fs';
import { algorithms, type Advantages, type AlgorithmName, type Estimator } from '../algorithms';
import { loadTemplate, type Template } from '../data/template';
import { ZeroRlError } from '../errors';
import { defaultThreads } from '../policy/device';
import { modelFolder, type ModelFolder } from '../hub/model';
import type { Environment } from '../environments/environment';
import { checkEnvironment, loadEnvironment } from '../environments/load';
import { makeFolder, writeFileAtomically } from '../policy/atomic-file';
import { combineRewards, rewards, type RewardFunction, type WeightedReward } from '../rewards';
import { limitReward } from '../rewards/time-limit';
import { loadUserReward, type UserReward } from '../rewards/user-reward';
import { isUserCode, loadUserCode } from '../user-code';
import {
  initialState,
  listCheckpoints,
  pruneCheckpoints,
  readTrainerState,
  removePartial,
  type TrainerState,
} from './checkpoint';
import { loadCompanions, type Companions } from './companions';
import { environmentLimits, type TrainConfig } from './config';
import { moderateProblems } from './difficulty';
import { loadData, type RunData } from './load-data';
import { resolveMemoryBudget, resolveStopTokens } from './phase-options';
import type { Play } from './rollouts';
import { RunFolder, runFiles } from './run-folder';
import { finishRollback, readRollbacks } from './rollback';
import { lockRun } from './run-lock';
import type { LoadCritic, LoadPolicy, TrainingPolicy } from './training-policy';

/** What a run reads beside models and folder. */
export interface RunInputs extends Omit<RunData, 'data'> {
  /** With models and datasets of the hub at the commits in use. */
  config: TrainConfig;
  /** The same with the folders of the models in their places. */
  located: TrainConfig;
  template: Template;
  reward: RewardFunction;
  estimator: Estimator;
  /** Null where completions have one turn. */
  play: Play | null;
  /** Ends the threads of the reward. */
  closeReward: () => void;
}

/** Everything the loop reads; `state` alone changes. */
export interface Run extends RunInputs, Companions {
  folder: RunFolder;
  policy: TrainingPolicy;
  state: TrainerState;
  /** Times that the watchdog has gone back to a checkpoint. */
  rollbacks: number;
  /** Frees the models and unlocks the folder. */
  close(): void;
}

export interface OpenOptions {
  reward?: RewardFunction;
  /** Limit of `reward`, default {@link REWARD_TIMEOUT_SECONDS}; null: none. */
  rewardTimeoutSeconds?: number | null;
  estimator?: Estimator;
  environment?: Environment;
  resume?: string;
  signal?: AbortSignal;
  loadPolicy: LoadPolicy;
  /** Told while the pass rates of problems are measured. */
  onDifficulty?: (measured: number, total: number) => void;
  loadCritic: LoadCritic;
  warn: (message: string) => void;
}

/** The reward of a config: one part as it is, several as their weighted sum. `close` ends the threads of user code. */
export async function loadReward(
  { reward, rollout }: TrainConfig,
  warn: (message: string) => void,
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
        const user = await loadUserReward(part.code, { timeoutSeconds: part.timeoutSeconds, warn });
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

/** The estimator of a config, by name or from user code. */
export async function loadEstimator({ algorithm: { name } }: TrainConfig): Promise<Estimator> {
  if (!isUserCode(name)) return algorithms[name as AlgorithmName];
  const code = await loadUserCode(name, 'estimator');
  if (typeof code !== 'function')
    throw new ZeroRlError('ERR_ZERO_RL_CONFIG', `${name} is not a function; an estimator needs to be one`);
  return checkedEstimator(code as Estimator, name);
}

/** An estimator of one's own must give finite numbers in the shape of the responses. */
export function checkedEstimator(estimator: Estimator, name: string): Estimator {
  return (input, options): Advantages => {
    const advantages = estimator(input, options) as unknown;
    if (!Array.isArray(advantages) || advantages.length !== input.lengths.length) {
      throw new ZeroRlError(
        'ERR_ZERO_RL_DATA',
        `The estimator ${name} must return ${input.lengths.length} arrays, one per sequence`,
      );
    }
    return advantages.map((row: ArrayLike<number>, i) => {
      const values = Float32Array.from(row);
      if (values.length !== input.lengths[i] || !values.every(Number.isFinite)) {
        throw new ZeroRlError(
          'ERR_ZERO_RL_DATA',
          `The estimator ${name} must return ${input.lengths[i]} finite numbers for sequence ${i}`,
        );
      }
      return values;
    });
  };
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
    'environment has no code and none is given to train; set environment.code',
  );
}

const REWARD_TIMEOUT_SECONDS = 30;

function limited(
  reward: RewardFunction,
  {
    rewardTimeoutSeconds: timeoutSeconds = REWARD_TIMEOUT_SECONDS,
    warn,
  }: Pick<OpenOptions, 'rewardTimeoutSeconds' | 'warn'>,
): RewardFunction {
  return timeoutSeconds === null ? reward : limitReward(reward, { timeoutSeconds, warn });
}

async function modelToLoad(model: string, signal?: AbortSignal): Promise<ModelFolder> {
  const found = await modelFolder(model, signal);
  if (existsSync(found.folder)) return found;
  throw new ZeroRlError(
    'ERR_ZERO_RL_CHECKPOINT',
    `There is no model folder ${model}; give one that exists, or org/name for a model of the Hugging Face hub`,
  );
}

/**
 * Loads data, template, reward and estimator, and downloads models of the hub.
 *
 * @throws ZeroRlError also `ERR_ZERO_RL_HUB`, and `ERR_ZERO_RL_CHECKPOINT` when there is no such model folder
 */
export async function loadInputs(
  config: TrainConfig,
  options: Omit<OpenOptions, 'resume' | 'loadPolicy' | 'loadCritic' | 'onDifficulty'>,
): Promise<RunInputs> {
  const { warn, signal } = options;
  const environment = await findEnvironment(config, options.environment);
  const template = environment?.prompt?.bind(environment) ?? (await loadTemplate(config.data.template));
  const estimator = options.estimator ? checkedEstimator(options.estimator, 'given') : await loadEstimator(config);
  const model = await modelToLoad(config.model, signal);
  const beside = async (name: string | undefined): Promise<ModelFolder | undefined> =>
    name === undefined ? undefined : modelToLoad(name, signal);
  const reference = await beside(config.referenceModel);
  const critic = await beside(config.critic.model);
  const { data, ...loaded } = await loadData(config, { warn, signal });
  const withModels = (form: keyof ModelFolder): TrainConfig => ({
    ...config,
    model: model[form],
    ...(reference === undefined ? {} : { referenceModel: reference[form] }),
    critic: { ...config.critic, ...(critic === undefined ? {} : { model: critic[form] }) },
    data,
  });
  // Last, since it may have started threads.
  const given = options.reward ?? environment?.reward;
  const { reward, close: closeReward } = given
    ? { reward: limited(given, options), close: () => undefined }
    : await loadReward(config, warn);
  return {
    ...loaded,
    config: withModels('pinned'),
    located: withModels('folder'),
    template,
    reward,
    estimator,
    play: environment && { environment, ...environmentLimits(config) },
    closeReward,
  };
}

/**
 * Opens a new run, or `options.resume` at its newest whole checkpoint (at the start where it has none). What later steps had
 * written is forgotten: they are done again.
 */
export async function openRun(given: TrainConfig, options: OpenOptions): Promise<Run> {
  // Kept in the folder, since the number of threads and the micro-batches may change the last bits of a sum.
  const fixed = { ...given, threads: given.threads ?? defaultThreads() };
  const inputs = await loadInputs(fixed, options).catch((cause: unknown) => {
    if (!options.signal?.aborted) throw cause;
    throw new ZeroRlError('ERR_ZERO_RL_ABORTED', 'The run was stopped before it began', { cause });
  });
  const closers: (() => void)[] = [inputs.closeReward];
  const close = (): void => {
    while (closers.length > 0) closers.pop()?.();
  };
  const { dtype, masterWeights, device, threads } = inputs.config;
  const opened = (model: { dispose(): void }): void => void closers.push(() => model.dispose());
  const load = async (directory: string): Promise<TrainingPolicy> => {
    const policy = await options.loadPolicy(directory, { dtype, masterWeights, device, threads });
    opened(policy);
    return policy;
  };
  const companions = (policy: TrainingPolicy, checkpoint?: string): Promise<Companions> =>
    loadCompanions(
      inputs.located,
      policy,
      checkpoint,
      { policy: options.loadPolicy, critic: options.loadCritic },
      opened,
    );
  const lock = (folder: RunFolder): RunFolder => {
    closers.push(lockRun(folder.path));
    return folder;
  };
  const ready = async (
    config: TrainConfig,
    folder: RunFolder,
    models: { policy: TrainingPolicy } & Companions,
    state: TrainerState,
  ): Promise<Run> => {
    const { policy } = models;
    const { leaked } = inputs;
    if (leaked.length > 0) {
      const rows = leaked.map((row) => `${JSON.stringify(row)}\n`).join('');
      await writeFileAtomically(folder.file(runFiles.leakage), rows);
    }
    const file = folder.file(runFiles.difficulty);
    const { signal, onDifficulty: onProgress } = options;
    const kept = await moderateProblems({ ...inputs, config, policy, file, signal, onProgress }).catch(
      (cause: unknown) => {
        if (!signal?.aborted) throw cause;
        const message = `The run stopped before its first step; go on with resume: ${folder.path}`;
        throw new ZeroRlError('ERR_ZERO_RL_ABORTED', message, { cause });
      },
    );
    return { ...inputs, ...kept, ...models, config, folder, state, rollbacks: readRollbacks(folder), close };
  };
  try {
    if (options.resume === undefined) {
      // A model that cannot be loaded leaves no run folder behind.
      await makeFolder(inputs.config.output);
      const policy = await load(inputs.located.model);
      const beside = await companions(policy);
      const config = resolveMemoryBudget(resolveStopTokens(inputs.config, policy), policy);
      return await ready(config, lock(await RunFolder.create(config)), { policy, ...beside }, initialState());
    }
    const folder = lock(RunFolder.open(options.resume));
    const checkpoints = folder.file(runFiles.checkpoints);
    removePartial(checkpoints);
    await finishRollback(folder);
    pruneCheckpoints(checkpoints, inputs.config.checkpoint.keep);
    const checkpoint = listCheckpoints(checkpoints).at(-1);
    const state = checkpoint ? readTrainerState(checkpoint.path) : initialState();
    const policy = await load(checkpoint?.path ?? inputs.located.model);
    if (checkpoint) await policy.loadTrainingState(checkpoint.path);
    const beside = await companions(policy, checkpoint?.path);
    const config = resolveMemoryBudget(resolveStopTokens(inputs.config, policy), policy);
    await folder.truncateTo(state.step, state.unfinished ? state.step - 1 : state.step);
    await folder.writeConfig(config);
    return await ready(config, folder, { policy, ...beside }, state);
  } catch (error) {
    close();
    throw error;
  }
}
