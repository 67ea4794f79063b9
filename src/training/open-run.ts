/** Gathers what a run needs: config, models, problems, template, reward, estimator and the run folder. */
import { existsSync } from 'node:fs';
import { algorithms, type Advantages, type AlgorithmName, type Estimator } from '../algorithms';
import { loadProblems, type DatasetOptions, type Problem } from '../data/dataset';
import { loadTemplate, type Template } from '../data/template';
import { ZeroRlError } from '../errors';
import { defaultThreads } from '../policy/device';
import { makeFolder } from '../policy/atomic-file';
import { combineRewards, rewards, type RewardFunction, type WeightedReward } from '../rewards';
import { loadUserReward, type UserReward } from '../rewards/user-reward';
import { isUserCode, loadUserCode } from '../user-code';
import { initialState, listCheckpoints, readTrainerState, removePartial, type TrainerState } from './checkpoint';
import { loadCompanions, type Companions } from './companions';
import type { TrainConfig } from './config';
import { RunFolder, runFiles } from './run-folder';
import { readRollbacks } from './rollback';
import { lockRun } from './run-lock';
import type { LoadCritic, LoadPolicy, TrainingPolicy } from './training-policy';

/** What a run reads beside models and folder. */
export interface RunInputs {
  problems: Problem[];
  heldOut: Problem[];
  template: Template;
  reward: RewardFunction;
  estimator: Estimator;
  /** Ends the threads of the reward. */
  closeReward: () => void;
}

/** Everything the loop reads; `state` alone changes. */
export interface Run extends RunInputs, Companions {
  config: TrainConfig;
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
  estimator?: Estimator;
  resume?: string;
  loadPolicy: LoadPolicy;
  loadCritic: LoadCritic;
  warn: (message: string) => void;
}

/** The reward of a config: one part as it is, several as their weighted sum. `close` ends the threads of user code. */
export async function loadReward({ reward }: TrainConfig, warn: (message: string) => void): Promise<UserReward> {
  const parts: WeightedReward[] = [];
  const closers: (() => void)[] = [];
  const close = (): void => closers.forEach((closePart) => closePart());
  try {
    for (const part of Array.isArray(reward) ? reward : [reward]) {
      const { weight } = part;
      if (part.name === 'math') parts.push({ reward: rewards.math(part), weight });
      else if (part.name === 'format') parts.push({ reward: rewards.format(part), weight });
      else {
        const user = await loadUserReward(part.code, { timeoutSeconds: part.timeoutSeconds, warn });
        parts.push({ reward: user.reward, weight });
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

/** Where held-out problems come from: a generator keeps some apart, a file does not. */
export function evaluationSource({ data }: TrainConfig): string | undefined {
  return data.evaluation ?? (data.train === 'arithmetic' ? data.train : undefined);
}

function datasetOptions({ data }: TrainConfig, split: DatasetOptions['split'], count: number): DatasetOptions {
  return {
    split,
    count,
    arithmetic: data.arithmetic,
    problemKey: data.problemKey,
    answerKey: data.answerKey,
  };
}

async function loadHeldOut(config: TrainConfig, warn: (message: string) => void): Promise<Problem[]> {
  const source = evaluationSource(config);
  const wanted = config.evaluation.problems;
  if (source === undefined) {
    warn('data.evaluation is not set, so nothing is evaluated');
    return [];
  }
  const problems = await loadProblems(source, datasetOptions(config, 'heldOut', wanted));
  if (problems.length < wanted)
    warn(`${source} holds ${problems.length} problems; evaluation.problems asks for ${wanted}`);
  return problems.slice(0, wanted);
}

/** Loads data, template, reward and estimator, and checks that the model folders are there. */
export async function loadInputs(
  config: TrainConfig,
  options: Pick<OpenOptions, 'reward' | 'estimator' | 'warn'>,
): Promise<RunInputs> {
  const template = await loadTemplate(config.data.template);
  const estimator = options.estimator ? checkedEstimator(options.estimator, 'given') : await loadEstimator(config);
  const problems = await loadProblems(config.data.train, datasetOptions(config, 'train', config.data.count));
  const heldOut = await loadHeldOut(config, options.warn);
  for (const model of [config.model, config.referenceModel, config.critic.model]) {
    if (model !== undefined && !existsSync(model)) {
      throw new ZeroRlError(
        'ERR_ZERO_RL_CHECKPOINT',
        `There is no model folder ${model}; give one that exists for model`,
      );
    }
  }
  // Last, since it may have started threads.
  const { reward, close: closeReward } = options.reward
    ? { reward: options.reward, close: () => undefined }
    : await loadReward(config, options.warn);
  return { problems, heldOut, template, reward, estimator, closeReward };
}

/**
 * Opens a new run, or `options.resume` at its newest whole checkpoint (at the start where it has none). What later steps had
 * written is forgotten: they are done again.
 */
export async function openRun(given: TrainConfig, options: OpenOptions): Promise<Run> {
  // Kept in the folder, since the number of threads may change the last bits of a sum.
  const config = { ...given, threads: given.threads ?? defaultThreads() };
  const inputs = await loadInputs(config, options);
  const closers: (() => void)[] = [inputs.closeReward];
  const close = (): void => {
    while (closers.length > 0) closers.pop()?.();
  };
  const { dtype, device, threads } = config;
  const opened = (model: { dispose(): void }): void => void closers.push(() => model.dispose());
  const load = async (directory: string): Promise<TrainingPolicy> => {
    const policy = await options.loadPolicy(directory, { dtype, device, threads });
    opened(policy);
    return policy;
  };
  const companions = (checkpoint?: string): Promise<Companions> =>
    loadCompanions(config, checkpoint, { policy: options.loadPolicy, critic: options.loadCritic }, opened);
  const lock = (folder: RunFolder): RunFolder => {
    closers.push(lockRun(folder.path));
    return folder;
  };
  try {
    if (options.resume === undefined) {
      // A model that cannot be loaded leaves no run folder behind.
      await makeFolder(config.output);
      const policy = await load(config.model);
      const beside = await companions();
      const folder = lock(await RunFolder.create(config));
      return { ...inputs, config, folder, policy, ...beside, state: initialState(), rollbacks: 0, close };
    }
    const folder = lock(RunFolder.open(options.resume));
    const checkpoints = folder.file(runFiles.checkpoints);
    removePartial(checkpoints);
    const checkpoint = listCheckpoints(checkpoints).at(-1);
    const state = checkpoint ? readTrainerState(checkpoint.path) : initialState();
    const policy = await load(checkpoint?.path ?? config.model);
    if (checkpoint) await policy.loadTrainingState(checkpoint.path);
    const beside = await companions(checkpoint?.path);
    await folder.truncateTo(state.step);
    await folder.writeConfig(config);
    return { ...inputs, config, folder, policy, ...beside, state, rollbacks: readRollbacks(folder), close };
  } catch (error) {
    close();
    throw error;
  }
}
