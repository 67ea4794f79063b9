/** What happened to runs: their events.jsonl, and files of the watchdog of runs that kept none. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runFiles } from '../../training/run-folder';
import type { EventRow } from './protocol';
import { parseObject, readLines } from './read-lines';

/** Events of a run that are given. */
const MOST = 1000;

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

export async function eventRows(run: string, folder: string): Promise<EventRow[]> {
  const rows: EventRow[] = [];
  await readLines(join(folder, runFiles.events), 0, (line) => {
    const row = parseObject(line);
    if (row === null) return;
    rows.push({
      run,
      time: text(row.time),
      step: typeof row.step === 'number' ? row.step : 0,
      type: text(row.type) ?? 'event',
      message: text(row.message) ?? '',
      rule: text(row.rule),
      file: text(row.file),
    });
  }).catch(() => 0);
  const told = new Set(rows.map(({ file }) => file));
  const files = await readdir(join(folder, runFiles.watchdog)).catch(() => []);
  for (const name of files.sort()) {
    const match = /^(\w+)-step-(\d+)(?:-rollback-\d+)?\.jsonl$/.exec(name);
    const file = `${runFiles.watchdog}/${name}`;
    if (!match || told.has(file)) continue;
    const [, rule, step] = match;
    const message = `the rule ${rule} spoke`;
    rows.push({ run, time: null, step: Number(step), type: 'watchdog', message, rule, file });
  }
  return rows.slice(-MOST);
}
