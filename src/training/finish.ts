/** What a run leaves at its end. */
import { writeReport } from '../observe/report';
import { timed } from '../profile/spans';
import type { Evaluation } from './evaluate';
import type { Run } from './open-run';
import type { RunFolder, Summary } from './run-folder';
import type { TrainEvent } from './train-event';

function accuracies(before: Evaluation | null, after: Evaluation | null): Summary['heldOut'] {
  const [first, last] = [before?.accuracy ?? null, after?.accuracy ?? null];
  return after === null || first === null || last === null ? null : { before: first, after: last, n: after.problems };
}

/** The summary and the report of a run that has done its steps. */
export async function finish({ folder, state }: Run, emit: (event: TrainEvent) => void): Promise<void> {
  const evaluations = folder
    .metrics()
    .flatMap((row) => (row.evaluation ? [{ step: row.step, evaluation: row.evaluation }] : []));
  const before = evaluations.find(({ step }) => step === 0)?.evaluation ?? null;
  const after = evaluations.at(-1)?.evaluation ?? null;
  const compared = before && after;
  const summary: Summary = {
    heldOut: accuracies(before, after),
    responseLength: compared && { before: before.responseLength, after: after.responseLength },
    seconds: { ...state.seconds },
  };
  await folder.writeSummary(summary);
  emit({ type: 'finish', folder: folder.path, report: await report(folder, emit), summary, before, after });
}

/** Writes report.html and returns its path; null, after a warning, where it cannot be written: that is no reason to fail a run. */
export async function report(folder: RunFolder, emit: (event: TrainEvent) => void): Promise<string | null> {
  try {
    return await timed('report', () => writeReport(folder.path));
  } catch (error) {
    emit({
      type: 'warning',
      message: `The report was not written: ${error instanceof Error ? error.message : String(error)}`,
    });
    return null;
  }
}
