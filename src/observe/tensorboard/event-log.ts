/**
 * The event files of a run, which TensorBoard finds in the run folder. Every session of a run appends to a file of its own;
 * one that resumes first cuts what came after its step from the older files and writes the steps that are missing, so the
 * files together hold every step once. A killed process leaves at most a torn record at the end, which readers skip and the
 * next session cuts.
 *
 * No package of npm writes these files without an install script, so records.ts and events.ts do.
 */
import { readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { output } from '../../policy/atomic-file';
import type { MetricsRow } from '../../training/run-folder';
import { scalarsOf } from '../scalars';
import { readEventHead, scalarsEvent, sessionStartEvent, versionEvent } from './events';
import { frameRecord, readRecords } from './records';

const PREFIX = 'events.out.tfevents.';

export function eventFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(PREFIX))
    .sort();
}

/** Cuts a file before its first event after `last`, or deletes it where no values are left; returns the steps kept. */
function cutAfter(file: string, last: number): number[] {
  const bytes = readFileSync(file);
  const kept: number[] = [];
  let end = 0;
  for (const { data, offset } of readRecords(bytes)) {
    const { step, summary } = readEventHead(data);
    if (step > last) break;
    end = offset + data.length + 16;
    if (summary) kept.push(step);
  }
  if (kept.length === 0) rmSync(file);
  else if (end < bytes.length) truncateSync(file, end);
  return kept;
}

/** TensorBoard reads the files in the order of their names. */
function nextName(folder: string): string {
  const newest = eventFiles(folder).map((name) => Number(name.slice(PREFIX.length).split('.')[0]) || 0);
  const seconds = Math.max(Math.floor(Date.now() / 1000), ...newest.map((second) => second + 1));
  return `${PREFIX}${String(seconds).padStart(10, '0')}.${hostname()}.${process.pid}.0`;
}

const wallTime = (): number => Date.now() / 1000;

export class EventLog {
  private constructor(private readonly file: string) {}

  /**
   * Starts a session that has `rows` behind it, those of metrics.jsonl in order.
   * @throws ZeroRlError `ERR_ZERO_RL_OUTPUT`
   */
  static async open(folder: string, rows: readonly MetricsRow[]): Promise<EventLog> {
    const last = rows.at(-1)?.step ?? -1;
    const written = await output(folder, () =>
      Promise.resolve(new Set(eventFiles(folder).flatMap((name) => cutAfter(join(folder, name), last)))),
    );
    const log = new EventLog(join(folder, nextName(folder)));
    const time = wallTime();
    await log.append(versionEvent(time), ...(last < 0 ? [] : [sessionStartEvent(time, last + 1)]));
    for (const row of rows) if (!written.has(row.step)) await log.write(row);
    return log;
  }

  /** Appends a row with the time of now. */
  async write(row: MetricsRow): Promise<void> {
    await this.append(scalarsEvent(wallTime(), row.step, scalarsOf(row)));
  }

  private async append(...events: readonly Buffer[]): Promise<void> {
    await output(this.file, () => appendFile(this.file, Buffer.concat(events.map(frameRecord))));
  }
}
