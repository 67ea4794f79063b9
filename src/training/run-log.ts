/** What happens to a run beside its figures: told to `onEvent` and kept in events.jsonl, which no rollback or resumption shortens. */
import { appendFileSync } from 'node:fs';
import { runFiles, type RunFolder } from './run-folder';
import type { TrainEvent } from './train-event';
import type { Alarm } from './watchdog';

/** A row of events.jsonl. */
export interface LogRow {
  /** ISO 8601. */
  time: string;
  /** Steps done by then. */
  step: number;
  type: 'start' | 'watchdog' | 'warning' | 'checkpoint' | 'rollback' | 'pause' | 'go-on' | 'stop' | 'finish';
  message: string;
  /** Of the watchdog: its rule, what it does, and the file of the samples behind it, relative to the run folder. */
  rule?: string;
  action?: Alarm['action'];
  file?: string;
}

export class RunLog {
  constructor(
    private readonly folder: RunFolder,
    private readonly state: { readonly step: number },
    private readonly emit: (event: TrainEvent) => void,
  ) {}

  readonly warn = (message: string): void => {
    this.note('warning', message);
    this.emit({ type: 'warning', message });
  };

  /** An alarm with the file of the samples behind it, where there are any. */
  readonly alarm = ({ rule, action, message }: Alarm, file?: string): void => {
    const relative = file === undefined ? {} : { file: file.slice(this.folder.path.length + 1) };
    this.note('watchdog', message, { rule, action, ...relative });
    this.emit({ type: 'warning', message: file === undefined ? message : `${message}; samples in ${file}` });
  };

  /** A row alone. One that cannot be written is no reason to fail a run. */
  note(type: LogRow['type'], message: string, more: Partial<LogRow> = {}): void {
    const row: LogRow = { time: new Date().toISOString(), step: this.state.step, type, message, ...more };
    try {
      appendFileSync(this.folder.file(runFiles.events), `${JSON.stringify(row)}\n`);
    } catch {
      // A full disk also stops the metrics, which says so.
    }
  }
}
