/**
 * Checkpoints of a run: checkpoints/step-N holds a Hugging Face model folder, optimizer.safetensors (exact float32 state)
 * and trainer-state.json, with the critic and a reference that follows in folders of their own, and the sums of them all. A checkpoint is written under a temporary name, flushed
 * and renamed, so those that can be seen are whole.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ZeroRlError } from '../errors';
import type { StepMetrics } from '../observe/metrics';
import { output, syncFolder, writeFileAtomically } from '../policy/atomic-file';
import { findDamage, writeSums } from './checksums';
import { saveCompanions, type Companions } from './companions';
import type { TrainConfig } from './config';
import type { Evaluation } from './evaluate';
import type { TrainingPolicy } from './training-policy';

const STATE_FILE = 'trainer-state.json';
const STATE_VERSION = 1;
/** What is being written or deleted. */
const PARTIAL = '.partial';
/** What is being replaced. */
const ASIDE = '.aside';

/** What the loop carries from step to step beside weights and moments. */
export interface TrainerState {
  version: number;
  /** Steps done. */
  step: number;
  /** Running baseline of REINFORCE; null before the first step. */
  baseline: number | null;
  /** What the coefficients of the KL are multiplied by; see kl.target. */
  klScale: number;
  /** Coefficient of the entropy bonus where it is steered; null before the first step. */
  entropyCoefficient: number | null;
  /** The best evaluation so far, where checkpoint.best asks for it. */
  best: { step: number; value: number } | null;
  /** Metrics of the last step where the run ended before they were written: its evaluation is still to be done. */
  unfinished: StepMetrics | null;
  /** Seconds spent in steps and in all, over every session of the run. */
  seconds: { training: number; total: number };
}

export function initialState(): TrainerState {
  return {
    version: STATE_VERSION,
    step: 0,
    baseline: null,
    klScale: 1,
    entropyCoefficient: null,
    best: null,
    unfinished: null,
    seconds: { training: 0, total: 0 },
  };
}

/** What a checkpoint is made of. */
export interface CheckpointSource extends Companions {
  config: TrainConfig;
  policy: TrainingPolicy;
  state: TrainerState;
}

/** N of `step-N`; NaN for other names. */
export const stepOf = (name: string): number => Number(/^step-(\d+)$/.exec(name)?.[1] ?? NaN);

/**
 * That `checkpoint.best` has something to go by, before a run relies on it.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG`
 */
export function checkBest({ checkpoint }: TrainConfig, evaluation: Evaluation): void {
  if (checkpoint.best === 'none' || evaluation[checkpoint.best] !== null) return;
  throw new ZeroRlError(
    'ERR_ZERO_RL_CONFIG',
    checkpoint.best === 'accuracy'
      ? 'checkpoint.best: accuracy has nothing to go by, since the reward says of no held-out sample whether it is correct; return { reward, correct } from it, or set checkpoint.best to rewardMean'
      : 'checkpoint.best: rewardMean has nothing to go by, since the reward can score no held-out sample; check the answers of the data and the reward',
  );
}

/** Takes note of an evaluation; true where it is the best so far and its checkpoint is to be kept. */
export function noteBest({ checkpoint }: TrainConfig, state: TrainerState, evaluation: Evaluation): boolean {
  if (checkpoint.best === 'none') return false;
  const value = evaluation[checkpoint.best];
  if (value === null) return false;
  if (state.best !== null && value <= state.best.value) return false;
  state.best = { step: state.step, value };
  return true;
}

/** A whole checkpoint. */
export interface SavedCheckpoint {
  step: number;
  path: string;
}

/** Whole checkpoints in `folder`, oldest first. */
export function listCheckpoints(folder: string): SavedCheckpoint[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => !Number.isNaN(stepOf(name)) && existsSync(join(folder, name, STATE_FILE)))
    .map((name) => ({ step: stepOf(name), path: join(folder, name) }))
    .sort((a, b) => a.step - b.step);
}

/**
 * Writes step-N and deletes what {@link pruneCheckpoints} does not keep. A failure leaves the older checkpoints as they were,
 * one of the same step too.
 *
 * @returns The path of the checkpoint.
 * @throws ZeroRlError `ERR_ZERO_RL_OUTPUT`
 */
