/** Progress bars on stderr, drawn only where stderr is a terminal, so that logs and pipes stay clean. */
import { Format, SingleBar } from 'cli-progress';

export interface ProgressOptions {
  /** Text before the bar. */
  label: string;
  /** Units in all; 0 where it is not known yet (see `setTotal`). */
  total: number;
  /** What is counted, e.g. `steps`. */
  unit?: string;
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
  if (!stream.isTTY) {
    const nothing = (): void => undefined;
    return {
      advance: nothing,
      set: nothing,
      setTotal: nothing,
      line: (text) => void stream.write(`${text}\n`),
      stop: nothing,
      [Symbol.dispose]: nothing,
    };
  }
  const bar = new SingleBar({
    stream,
    format: (settings, parameters, payload: { note?: string }) => {
      const filled = Format.BarFormat(parameters.progress, settings);
      const of = parameters.total > 0 ? `/${parameters.total}` : '';
      const seconds = Math.round((Date.now() - parameters.startTime) / 1000);
      const unit = options.unit === undefined ? '' : ` ${options.unit}`;
      return `${options.label} ${filled} ${parameters.value}${of}${unit} ${seconds} s${payload.note ? `  ${payload.note}` : ''}`;
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
  const payload = (note: string | undefined): { note: string } | undefined =>
    note === undefined ? undefined : { note };
  return {
    advance: (amount = 1, note) => (note === undefined ? bar.increment(amount) : bar.increment(amount, { note })),
    set: (value, note) => (payload(note) ? bar.update(value, payload(note)) : bar.update(value)),
    setTotal: (total) => bar.setTotal(total),
    line: (text) => {
      stream.write(`\r\u001b[K${text}\n`);
      bar.render();
    },
    stop,
    [Symbol.dispose]: stop,
  };
}
