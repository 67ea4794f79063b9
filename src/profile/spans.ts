/**
 * Named stretches of a command's time on the event loop: `timed('checkpoint', () => ...)`. They are recorded only while a
 * profile is taken (session.ts); otherwise the work is called as it is.
 */

export interface Span {
  name: string;
  /** Nanoseconds of the clock of process.hrtime. */
  start: number;
  end: number;
  /** Nanoseconds in which the event loop had nothing to do, those of spans inside left out. */
  idle: number;
}

let recorded: Span[] | null = null;
/** Of the spans under way, the outermost first: the idle time of those inside them that have ended. */
const open: { innerIdle: number }[] = [];

export function now(): number {
  return Number(process.hrtime.bigint());
}

function begin(name: string, spans: Span[]): () => void {
  const start = now();
  const before = performance.eventLoopUtilization();
  const frame = { innerIdle: 0 };
  open.push(frame);
  return () => {
    const idle = performance.eventLoopUtilization(before).idle * 1e6;
    open.splice(open.indexOf(frame), 1);
    const outer = open.at(-1);
    if (outer !== undefined) outer.innerIdle += idle;
    spans.push({ name, start, end: now(), idle: Math.max(0, idle - frame.innerIdle) });
  };
}

/** Runs `work`; its time, until the promise settles, belongs to `name`. Stretches may nest. */
export async function timed<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  if (recorded === null) return work();
  const end = begin(name, recorded);
  try {
    return await work();
  } finally {
    end();
  }
}

/** The same for work that is done when it returns. */
export function timedSync<T>(name: string, work: () => T): T {
  if (recorded === null) return work();
  const end = begin(name, recorded);
  try {
    return work();
  } finally {
    end();
  }
}

/** Records from now on; the spans are in the order in which they end. One recording at a time. */
export function recordSpans(): { spans: Span[]; stop: () => void } {
  const spans: Span[] = [];
  recorded = spans;
  return { spans, stop: () => (recorded = null) };
}
