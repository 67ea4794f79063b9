/**
 * Progress on stderr: a bar with rate and time left on a terminal; elsewhere a plain line of the same now and then, so that
 * logs stay readable.
 */
import { Format, SingleBar } from 'cli-progress';

export interface ProgressOptions {
  /** Text before the bar. */
  label: string;
  /** Units in all; 0 where it is not known yet (see `setTotal`). */
  total: number;
  /** What is counted, e.g. `steps`. */
  unit?: string;
  /** Whether plain lines are written off a terminal; false where the caller writes a line for each unit itself. Default true. */
  plainLines?: boolean;
  /** Milliseconds; for tests. Default `performance.now`. */
  now?: () => number;
}

/** Milliseconds between two plain lines. */
const PLAIN_INTERVAL = 10_000;

/** `9 s`, `3 min 24 s` or `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return whole < 3600
    ? `${Math.floor(whole / 60)} min ${whole % 60} s`
    : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** `12/40 steps, 3.2 steps/s, 9 s left`; the rate is that of the units counted since the start. */
function figures(
  { unit = '' }: ProgressOptions,
  value: number,
  total: number,
  counted: number,
  seconds: number,
): string {
  const of = total > 0 ? `${value}/${total}` : String(value);
  const name = unit === '' ? '' : ` ${unit}`;
  if (counted <= 0 || seconds <= 0) return `${of}${name}, ${duration(seconds)}`;
  const rate = counted / seconds;
  const left = total > value ? `, ${duration((total - value) / rate)} left` : '';
  return `${of}${name}, ${Number(rate.toPrecision(3))}${name}/s, ${duration(seconds)}${left}`;
}

/** Where a run goes on at unit `next`, what was done before is not of its rate. */
const startOf = (next: number): number => Math.max(0, next - 1);

/** Plain lines for a stream that is no terminal. */
function plainProgress(options: ProgressOptions, write: (line: string) => void): Progress {
  const { now = () => performance.now(), plainLines = true } = options;
  const started = now();
  let { total } = options;
  let [value, first, last] = [0, 0, started];
  let note = '';
  const count = (next: number, text: string | undefined): void => {
    note = text ?? note;
    value = next;
    if (!plainLines || now() - last < PLAIN_INTERVAL) return;
    last = now();
    const said = figures(options, value, total, value - first, (last - started) / 1000);
    write(`${options.label} ${said}${note === '' ? '' : `  ${note}`}`);
  };
  const nothing = (): void => undefined;
  return {
    advance: (amount = 1, text) => count(value + amount, text),
    set: (next, text) => {
      if (value === 0) first = startOf(next);
      count(next, text);
    },
    setTotal: (next) => {
      total = next;
    },
    line: write,
    stop: nothing,
    [Symbol.dispose]: nothing,
  };
}

export interface Progress extends Disposable {
  /** Counts `amount` (default 1) more units and shows `note` after the bar. */
  advance(amount?: number, note?: string): void;
  /** Sets the count. */
  set(value: number, note?: string): void;
  setTotal(total: number): void;
  /** Writes a line above the bar; on a stream that is no terminal a plain line. */
  line(text: string): void;
  /** Ends the bar; idempotent. */
  stop(): void;
}

/** Starts a bar. `stream` defaults to stderr. */
export function startProgress(
  options: ProgressOptions,
  stream: NodeJS.WriteStream | (NodeJS.WritableStream & { isTTY?: boolean }) = process.stderr,
): Progress {
  if (!stream.isTTY) return plainProgress(options, (text) => void stream.write(`${text}\n`));
  const { now = () => performance.now() } = options;
  const started = now();
  let [first, value] = [0, 0];
  const bar = new SingleBar({
    stream,
    format: (settings, parameters, payload: { note?: string }) => {
      const filled = Format.BarFormat(parameters.progress, settings);
      const seconds = (now() - started) / 1000;
      const said = figures(options, value, parameters.total, value - first, seconds);
      return `${options.label} ${filled} ${said}${payload.note ? `  ${payload.note}` : ''}`;
    },
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    clearOnComplete: false,
    gracefulExit: false,
    forceRedraw: true,
  });
  bar.start(options.total, 0, { note: '' });
  let running = true;
  const stop = (): void => {
    if (running) bar.stop();
    running = false;
  };
  const count = (next: number, note?: string): void => {
    value = next;
    if (note === undefined) bar.update(next);
    else bar.update(next, { note });
  };
  return {
    advance: (amount = 1, note) => count(value + amount, note),
    set: (next, note) => {
      if (value === 0) first = startOf(next);
      count(next, note);
    },
    setTotal: (total) => bar.setTotal(total),
    line: (text) => {
      stream.write(`\r\u001b[K${text}\n`);
      bar.render();
    },
    stop,
    [Symbol.dispose]: stop,
  };
}
