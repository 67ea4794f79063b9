/**
 * Going back to a checkpoint from before a trouble. What is to be done lies in the run folder before it is done, so that a
 * process killed in between leaves a folder that goes on as if it had not been.
 */
import { existsSync, readFileSync } from 'node:fs';
import { syncFolder, syncPath, writeFileAtomically } from '../policy/atomic-file';
import { discardCheckpoint, listCheckpoints } from './checkpoint';
import { runFiles, type RunFolder } from './run-folder';

interface Rollbacks {
  /** Of the run so far. */
  rollbacks: number;
  /** Checkpoints of this step and later ones are still to be deleted. */
  discardFrom?: number;
}

function read(folder: RunFolder): Rollbacks {
  const file = folder.file(runFiles.rollbacks);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Rollbacks) : { rollbacks: 0 };
}

async function write(folder: RunFolder, rollbacks: Rollbacks): Promise<void> {
  const file = folder.file(runFiles.rollbacks);
  await writeFileAtomically(file, `${JSON.stringify(rollbacks)}\n`);
  await syncFolder(file);
}

/** Rollbacks of the run so far. */
export function readRollbacks(folder: RunFolder): number {
  return read(folder).rollbacks;
}

/**
 * Makes the newest checkpoint before step `first` the one that the run goes on from (the start where there is none) and
 * counts the rollback. The count and what is to be deleted are written before anything is deleted.
 *
 * @returns the step that the run goes back to
 * @throws ZeroRlError `ERR_ZERO_RL_OUTPUT`
 */
export async function rollBack(folder: RunFolder, first: number): Promise<number> {
  await write(folder, { rollbacks: readRollbacks(folder) + 1, discardFrom: first });
  await finishRollback(folder);
  return listCheckpoints(folder.file(runFiles.checkpoints)).at(-1)?.step ?? 0;
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
  await write(folder, { rollbacks });
}
