/** Going back to a checkpoint from before a trouble. The count lies in the run folder, so that it outlives the process. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { writeFileAtomically } from '../policy/atomic-file';
import { listCheckpoints } from './checkpoint';
import { runFiles, type RunFolder } from './run-folder';

/** Rollbacks of the run so far. */
export function readRollbacks(folder: RunFolder): number {
  const file = folder.file(runFiles.rollbacks);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { rollbacks: number }).rollbacks : 0;
}

/**
 * Makes the newest checkpoint before step `first` the one that the run goes on from (the start where there is none) and
 * counts the rollback. The count is written first: a process killed between goes on from a later checkpoint with other randomness.
 *
 * @returns the step that the run goes back to
 */
export async function rollBack(folder: RunFolder, first: number): Promise<number> {
  const rollbacks = readRollbacks(folder) + 1;
  await writeFileAtomically(folder.file(runFiles.rollbacks), `${JSON.stringify({ rollbacks })}\n`);
  const checkpoints = listCheckpoints(folder.file(runFiles.checkpoints));
  for (const { step, path } of checkpoints) if (step >= first) rmSync(path, { recursive: true });
  return checkpoints.filter(({ step }) => step < first).at(-1)?.step ?? 0;
}
