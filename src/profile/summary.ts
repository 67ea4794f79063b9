/** What a profile says: where the wall time went, and each kernel against the machine. */
import type { NativeKernelTotal, NativeMachine } from '../../binding/native';
import { bandwidthAt, peakOf } from '../bench/machine';
import type { Dtype } from '../policy/types';
import { leaves, type Stretch } from './leaves';
import type { MemorySample, Profile, ThreadTrace } from './session';

/** Shares are of the wall time. */
export interface PhaseSummary {
  name: string;
  calls: number;
  /** From start to end, summed. */
  seconds: number;
  share: number;
  /** Of it: the engine at work, */
  engineSeconds: number;
  /** JavaScript that belongs to no phase inside, */
  ownSeconds: number;
  /** and neither of them: waiting for files, timers, other threads. */
  idleSeconds: number;
}

export interface SectionSummary {
  name: string;
  calls: number;
  seconds: number;
  /** Without the sections inside. */
  ownSeconds: number;
  share: number;
}

export interface KernelSummary {
  kernel: string;
  /** The section of the engine that called it. */
  section: string;
  dtype: Dtype;
  calls: number;
  /** Of the machine: calls that several threads make at once count as one. */
  seconds: number;
  share: number;
  bytes: number;
  flops: number;
  gigabytesPerSecond: number;
  gigaflopsPerSecond: number;
  /** Which limit of the machine is nearer, and the share of it. */
  bound: 'bandwidth' | 'compute';
  fraction: number;
}

export interface ProfileSummary {
  command: string[];
  /** From the start of the process. */
  seconds: number;
  threads: number;
  instructionSet: string | null;
  /** Shares of the wall time; they add up to 1. */
  wall: {
    /** In kernels and named phases and sections. */
    accounted: number;
    /** Waiting: the event loop without the engine at work, and the engine without one of its threads at work. */
    idle: number;
    /** In no phase and no section. */
    other: number;
  };
  /** Share of the engine's time in kernels. */
  kernelShare: number;
  phases: PhaseSummary[];
  sections: SectionSummary[];
  kernels: KernelSummary[];
  memory: { peakRssMiB: number; peakHeapMiB: number };
  machine: { peakGigaflopsPerSecond: Record<Dtype, number>; readGigabytesPerSecond: number } | null;
  /** Events that the trace lacks because they came too fast. */
  droppedEvents: number;
}

/** The thread that runs the engine's jobs; it takes part in the work of the others, its workers. */
const ENGINE_THREAD = 'zero-rl engine';
const JOB = 'engine';
const WAIT = 'wait for threads';
const EVENT_WIDTH = 7;

function sectionsOf(thread: ThreadTrace, names: readonly string[]): Stretch[] {
  const found: Stretch[] = [];
  for (const events of thread.events) {
    for (let i = 0; i < events.length; i += EVENT_WIDTH) {
      const start = events[i + 3];
      if (events[i] === 0) found.push({ name: names[events[i + 1]], start, end: start + events[i + 4] });
    }
  }
  return found;
}

const descending = <T extends { seconds: number }>(rows: T[]): T[] => rows.sort((a, b) => b.seconds - a.seconds);

function kernelSummary(
  total: NativeKernelTotal,
  threads: number,
  machine: NativeMachine,
  wallSeconds: number,
): KernelSummary {
  const { kernel, section, dtype, calls, bytes, flops } = total;
  const seconds = total.seconds / (total.shared ? threads : 1);
  const atOnce = (bytes / calls) * (total.shared ? threads : 1);
  const roof = Math.max(bandwidthAt(machine, atOnce, 'read'), bandwidthAt(machine, atOnce, 'copy'));
  const bandwidth = bytes / seconds / roof;
  const compute = flops / seconds / peakOf(machine, dtype);
  return {
    kernel,
    section,
    dtype,
    calls,
    seconds,
    share: seconds / wallSeconds,
    bytes,
    flops,
    gigabytesPerSecond: bytes / seconds / 1e9,
    gigaflopsPerSecond: flops / seconds / 1e9,
    bound: bandwidth >= compute ? 'bandwidth' : 'compute',
    fraction: Math.max(bandwidth, compute),
  };
}

