/** data.json: which problems a run began with, so that one that is resumed notices when its data has become another. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { Problem } from '../data/dataset';
import { writeFileAtomically } from '../policy/atomic-file';
import type { RunData } from './load-data';
import { runFiles, type RunFolder } from './run-folder';

interface ProblemsRecord {
  problems: number;
  /** SHA-256 of ids, texts and answers in their order. */
  sha256: string;
}

interface DataRecord {
  train: ProblemsRecord;
  heldOut: ProblemsRecord;
}

function recordOf(problems: readonly Problem[]): ProblemsRecord {
  const hash = createHash('sha256');
  for (const { id, problem, answer } of problems) hash.update(JSON.stringify([id, problem, answer]));
  return { problems: problems.length, sha256: hash.digest('hex') };
}

function readRecord(file: string): DataRecord | null {
  if (!existsSync(file)) return null;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as DataRecord;
  } catch {
    return null;
  }
}

const consequences = {
  train: ['training problems', 'its steps have other problems from here on than they would have had'],
  heldOut: ['held-out problems', 'its accuracies before and after do not compare'],
} as const;

/** Notes the problems of a run, and warns where it has noted others before. */
export async function noteData(
  folder: RunFolder,
  { problems, heldOut }: Pick<RunData, 'problems' | 'heldOut'>,
  warn: (message: string) => void,
): Promise<void> {
  const file = folder.file(runFiles.data);
  const before = readRecord(file);
  const now: DataRecord = { train: recordOf(problems), heldOut: recordOf(heldOut) };
  for (const set of ['train', 'heldOut'] as const) {
    const [name, consequence] = consequences[set];
    if (before === null || before[set].sha256 === now[set].sha256) continue;
    const sizes = [before[set], now[set]].map((each) => each.problems);
    const what = sizes[0] === sizes[1] ? `${sizes[0]} of them` : `${sizes[0]} then, ${sizes[1]} now`;
    warn(`The ${name} have changed since the run last began (${what}): ${consequence}`);
  }
  if (JSON.stringify(before) !== JSON.stringify(now)) await writeFileAtomically(file, `${JSON.stringify(now)}\n`);
}
