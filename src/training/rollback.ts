/**
 * Going back to a checkpoint from before a trouble. What is to be done lies in the run folder before it is done, so that a
 * process killed in between leaves a folder that goes on as if it had not been.
 */
import { existsSync, readFileSync } from 'node:fs';
import { syncFolder, syncPath, writeFileAtomically } from '../policy/atomic-file';
import { discardCheckpoint, listCheckpoints } from './checkpoint';
import { runFiles, type RunFolder } from './run-folder';

interface RollbackRecord {
  /** Of each rollback of the run so far, the step that it went back to. */
  rollbacks: number[];
  /** Checkpoints of this step and later ones, and what came after the last that stays, are still to be deleted. */
  discardFrom?: number;
}

function read(folder: RunFolder): RollbackRecord {
  const file = folder.file(runFiles.rollbacks);
  if (!existsSync(file)) return { rollbacks: [] };
  const record = JSON.parse(readFileSync(file, 'utf8')) as Omit<RollbackRecord, 'rollbacks'> & { rollbacks: unknown };
  // An older release counted them only.
  const rollbacks = Array.isArray(record.rollbacks)
    ? (record.rollbacks as number[])
    : new Array<number>(Number(record.rollbacks)).fill(0);
  return { ...record, rollbacks };
}

async function write(folder: RunFolder, record: RollbackRecord): Promise<void> {
  const file = folder.file(runFiles.rollbacks);
  await writeFileAtomically(file, `${JSON.stringify(record)}\n`);
  await syncFolder(file);
}

/** The rollbacks of the run so far, each as the step that it went back to. */
export function readRollbacks(folder: RunFolder): number[] {
  return read(folder).rollbacks;
}

/** How many of `rollbacks` were behind the run when it did `step`: those up to the last that went back to a step before it. */
export function rollbacksBefore(rollbacks: readonly number[], step: number): number {
  return rollbacks.findLastIndex((to) => to < step) + 1;
}

/**
 * Makes the newest checkpoint before step `first` the one that the run goes on from (the start where there is none) and
 * notes the rollback. The note and what is to be deleted are written before anything is deleted.
 *
 * @returns the step that the run goes back to
 * @throws ZeroRlError `ERR_ZERO_RL_OUTPUT`
 */
export async function rollBack(folder: RunFolder, first: number): Promise<number> {
  const earlier = listCheckpoints(folder.file(runFiles.checkpoints)).filter(({ step }) => step < first);
  const to = earlier.at(-1)?.step ?? 0;
  await write(folder, { rollbacks: [...readRollbacks(folder), to], discardFrom: first });
  await finishRollback(folder);
  return to;
}

/** Does what is left of a rollback; nothing where none is under way. */
export async function finishRollback(folder: RunFolder): Promise<void> {
  const { rollbacks, discardFrom } = read(folder);
  if (discardFrom === undefined) return;
  const checkpoints = folder.file(runFiles.checkpoints);
  for (const checkpoint of listCheckpoints(checkpoints)) {
    if (checkpoint.step >= discardFrom) discardCheckpoint(checkpoint);
  }
  await syncPath(checkpoints);
  await folder.truncateTo(rollbacks[rollbacks.length - 1]);
  await write(folder, { rollbacks });
}
