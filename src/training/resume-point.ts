/** Where a run goes on: its newest checkpoint that is whole, unless steps would be lost that nobody expects to lose. */
import { ZeroRlError } from '../errors';
import {
  initialState,
  mendCheckpoints,
  newestWhole,
  pruneCheckpoints,
  readTrainerState,
  setDamagedAside,
  type TrainerState,
} from './checkpoint';
import type { TrainConfig } from './config';
import { finishRollback } from './rollback';
import { runFiles, type RunFolder } from './run-folder';

export interface ResumePoint {
  /** Path of the checkpoint; null at the start. */
  checkpoint: string | null;
  state: TrainerState;
}

export interface ResumeOptions {
  /** Go on even where steps are erased that a checkpoint should have kept. */
  discardSteps?: boolean;
  warn: (message: string) => void;
}

/**
 * Whether the rows up to `last` tell of a checkpoint that should be there and is not: a run that is killed loses at most the
 * steps since the last one that was due.
 */
function lostCheckpoint(newest: number, last: number, { every }: TrainConfig['checkpoint']): boolean {
  return every > 0 ? last - newest > every : newest === 0 && last > 0;
}

/**
 * Mends what a killed process left and finds the checkpoint to go on from. A damaged one is set aside and the one before it
 * taken.
 *
 * @param recorded the config that the run has been under
 * @param keep checkpoints to keep from now on
 * @throws ZeroRlError `ERR_ZERO_RL_CHECKPOINT` where steps would be erased that a checkpoint should have kept, and `discardSteps`
 *   is not set; the folder is as it was then
 */
export async function findResumePoint(
  folder: RunFolder,
  recorded: TrainConfig,
  keep: number,
  { discardSteps = false, warn }: ResumeOptions,
): Promise<ResumePoint> {
  const checkpoints = folder.file(runFiles.checkpoints);
  mendCheckpoints(checkpoints);
  await finishRollback(folder);
  const { whole, damaged } = await newestWhole(checkpoints);
  const step = whole?.step ?? 0;
  const last = folder.metrics().at(-1)?.step ?? 0;
  const newest = damaged.at(0)?.step ?? step;
  const noneWhole = damaged.length > 0 && whole === null;
  if (!discardSteps && last > step && (noneWhole || lostCheckpoint(newest, last, recorded.checkpoint))) {
    const found = noneWhole
      ? `every checkpoint is damaged (${damaged.map((each) => `step-${each.step}: ${each.why}`).join('; ')})`
      : whole
        ? `its newest checkpoint is that of step ${step}`
        : 'it has no checkpoint';
    throw new ZeroRlError(
      'ERR_ZERO_RL_CHECKPOINT',
      `The run ${folder.path} has done ${last} steps but ${found}, so steps ${step + 1} to ${last} would be erased and done again; ` +
        `restore ${checkpoints}, or allow it with discardSteps (--discard-steps)`,
    );
  }
  for (const each of damaged) {
    const aside = setDamagedAside(each);
    warn(
      `The checkpoint of step ${each.step} is damaged (${each.why}) and was set aside as ${aside}; ` +
        `the run goes on from ${step === 0 ? 'the start' : `that of step ${step}`}`,
    );
  }
  pruneCheckpoints(checkpoints, keep);
  return { checkpoint: whole?.path ?? null, state: whole ? readTrainerState(whole.path) : initialState() };
}
