/** Gathers what a run needs: config, models, problems, template, reward, estimator and the run folder. */
import { algorithms, type Advantages, type AlgorithmName, type Estimator } from '../algorithms';
import { ZeroRlError } from '../errors';
import { defaultThreads } from '../policy/device';
import type { ModelFolder } from '../hub/model';
import { makeFolder, writeFileAtomically } from '../policy/atomic-file';
import { dirname } from 'node:path';
import { isUserCode, loadUserCode, userCodeThrew } from '../user-code';
import { initialState, type TrainerState } from './checkpoint';
import { loadCompanions, type Companions, type SavedModels } from './companions';
import { needsCritic, needsReference, type TrainConfig, type TrainConfigInput } from './config';
import { checkGroups, configAdvice } from './config-advice';
import { noteData } from './data-record';
import { moderateProblems } from './difficulty';
import { findKeptModels, keepModels, keepReference, startsFromModel } from './kept-models';
import { readYamlFile, resolveConfig } from './load-config';
import { loadData, type RunData } from './load-data';
import { loadTask, type Task, type TaskOptions } from './load-task';
import { locateModel } from './locate-model';
import { openPolicy } from './open-policy';
import { checkDrawnPrompts, fittingProblems } from './prompt-length';
import { findResumePoint, type ResumePoint } from './resume-point';
import { RunFolder, runFiles } from './run-folder';
import { readRollbacks } from './rollback';
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
  /** Of each time that the watchdog has gone back to a checkpoint, its step. */
  rollbacks: readonly number[];
  /** Frees the models and unlocks the folder. */
  close(): void;
}

export interface InputOptions extends TaskOptions {
  /** Instead of the config's algorithm. */
  estimator?: Estimator;
}

export interface OpenOptions extends InputOptions {
  resume?: string;
  /** See {@link findResumePoint}. */
  discardSteps?: boolean;
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
 * Loads data, environment, template, reward and estimator, and downloads models of the hub, those alone that are not `saved`.
 *
 * @throws ZeroRlError also `ERR_ZERO_RL_HUB`, and `ERR_ZERO_RL_CHECKPOINT` when there is no such model folder
 */
export async function loadInputs(
  config: TrainConfig,
  options: InputOptions,
  saved: SavedModels = {},
): Promise<RunInputs> {
  const { warn, signal } = options;
  signal?.throwIfAborted();
  if (!options.estimator) checkGroups(config);
  for (const message of configAdvice(config, options.estimator !== undefined)) warn(message);
  const estimator = options.estimator
    ? checkedEstimator(options.estimator, 'given')
    : await loadEstimator(config, signal);
  const task = await loadTask(config, options);
  try {
    const locate = async (name: string, wanted: boolean): Promise<ModelFolder> =>
      wanted ? locateModel(name, signal) : { folder: name, pinned: name };
    const beside = async (name: string | undefined, wanted: boolean): Promise<ModelFolder | undefined> =>
      name === undefined ? undefined : locate(name, wanted);
    const model = await locate(config.model, startsFromModel(config, saved));
    const reference = await beside(config.referenceModel, needsReference(config) && saved.reference === undefined);
    const critic = await beside(config.critic.model, needsCritic(config) && saved.critic === undefined);
    const { data, ...loaded } = await loadData(config, { warn, signal, needs: task.needs });
    task.checkProblems([...loaded.problems, ...loaded.heldOut]).forEach((message) => warn(message));
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

/** A run folder to go on with. */
interface Resumed extends ResumePoint {
  folder: RunFolder;
  lock: RunLock;
  /** With the models that the run began with, and in the place where its folder lies now. */
  config: TrainConfig;
}

async function resumeFolder(path: string, given: TrainConfig, lock: RunLock, options: OpenOptions): Promise<Resumed> {
  const folder = RunFolder.open(path);
  const source = folder.file(runFiles.config);
  const recorded = resolveConfig(readYamlFile(source) as TrainConfigInput, source);
  const config = { ...keepModels(given, recorded, folder), output: dirname(folder.path) };
  const point = await findResumePoint(folder, recorded, config.checkpoint.keep, options);
  return { ...point, folder, lock, config };
}

/**
 * Opens a new run, or `options.resume` at its newest whole checkpoint (at the start where it has none). What later steps had
 * written is forgotten: they are done again.
 */
export async function openRun(given: TrainConfig, options: OpenOptions): Promise<Run> {
  const { signal, onDifficulty: onProgress, warn } = options;
  let goOn = options.resume === undefined ? '' : `; go on with resume: ${options.resume}`;
  const closers: (() => void)[] = [];
  const close = (): void => {
    while (closers.length > 0) closers.pop()?.();
  };
  const opened = (model: { dispose(): void }): void => void closers.push(() => model.dispose());
  const lockFolder = async (path: string): Promise<RunLock> => {
    const lock = await lockRun(path, options);
    closers.push(() => lock.release());
    return lock;
  };
  try {
    const resumed =
      options.resume === undefined
        ? null
        : await resumeFolder(options.resume, given, await lockFolder(RunFolder.open(options.resume).path), options);
    const wanted = resumed?.config ?? given;
    const saved = resumed ? await findKeptModels(resumed.folder, resumed.checkpoint) : {};
    // Kept in the folder, since the number of threads and the micro-batches may change the last bits of a sum.
    const fixed = { ...wanted, threads: wanted.threads ?? defaultThreads() };
    const inputs = await loadInputs(fixed, options, saved);
    closers.push(inputs.closeReward);
    // A model that cannot be loaded, and prompts that are refused, leave no run folder behind.
    await makeFolder(inputs.config.output);
    const load = { policy: abortable(options.loadPolicy, signal), critic: abortable(options.loadCritic, signal) };
    const { policy, config } = await openPolicy(
      saved.policy ?? inputs.located.model,
      inputs.config,
      load.policy,
      inputs,
    );
    opened(policy);
    const state = resumed?.state ?? initialState();
    const input = { ...inputs, config, policy, signal, warn };
    const heldOut = await fittingProblems('held-out', inputs.heldOut, input);
    // Those whose difficulty is measured are looked at then.
    if (!config.data.difficulty) await checkDrawnPrompts(inputs.problems, inputs.parts, state.step, input);
    if (saved.policy !== undefined) await policy.loadTrainingState(saved.policy);
    const companions = await loadCompanions(inputs.located, policy, saved, load, opened);
    signal?.throwIfAborted();

    const folder = resumed?.folder ?? (await RunFolder.create(config));
    goOn = `; go on with resume: ${folder.path}`;
    const lock = resumed?.lock ?? (await lockFolder(folder.path));
    if (resumed) {
      await folder.truncateTo(state.step, state.unfinished ? state.step - 1 : state.step);
      await folder.writeConfig(config);
    }
    await noteData(folder, inputs, warn);
    await keepReference(folder, config, companions.reference);
    if (inputs.leaked.length > 0) {
      const rows = inputs.leaked.map((row) => `${JSON.stringify(row)}\n`).join('');
      await writeFileAtomically(folder.file(runFiles.leakage), rows);
    }
    const file = folder.file(runFiles.difficulty);
    const kept = await moderateProblems({ ...input, file, onProgress });
    const rollbacks = readRollbacks(folder);
    return { ...inputs, ...kept, ...companions, heldOut, policy, config, folder, lock, state, rollbacks, close };
  } catch (error) {
    close();
    if (!signal?.aborted) throw error;
    throw new ZeroRlError('ERR_ZERO_RL_ABORTED', `The run was stopped before it began${goOn}`, { cause: error });
  }
}
