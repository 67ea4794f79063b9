/**
 * Checkpoints of a run: checkpoints/step-N holds a Hugging Face model folder, optimizer.safetensors (exact float32 state)
 * and trainer-state.json, with the critic and a reference that follows in folders of their own. A checkpoint is written under a temporary name, flushed and renamed, so those that can be seen
 * are whole.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ZeroRlError } from '../errors';
import type { StepMetrics } from '../observe/metrics';
import { output, syncFolder, writeFileAtomically } from '../policy/atomic-file';
import { saveCompanions, type Companions } from './companions';
import type { TrainConfig } from './config';
import type { Evaluation } from './evaluate';
import type { TrainingPolicy } from './training-policy';

const STATE_FILE = 'trainer-state.json';
const STATE_VERSION = 1;

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

const stepOf = (name: string): number => Number(/^step-(\d+)$/.exec(name)?.[1] ?? NaN);

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
 * Writes step-N and deletes what {@link pruneCheckpoints} does not keep. A failure leaves the older checkpoints as they were.
 *
 * @returns The path of the checkpoint.
 * @throws ZeroRlError `ERR_ZERO_RL_OUTPUT`
 */
export async function saveCheckpoint(
  folder: string,
  { config, policy, state, ...companions }: CheckpointSource,
): Promise<string> {
  const path = join(folder, `step-${state.step}`);
  const partial = join(folder, `.step-${state.step}.partial`);
  try {
    rmSync(partial, { recursive: true, force: true });
    await output(partial, () => mkdir(partial, { recursive: true }));
    await policy.save(partial);
    await policy.saveTrainingState(partial);
    await saveCompanions(config, companions, partial);
    await writeFileAtomically(join(partial, STATE_FILE), `${JSON.stringify(state, null, 2)}\n`);
    await syncFolder(join(partial, STATE_FILE));
    if (existsSync(path)) rmSync(path, { recursive: true });
    await output(path, () => rename(partial, path));
    await syncFolder(path);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
  removePartial(folder);
  pruneCheckpoints(folder, config.checkpoint.keep);
  return path;
}

/** Deletes a checkpoint; one that is half deleted is no longer seen. */
export function discardCheckpoint({ step, path }: SavedCheckpoint): void {
  const leaving = join(dirname(path), `.step-${step}.partial`);
  renameSync(path, leaving);
  rmSync(leaving, { recursive: true, force: true });
}

/**
 * Deletes all but the newest `keep` and what they name as the best: a run that goes back to one of them still has its best.
 * A resumed run does it too, so that it goes on from the same checkpoints as one that was never killed.
 */
export function pruneCheckpoints(folder: string, keep: number): void {
  const checkpoints = listCheckpoints(folder);
  const best = new Set(checkpoints.slice(-keep).map(({ path }) => readTrainerState(path).best?.step));
  for (const old of checkpoints.slice(0, -keep)) if (!best.has(old.step)) discardCheckpoint(old);
}

/** Clears what a killed process left half-written or half-deleted. */
export function removePartial(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.partial')) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** @throws ZeroRlError `ERR_ZERO_RL_CHECKPOINT` when the state is damaged or of a newer version. */
export function readTrainerState(checkpoint: string): TrainerState {
  const file = join(checkpoint, STATE_FILE);
  try {
    const state = JSON.parse(readFileSync(file, 'utf8')) as TrainerState;
    if (state.version !== STATE_VERSION || !Number.isSafeInteger(state.step))
      throw new Error(`it has version ${state.version}`);
    // Keys that an older release did not write.
    return { ...initialState(), ...state };
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ZeroRlError(
      'ERR_ZERO_RL_CHECKPOINT',
      `${file} cannot be read (${message}); delete ${checkpoint} to resume from an older checkpoint`,
      { cause },
    );
  }
}
