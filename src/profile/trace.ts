/**
 * A profile as trace event JSON, which Perfetto and chrome://tracing open: the format is that of "Trace Event Format"
 * (Google, 2016): complete events with times in microseconds, counters and the names of processes and threads.
 */
import { commitTemporary, writeTemporary } from '../policy/atomic-file';
import { commandText, type Profile, type ThreadTrace } from './session';
import type { ProfileSummary } from './summary';

interface TraceEvent {
  name: string;
  /** X: complete, C: counter, M: metadata. */
  ph: 'X' | 'C' | 'M';
  pid: number;
  tid: number;
  /** Microseconds since the start of the process. */
  ts?: number;
  dur?: number;
  cat?: string;
  args?: Record<string, unknown>;
}

const EVENT_WIDTH = 7;
/** Characters gathered before they are written. */
const CHUNK = 2 ** 20;

/** Nanoseconds as microseconds with their fraction. */
const micro = (nanoseconds: number): number => Math.round(nanoseconds) / 1000;

function* threadEvents(profile: Profile, thread: ThreadTrace): Generator<TraceEvent> {
  const { sections, kernels } = profile.engine ?? { sections: [], kernels: [] };
  const place = { pid: process.pid, tid: thread.id };
  for (const events of thread.events) {
    for (let i = 0; i < events.length; i += EVENT_WIDTH) {
      const [kind, id, bfloat16, start, duration, bytes, flops] = events.subarray(i, i + EVENT_WIDTH);
      const times = { ts: micro(start - profile.start), dur: micro(duration) };
      yield kind === 0
        ? { name: sections[id], cat: 'section', ph: 'X', ...place, ...times }
        : {
            name: kernels[id],
            cat: 'kernel',
            ph: 'X',
            ...place,
            ...times,
            args: { dtype: bfloat16 ? 'bfloat16' : 'float32', bytes, flops },
          };
    }
  }
}

/** The events in no particular order, as the format allows. */
export function* traceEvents(profile: Profile): Generator<TraceEvent> {
  const pid = process.pid;
  const metadata = (name: string, tid: number, args: Record<string, unknown>): TraceEvent => ({
    name,
    ph: 'M',
    pid,
    tid,
    args,
  });
  yield metadata('process_name', pid, { name: commandText(profile.command) });
  yield metadata('thread_name', pid, { name: 'event loop' });
  yield metadata('thread_sort_index', pid, { sort_index: 0 });
  for (const [i, { id, name }] of profile.threads.entries()) {
    yield metadata('thread_name', id, { name });
    yield metadata('thread_sort_index', id, { sort_index: i + 1 });
  }
  for (const { name, start, end } of profile.spans) {
    yield { name, cat: 'phase', ph: 'X', pid, tid: pid, ts: micro(start - profile.start), dur: micro(end - start) };
  }
  for (const thread of profile.threads) yield* threadEvents(profile, thread);
  for (const { time, rssMiB, heapMiB } of profile.memory) {
    const args = { resident: Math.round(rssMiB * 10) / 10, JavaScript: Math.round(heapMiB * 10) / 10 };
    yield { name: 'memory MiB', ph: 'C', pid, tid: pid, ts: micro(time - profile.start), args };
  }
}

/** @throws ZeroRlError `ERR_ZERO_RL_OUTPUT` */
export async function writeTrace(file: string, profile: Profile, summary: ProfileSummary): Promise<void> {
  const { wall, seconds, threads, instructionSet, droppedEvents } = summary;
  const otherData = { command: commandText(profile.command), seconds, threads, instructionSet, wall, droppedEvents };
  await writeTemporary(file, async (append) => {
    let text = `{"displayTimeUnit":"ms","otherData":${JSON.stringify(otherData)},"traceEvents":[\n`;
    let separator = '';
    for (const event of traceEvents(profile)) {
      text += `${separator}${JSON.stringify(event)}`;
      separator = ',\n';
      if (text.length < CHUNK) continue;
      await append(Buffer.from(text));
      text = '';
    }
    await append(Buffer.from(`${text}\n]}\n`));
  });
  await commitTemporary(file);
}