/** Both kinds of calls of a kernel in a section, those of the whole team and those of one thread each, as one row. */
function merged(rows: KernelSummary[]): KernelSummary[] {
  const groups = new Map<string, KernelSummary>();
  for (const row of rows) {
    const key = `${row.kernel} ${row.section} ${row.dtype}`;
    const same = groups.get(key);
    if (same === undefined) {
      groups.set(key, row);
      continue;
    }
    const [larger, seconds] = [same.seconds >= row.seconds ? same : row, same.seconds + row.seconds];
    const [bytes, flops] = [same.bytes + row.bytes, same.flops + row.flops];
    groups.set(key, {
      ...larger,
      calls: same.calls + row.calls,
      seconds,
      share: same.share + row.share,
      bytes,
      flops,
      gigabytesPerSecond: bytes / seconds / 1e9,
      gigaflopsPerSecond: flops / seconds / 1e9,
      fraction: (same.fraction * same.seconds + row.fraction * row.seconds) / seconds,
    });
  }
  return [...groups.values()];
}

const peak = (memory: readonly MemorySample[], pick: (sample: MemorySample) => number): number =>
  memory.reduce((most, sample) => Math.max(most, pick(sample)), 0);

export function summarize(profile: Profile): ProfileSummary {
  const { command, start, end, spans, threads, memory, engine } = profile;
  const wall = end - start;
  const names = engine?.sections ?? [];
  const sectionsWhere = (own: boolean): Stretch[] =>
    threads.filter(({ name }) => (name === ENGINE_THREAD) === own).flatMap((thread) => sectionsOf(thread, names));
  const found = leaves(
    { loop: spans, engine: sectionsWhere(true), workers: sectionsWhere(false), wait: WAIT },
    start,
    end,
  );

  const idleOf = new Map<string, number>();
  const engineOf = new Map<string, number>();
  spans.forEach((span, i) => {
    const idle = Math.max(0, span.idle - found.engineWithin[i]);
    idleOf.set(span.name, (idleOf.get(span.name) ?? 0) + idle);
    engineOf.set(span.name, (engineOf.get(span.name) ?? 0) + found.engineWithin[i]);
  });
  const phases = [...found.loop].map(([name, { calls, total, own }]): PhaseSummary => {
    const idle = Math.min(own, idleOf.get(name) ?? 0);
    return {
      name,
      calls,
      seconds: total / 1e9,
      share: total / wall,
      engineSeconds: (engineOf.get(name) ?? 0) / 1e9,
      ownSeconds: (own - idle) / 1e9,
      idleSeconds: idle / 1e9,
    };
  });
  const idle = phases.reduce((sum, { idleSeconds }) => sum + idleSeconds * 1e9, found.engine.get(WAIT)?.own ?? 0);
  const other = found.unnamed + (found.engine.get(JOB)?.own ?? 0);
  const rows = (engine?.totals ?? []).map((total) =>
    kernelSummary(total, engine?.threads ?? 1, engine?.machine as NativeMachine, wall / 1e9),
  );
  const engineSeconds = (found.engine.get(JOB)?.total ?? 0) / 1e9;
  return {
    command,
    seconds: wall / 1e9,
    threads: engine?.threads ?? 0,
    instructionSet: engine?.instructionSet ?? null,
    wall: { accounted: (wall - idle - other) / wall, idle: idle / wall, other: other / wall },
    kernelShare: engineSeconds > 0 ? rows.reduce((sum, { seconds }) => sum + seconds, 0) / engineSeconds : 0,
    phases: descending(phases),
    sections: descending(
      [...found.engine].map(([name, { calls, total, own }]) => ({
        name,
        calls,
        seconds: total / 1e9,
        ownSeconds: own / 1e9,
        share: own / wall,
      })),
    ),
    kernels: descending(merged(rows)),
    memory: {
      peakRssMiB: peak(memory, ({ rssMiB }) => rssMiB),
      peakHeapMiB: peak(memory, ({ heapMiB }) => heapMiB),
    },
    machine: engine && {
      peakGigaflopsPerSecond: {
        float32: peakOf(engine.machine, 'float32') / 1e9,
        bfloat16: peakOf(engine.machine, 'bfloat16') / 1e9,
      },
      readGigabytesPerSecond: engine.machine.bandwidth[engine.machine.bandwidth.length - 1].read / 1e9,
    },
    droppedEvents: threads.reduce((sum, { dropped }) => sum + dropped, 0),
  };
}
