/** What a run folder tells of its run: what it did, bit for bit, and the step that it must be gone on after. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventFiles } from '../../src/observe/tensorboard/event-log';
import { readEventHead } from '../../src/observe/tensorboard/events';
import { readRecords } from '../../src/observe/tensorboard/records';
import { readRows, type MetricsRow } from '../../src/training/run-folder';
import type { LogRow } from '../../src/training/run-log';

/** The step that a run folder must be gone on after: the newest that a whole checkpoint has, also one under way to its place. */
export function savedStep(run: string | null): number {
  if (run === null) return 0;
  const file = join(run, 'rollbacks.json');
  const { discardFrom = Infinity } = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as { discardFrom?: number })
    : {};
  const steps = readdirSync(join(run, 'checkpoints'))
    .map((name) => Number(/^(?:step-(\d+)|\.step-(\d+)\.aside)$/.exec(name)?.slice(1).find(Boolean) ?? 0))
    .filter((step) => step < discardFrom);
  return Math.max(0, ...steps);
}

/** Of the checkpoints that the run itself has noted as saved, the last; 0 where it went back since. */
export function notedStep(run: string | null): number {
  const rows = run === null ? [] : readRows<LogRow>(join(run, 'events.jsonl'));
  const last = rows.findLast(({ type }) => type === 'checkpoint' || type === 'rollback');
  return last?.type === 'checkpoint' ? last.step : 0;
}

export const metricsOf = (run: string): MetricsRow[] => readRows<MetricsRow>(join(run, 'metrics.jsonl'));

/** The steps in the event files, those of TensorBoard, in the order of their files. */
function eventSteps(run: string): number[] {
  return eventFiles(run).flatMap((name) =>
    [...readRecords(readFileSync(join(run, name)))]
      .map(({ data }) => readEventHead(data))
      .flatMap(({ step, summary }) => (summary ? [step] : [])),
  );
}

/** Everything that a run leaves but times, memory, the config with its own name and the page. */
export function traces(run: string): unknown {
  const timeless = (evaluation: object | undefined) => evaluation && { ...evaluation, seconds: null };
  const files = readdirSync(run, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(run.length + 1))
    .filter((file) => !file.includes('tfevents'))
    .sort();
  const read = (file: string): unknown => {
    const bytes = readFileSync(join(run, file));
    if (file.endsWith('trainer-state.json')) return { ...(JSON.parse(bytes.toString()) as object), seconds: null };
    if (file.endsWith('SHA256SUMS')) return bytes.toString().replace(/^.* {2}trainer-state.json$/m, '');
    return createHash('sha256').update(bytes).digest('hex');
  };
  const own = ['metrics.jsonl', 'events.jsonl', 'config.resolved.yaml', 'preview.json', 'summary.json', 'report.html'];
  return {
    eventSteps: eventSteps(run).sort((a, b) => a - b),
    files: files.map((file) => [file, own.includes(file) ? null : read(file)]),
    metrics: metricsOf(run).map((row) => ({
      ...row,
      seconds: null,
      tokensPerSecond: null,
      memoryMiB: null,
      evaluation: timeless(row.evaluation),
      emaEvaluation: 'emaEvaluation' in row ? timeless(row.emaEvaluation) : undefined,
    })),
  };
}