export async function saveCheckpoint(
  folder: string,
  { config, policy, state, ...companions }: CheckpointSource,
): Promise<string> {
  const path = join(folder, `step-${state.step}`);
  const partial = join(folder, `.step-${state.step}${PARTIAL}`);
  try {
    rmSync(partial, { recursive: true, force: true });
    await output(partial, () => mkdir(partial, { recursive: true }));
    await policy.save(partial);
    await policy.saveTrainingState(partial);
    await saveCompanions(config, companions, partial);
    await writeFileAtomically(join(partial, STATE_FILE), `${JSON.stringify(state, null, 2)}\n`);
    await writeSums(partial);
    await syncFolder(join(partial, STATE_FILE));
    if (existsSync(path)) await output(path, () => rename(path, join(folder, `.step-${state.step}${ASIDE}`)));
    await output(path, () => rename(partial, path));
    await syncFolder(path);
  } catch (error) {
    try {
      mendCheckpoints(folder);
    } catch {
      // The error under way says more; a resumed run mends too.
    }
    throw error;
  }
  mendCheckpoints(folder);
  pruneCheckpoints(folder, config.checkpoint.keep);
  return path;
}

/** Deletes a checkpoint; one that is half deleted is no longer seen. */
export function discardCheckpoint({ step, path }: SavedCheckpoint): void {
  const leaving = join(dirname(path), `.step-${step}${PARTIAL}`);
  renameSync(path, leaving);
  rmSync(leaving, { recursive: true, force: true });
}

/** The step of the best evaluation that a checkpoint knows; none where it is damaged. */
function bestOf(checkpoint: string): number | undefined {
  try {
    return readTrainerState(checkpoint).best?.step;
  } catch {
    return undefined;
  }
}

/**
 * Deletes all but the newest `keep` and what they name as the best: a run that goes back to one of them still has its best.
 * A resumed run does it too, so that it goes on from the same checkpoints as one that was never killed.
 */
export function pruneCheckpoints(folder: string, keep: number): void {
  const checkpoints = listCheckpoints(folder);
  const best = new Set(checkpoints.slice(-keep).map(({ path }) => bestOf(path)));
  for (const old of checkpoints.slice(0, -keep)) if (!best.has(old.step)) discardCheckpoint(old);
}

/**
 * Clears what a killed process, or a save that failed, has left: half-written and half-deleted checkpoints go, and one that was
 * set aside for another of its step comes back where that is not there.
 */
export function mendCheckpoints(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const place = join(folder, name.slice(1, -ASIDE.length));
    if (name.endsWith(ASIDE) && !existsSync(place)) renameSync(path, place);
    else if (name.endsWith(ASIDE) || name.endsWith(PARTIAL)) rmSync(path, { recursive: true, force: true });
  }
}

/** @throws ZeroRlError `ERR_ZERO_RL_CHECKPOINT` when the state is damaged or of a newer version. */
export function readTrainerState(checkpoint: string): TrainerState {
  const file = join(checkpoint, STATE_FILE);
  let state: TrainerState;
  try {
    state = JSON.parse(readFileSync(file, 'utf8')) as TrainerState;
    if (!Number.isSafeInteger(state.step)) throw new Error('it names no step');
  } catch (cause) {
    throw new ZeroRlError('ERR_ZERO_RL_CHECKPOINT', `${file} is damaged; delete ${checkpoint} or restore it`, {
      cause,
    });
  }
  if (state.version !== STATE_VERSION) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_CHECKPOINT',
      `${file} has version ${state.version}, and this release reads version ${STATE_VERSION}; resume with the release that wrote it`,
    );
  }
  // Keys that an older release did not write.
  return { ...initialState(), ...state };
}

/** A checkpoint that is not as it was written. */
export interface DamagedCheckpoint extends SavedCheckpoint {
  why: string;
}

/** The newest checkpoint from before step `end` that is as it was written, and the damaged ones after it, the newest first. */
export async function newestWhole(
  folder: string,
  end = Infinity,
): Promise<{ whole: SavedCheckpoint | null; damaged: DamagedCheckpoint[] }> {
  const damaged: DamagedCheckpoint[] = [];
  for (const checkpoint of listCheckpoints(folder).reverse()) {
    if (checkpoint.step >= end) continue;
    const why = await findDamage(checkpoint.path);
    if (why === null) return { whole: checkpoint, damaged };
    damaged.push({ ...checkpoint, why });
  }
  return { whole: null, damaged };
}

/** Keeps a damaged checkpoint under a name by which none is gone on from; returns the name. */
export function setDamagedAside({ path }: SavedCheckpoint): string {
  const aside = `${path}.damaged`;
  rmSync(aside, { recursive: true, force: true });
  renameSync(path, aside);
  return aside;
}
