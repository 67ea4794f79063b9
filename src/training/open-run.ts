/** Gathers what a run needs: config, models, problems, template, reward, estimator and the run folder. */
import { algorithms, type Advantages, type AlgorithmName, type Estimator } from '../algorithms';
import type { Problem } from '../data/dataset';
import { ZeroRlError } from '../errors';
import { defaultThreads } from '../policy/device';
import type { ModelFolder } from '../hub/model';
import { makeFolder, writeFileAtomically } from '../policy/atomic-file';
import { isUserCode, loadUserCode, userCodeThrew } from '../user-code';
import {
  initialState,
  listCheckpoints,
  pruneCheckpoints,
  readTrainerState,
  removePartial,
  type TrainerState,
} from './checkpoint';
import { loadCompanions, type Companions } from './companions';
import { needsCritic, needsReference, type TrainConfig } from './config';
import { checkGroups, configAdvice } from './config-advice';
import { moderateProblems } from './difficulty';
import { loadData, type RunData } from './load-data';
import { loadTask, type Task, type TaskOptions } from './load-task';
import { locateModel } from './locate-model';
import { openPolicy, type OpenPolicy } from './open-policy';
import { checkDrawnPrompts, fittingProblems } from './prompt-length';
import { RunFolder, runFiles } from './run-folder';
import { finishRollback, readRollbacks } from './rollback';
import { lockRun, type RunLock } from './run-lock';
import { abortable, type LoadCritic, type LoadPolicy, type TrainingPolicy } from './training-policy';

/** What a run reads beside models and folder. */
export interface RunInputs extends Omit<RunData, 'data'>, Task {
  /** With models and datasets of the hub at the commits in use. */
  config: TrainConfig;
  /** The same with the folders of the models in their places. */
  located: TrainConfig;
  estimator: Estimator;
}

/** Everything the loop reads; `state` alone changes. */
export interface Run extends RunInputs, Companions {
  folder: RunFolder;
  lock: RunLock;
  policy: TrainingPolicy;
  state: TrainerState;
  /** Times that the watchdog has gone back to a checkpoint. */
  rollbacks: number;
  /** Frees the models and unlocks the folder. */
  close(): void;
}

export interface InputOptions extends TaskOptions {
  /** Instead of the config's algorithm. */
  estimator?: Estimator;
}

export interface OpenOptions extends InputOptions {
  resume?: string;
  loadPolicy: LoadPolicy;
  /** Told while the pass rates of problems are measured. */
  onDifficulty?: (measured: number, total: number) => void;
  loadCritic: LoadCritic;
}

/** The estimator of a config, by name or from user code. */
export async function loadEstimator({ algorithm: { name } }: TrainConfig, signal?: AbortSignal): Promise<Estimator> {
  if (!isUserCode(name)) return algorithms[name as AlgorithmName];
  const code = await loadUserCode(name, 'estimator', signal);
  if (typeof code !== 'function')
    throw new ZeroRlError('ERR_ZERO_RL_CONFIG', `${name} is not a function; an estimator needs to be one`);
  return checkedEstimator(code as Estimator, name);
}

