/** Times every kernel against its ATen twin and against the machine, all in this process. */
import type { NativeKernelRun, NativeMachine } from '../../binding/native';
import { invalidRange } from '../errors';
import { loadNative } from '../libtorch/load';
import type { Dtype } from '../policy/types';
import { kernelShapes, type KernelShape } from './kernel-list';
import { dtypesOf } from './kernel-sizes';
import { bandwidthAt, bestOf, measureMachine, peakOf, reportMachine, type MachineReport } from './machine';
import { median } from './statistics';

export interface KernelResult {
  kernel: string;
  use: string;
  sizes: Record<string, number>;
  dtype: Dtype;
  /** Of one call, median. */
  seconds: number;
  /** Of the operands read once and the results written once. */
  gigabytesPerSecond: number;
  gigaflopsPerSecond: number;
  /** Which limit of the machine is nearer. */
  bound: 'bandwidth' | 'compute';
  /** Share of that limit; above 1 only where caches held more than the working set suggests. */
  fraction: number;
  twinSeconds: number;
  /** twinSeconds / seconds: above 1 we are faster than ATen. */
  ratio: number;
  /** Largest difference from the twin, relative to |twin| + its root mean square. */
  difference: number;
}

export interface KernelReport {
  device: string;
  threads: number;
  instructionSet: string;
  machine: Record<Dtype, MachineReport>;
  kernels: KernelResult[];
}

export interface KernelBenchOptions {
  threads: number;
  dtypes: readonly Dtype[];
  /** Runs the kernels whose name contains this text. */
  only?: string;
  /** Fewer and shorter samples, and no large shapes. */
  quick?: boolean;
  /** Instead of those of the two models. */
  shapes?: readonly KernelShape[];
  onKernel?: (done: number, total: number) => void;
}

const FULL = { samples: 7, seconds: 0.03 };
const QUICK = { samples: 3, seconds: 0.003 };
/** Quick runs leave larger shapes out. */
const QUICK_PRODUCTS = 3e8;
const QUICK_ELEMENTS = 5e6;

function isHeavy({ sizes }: KernelShape): boolean {
  const { m = 0, n = 0, k = 0, count = 0, rows = 0, vocab = 0 } = sizes;
  return m * n * k > QUICK_PRODUCTS || count > QUICK_ELEMENTS || rows * vocab > QUICK_ELEMENTS;
}

function summarise(shape: KernelShape, dtype: Dtype, run: NativeKernelRun, machine: NativeMachine): KernelResult {
  const seconds = median(run.seconds);
  const twinSeconds = median(run.twinSeconds);
  const roof = Math.max(bandwidthAt(machine, run.bytes, 'read'), bandwidthAt(machine, run.bytes, 'copy'));
  const bandwidth = run.bytes / seconds / roof;
  const compute = run.flops / seconds / peakOf(machine, dtype);
  return {
    kernel: shape.kernel,
    use: shape.use,
    sizes: shape.sizes,
    dtype,
    seconds,
    gigabytesPerSecond: run.bytes / seconds / 1e9,
    gigaflopsPerSecond: run.flops / seconds / 1e9,
    bound: bandwidth >= compute ? 'bandwidth' : 'compute',
    fraction: Math.max(bandwidth, compute),
    twinSeconds,
    ratio: twinSeconds / seconds,
    difference: Math.max(...Object.values(run.differences)),
  };
}

/** @throws RangeError where nothing is left to run */
function workOf({
  only = '',
  shapes,
  dtypes,
  quick = false,
}: KernelBenchOptions): { shape: KernelShape; dtype: Dtype }[] {
  const named = (shapes ?? kernelShapes).filter(({ kernel }) => kernel.includes(only));
  if (named.length === 0) {
    const known = [...new Set((shapes ?? kernelShapes).map(({ kernel }) => kernel))];
    throw invalidRange('only', `part of one of the names ${known.join(', ')}`, only);
  }
  // A shape that someone asks for is run however large it is.
  const work = named
    .filter((shape) => shapes !== undefined || !quick || !isHeavy(shape))
    .flatMap((shape) =>
      dtypes.filter((dtype) => dtypesOf(shape.kernel).includes(dtype)).map((dtype) => ({ shape, dtype })),
    );
  if (work.length === 0) {
    const kernels = [...new Set(named.map(({ kernel }) => kernel))].join(' and ');
    throw invalidRange('dtype', `float32, the one form of ${kernels},`, dtypes.join());
  }
  return work;
}

/** @throws RangeError where the options leave no kernel, before anything is measured */
export async function benchKernels(options: KernelBenchOptions): Promise<KernelReport> {
  const { threads, quick = false } = options;
  const { samples, seconds } = quick ? QUICK : FULL;
  const work = workOf(options);
  const native = loadNative();
  const before = await measureMachine(threads, quick);
  const runs: NativeKernelRun[] = [];
  for (const { shape, dtype } of work) {
    const { kernel, sizes } = shape;
    options.onKernel?.(runs.length, work.length);
    runs.push(await native.runKernel({ kernel, dtype, sizes, seed: 1, threads, samples, seconds, compare: true }));
  }
  const after = await measureMachine(threads, quick);
  const machine = bestOf(before, after);
  return {
    device: 'cpu',
    threads,
    instructionSet: native.instructionSet,
    machine: {
      float32: reportMachine(before, after, 'float32'),
      bfloat16: reportMachine(before, after, 'bfloat16'),
    },
    kernels: work.map(({ shape, dtype }, i) => summarise(shape, dtype, runs[i], machine)),
  };
}
