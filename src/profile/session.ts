/** Takes a profile of what this process does: stretches of the event loop, the engine's sections and kernels, memory. */
import { basename } from 'node:path';
import type { NativeBinding, NativeKernelTotal, NativeMachine } from '../../binding/native';
import { measureMachine } from '../bench/machine';
import { log } from '../observe/log';
import { loadNative } from '../libtorch/load';
import { now, recordSpans, timedSync, type Span } from './spans';

/** One thread of the engine; times in nanoseconds of the clock of process.hrtime. */
export interface ThreadTrace {
  id: number;
  name: string;
  /** Events as NativeThreadRecord has them. */
  events: Float64Array[];
  dropped: number;
}

export interface MemorySample {
  time: number;
  /** Resident memory of the process. */
  rssMiB: number;
  /** Memory of JavaScript's own. */
  heapMiB: number;
}

export interface Profile {
  command: string[];
  /** The start of the process and the end of the command. */
  start: number;
  end: number;
  spans: Span[];
  threads: ThreadTrace[];
  memory: MemorySample[];
  /** Null where the engine could not be loaded. */
  engine: {
    sections: readonly string[];
    kernels: readonly string[];
    totals: NativeKernelTotal[];
    threads: number;
    instructionSet: string;
    machine: NativeMachine;
  } | null;
}

export interface ProfileOptions {
  /** What is run, for the record. */
  command: string[];
  /** Kernels of every engine call that the trace shows, on each thread. Default 500. */
  kernelsPerCall?: number;
}

const DRAIN_MILLISECONDS = 100;
const KERNELS_PER_CALL = 500;

/** The engine to record; a command that needs none can be profiled without libtorch. */
function engine(): NativeBinding | null {
  try {
    return timedSync('load libtorch', loadNative);
  } catch (error) {
    log.warn(`Kernels are not recorded: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

/** Runs `work` and returns what it returned, with the profile of the process from its start on. */
export async function takeProfile<T>(
  { command, kernelsPerCall = KERNELS_PER_CALL }: ProfileOptions,
  work: () => Promise<T>,
): Promise<{ result: T; profile: Profile }> {
  const start = now() - performance.now() * 1e6;
  const { spans, stop } = recordSpans();
  spans.push({ name: 'start Node', start, end: now(), idle: 0 });
  const native = engine();
  const threads = new Map<number, ThreadTrace>();
  const memory: MemorySample[] = [];
  const drain = (): void => {
    const { rss, heapUsed } = process.memoryUsage();
    memory.push({ time: now(), rssMiB: rss / 2 ** 20, heapMiB: heapUsed / 2 ** 20 });
    for (const { id, name, dropped, events } of native?.profile.drain() ?? []) {
      const thread = threads.get(id) ?? { id, name, events: [], dropped: 0 };
      threads.set(id, thread);
      thread.dropped += dropped;
      if (events.length > 0) thread.events.push(events);
    }
  };
  native?.profile.start(kernelsPerCall);
  const timer = setInterval(drain, DRAIN_MILLISECONDS).unref();
  try {
    const result = await work();
    const end = now();
    clearInterval(timer);
    native?.profile.stop();
    drain();
    stop();
    const summed = native && (await native.profile.totals());
    const profile: Profile = {
      command,
      start,
      end,
      spans,
      threads: [...threads.values()].filter(({ events }) => events.length > 0),
      memory,
      engine: native &&
        summed && {
          sections: native.profile.sections,
          kernels: native.profile.kernels,
          totals: summed.kernels,
          threads: summed.threads,
          instructionSet: native.instructionSet,
          machine: await measureMachine(summed.threads, true),
        },
    };
    return { result, profile };
  } finally {
    clearInterval(timer);
    native?.profile.stop();
    stop();
  }
}

/** `zero-rl train recipes/demo.yaml` */
export const commandText = (command: readonly string[]): string =>
  ['zero-rl', ...command.map((word) => (word.includes('/') && word.length > 60 ? basename(word) : word))].join(' ');