/** An estimator of one's own must give finite numbers in the shape of the responses. */
export function checkedEstimator(estimator: Estimator, name: string): Estimator {
  return (input, options): Advantages => {
    let advantages: unknown;
    try {
      advantages = estimator(input, options);
    } catch (cause) {
      throw userCodeThrew(`The estimator ${name} threw`, cause);
    }
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

/**
 * Loads data, environment, template, reward and estimator, and downloads models of the hub.
 *
 * @throws ZeroRlError also `ERR_ZERO_RL_HUB`, and `ERR_ZERO_RL_CHECKPOINT` when there is no such model folder
 */
export async function loadInputs(config: TrainConfig, options: InputOptions): Promise<RunInputs> {
  const { warn, signal } = options;
  signal?.throwIfAborted();
  if (!options.estimator) checkGroups(config);
  for (const message of configAdvice(config, options.estimator !== undefined)) warn(message);
  const estimator = options.estimator
    ? checkedEstimator(options.estimator, 'given')
    : await loadEstimator(config, signal);
  const task = await loadTask(config, options);
  try {
    const model = await locateModel(config.model, signal);
    const beside = async (name: string | undefined): Promise<ModelFolder | undefined> =>
      name === undefined ? undefined : locateModel(name, signal);
    const reference = needsReference(config) ? await beside(config.referenceModel) : undefined;
    const critic = needsCritic(config) ? await beside(config.critic.model) : undefined;
    const { data, ...loaded } = await loadData(config, { warn, signal, needs: task.needs });
    task.checkProblems([...loaded.problems, ...loaded.heldOut]);
    const withModels = (form: keyof ModelFolder): TrainConfig => ({
      ...config,
      model: model[form],
      ...(reference === undefined ? {} : { referenceModel: reference[form] }),
      critic: { ...config.critic, ...(critic === undefined ? {} : { model: critic[form] }) },
      data,
    });
    return { ...loaded, ...task, config: withModels('pinned'), located: withModels('folder'), estimator };
  } catch (error) {
    task.closeReward();
    throw error;
  }
}

/**
 * Opens a new run, or `options.resume` at its newest whole checkpoint (at the start where it has none). What later steps had
 * written is forgotten: they are done again.
 */
export async function openRun(given: TrainConfig, options: OpenOptions): Promise<Run> {
  // Kept in the folder, since the number of threads and the micro-batches may change the last bits of a sum.
  const fixed = { ...given, threads: given.threads ?? defaultThreads() };
  const { signal, warn } = options;
  let goOn = options.resume === undefined ? '' : `; go on with resume: ${options.resume}`;
  const stopped = (cause: unknown): unknown =>
    signal?.aborted
      ? new ZeroRlError('ERR_ZERO_RL_ABORTED', `The run was stopped before it began${goOn}`, { cause })
      : cause;
  const loadPolicy = abortable(options.loadPolicy, signal);
  const loadCritic = abortable(options.loadCritic, signal);
  const inputs = await loadInputs(fixed, options).catch((cause: unknown) => {
    throw stopped(cause);
  });
  const closers: (() => void)[] = [inputs.closeReward];
  const close = (): void => {
    while (closers.length > 0) closers.pop()?.();
  };
  const opened = (model: { dispose(): void }): void => void closers.push(() => model.dispose());
  const load = async (directory: string): Promise<OpenPolicy> => {
    const open = await openPolicy(directory, inputs.config, loadPolicy);
    opened(open.policy);
    return open;
  };
  const companions = (policy: TrainingPolicy, checkpoint?: string): Promise<Companions> =>
    loadCompanions(inputs.located, policy, checkpoint, { policy: loadPolicy, critic: loadCritic }, opened);
  const lockFolder = async (folder: RunFolder): Promise<RunLock> => {
    const lock = await lockRun(folder.path, options);
    closers.push(() => lock.release());
    return lock;
  };
  /** Looks at the lengths of prompts; returns the held-out problems that fit. */
  const checkPrompts = async (config: TrainConfig, policy: TrainingPolicy, done: number): Promise<Problem[]> => {
    const { problems, parts } = inputs;
    const input = { ...inputs, config, policy, signal, warn };
    const heldOut = await fittingProblems('held-out', inputs.heldOut, input);
    // Those whose difficulty is measured are looked at then.
    if (!config.data.difficulty) await checkDrawnPrompts(problems, parts, done, input);
    return heldOut;
  };
  const ready = async (
    config: TrainConfig,
    folder: RunFolder,
    lock: RunLock,
    { heldOut, ...models }: { policy: TrainingPolicy; heldOut: Problem[] } & Companions,
    state: TrainerState,
  ): Promise<Run> => {
    const { policy } = models;
    const { leaked } = inputs;
    if (leaked.length > 0) {
      const rows = leaked.map((row) => `${JSON.stringify(row)}\n`).join('');
      await writeFileAtomically(folder.file(runFiles.leakage), rows);
    }
    const file = folder.file(runFiles.difficulty);
    const { onDifficulty: onProgress } = options;
    const kept = await moderateProblems({ ...inputs, config, policy, file, signal, warn, onProgress });
    return {
      ...inputs,
      ...kept,
      ...models,
      heldOut,
      config,
      folder,
      lock,
      state,
      rollbacks: readRollbacks(folder),
      close,
    };
  };
  try {
    if (options.resume === undefined) {
      // A model that cannot be loaded, and prompts that are refused, leave no run folder behind.
      await makeFolder(inputs.config.output);
      const { policy, config } = await load(inputs.located.model);
      const heldOut = await checkPrompts(config, policy, 0);
      const beside = await companions(policy);
      signal?.throwIfAborted();
      const folder = await RunFolder.create(config);
      goOn = `; go on with resume: ${folder.path}`;
      return await ready(config, folder, await lockFolder(folder), { policy, heldOut, ...beside }, initialState());
    }
    const folder = RunFolder.open(options.resume);
    const lock = await lockFolder(folder);
    const checkpoints = folder.file(runFiles.checkpoints);
    removePartial(checkpoints);
    await finishRollback(folder);
    pruneCheckpoints(checkpoints, inputs.config.checkpoint.keep);
    const checkpoint = listCheckpoints(checkpoints).at(-1);
    const state = checkpoint ? readTrainerState(checkpoint.path) : initialState();
    const { policy, config } = await load(checkpoint?.path ?? inputs.located.model);
    const heldOut = await checkPrompts(config, policy, state.step);
    if (checkpoint) await policy.loadTrainingState(checkpoint.path);
    const beside = await companions(policy, checkpoint?.path);
    await folder.truncateTo(state.step, state.unfinished ? state.step - 1 : state.step);
    await folder.writeConfig(config);
    return await ready(config, folder, lock, { policy, heldOut, ...beside }, state);
  } catch (error) {
    close();
    throw stopped(error);
  }
}
