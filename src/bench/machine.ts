/**
 * The roof of the machine as formulas use it: bandwidth at any working set, and the peak of a dtype. It is measured in
 * this process, before and after what is timed, with the engine's threads; the better of the two counts, so that a
 * disturbed measurement never lowers the roof.
 */
import type { NativeBandwidth, NativeMachine, NativePeak } from '../../binding/native';
import { loadNative } from '../libtorch/load';
import type { Dtype } from '../policy/types';

/** Samples of each quantity, of which the best counts. */
const SAMPLES = 7;
const QUICK_SAMPLES = 2;

export function measureMachine(threads: number, quick = false): Promise<NativeMachine> {
  return loadNative().measureMachine(threads, quick ? QUICK_SAMPLES : SAMPLES);
}

const bestPeak = (a: NativePeak, b: NativePeak): NativePeak => ({
  own: Math.max(a.own, b.own),
  aten: Math.max(a.aten, b.aten),
  tiles: Math.max(a.tiles, b.tiles),
});

/** The better of two measurements, quantity by quantity. */
export function bestOf(a: NativeMachine, b: NativeMachine): NativeMachine {
  return {
    bandwidth: a.bandwidth.map((level, i) => ({
      bytes: level.bytes,
      read: Math.max(level.read, b.bandwidth[i].read),
      copy: Math.max(level.copy, b.bandwidth[i].copy),
    })),
    float32: bestPeak(a.float32, b.float32),
    bfloat16: bestPeak(a.bfloat16, b.bfloat16),
    forkJoin: Math.min(a.forkJoin, b.forkJoin),
  };
}

/** FLOP/s of the dtype: our own micro-kernel on vectors, or ATen's product where that is faster (matrix units). */
export function peakOf(machine: NativeMachine, dtype: Dtype): number {
  const { own, aten } = machine[dtype];
  return Math.max(own, aten);
}

/**
 * Bytes per second at a working set of `bytes`: linear in its logarithm between the measured sizes, and never less than
 * at a larger one, which noise could make it.
 */
export function bandwidthAt(machine: NativeMachine, bytes: number, kind: 'read' | 'copy'): number {
  const levels = machine.bandwidth;
  const atLeast = levels.map((_, i) => Math.max(...levels.slice(i).map((level) => level[kind])));
  const above = levels.findIndex((level) => level.bytes >= bytes);
  if (above === 0) return atLeast[0];
  if (above === -1) return atLeast[levels.length - 1];
  const low: NativeBandwidth = levels[above - 1];
  const share = Math.log(bytes / low.bytes) / Math.log(levels[above].bytes / low.bytes);
  return atLeast[above - 1] + share * (atLeast[above] - atLeast[above - 1]);
}

/** What a benchmark prints of the machine. */
export interface MachineReport {
  /** FLOP/s of the dtype in GFLOP/s. */
  peakGigaflopsPerSecond: number;
  /** Of the processor's matrix units alone, on squares in the nearest cache; 0 where it has none. */
  tilesGigaflopsPerSecond: number;
  /** From memory, beyond the last-level cache. */
  readGigabytesPerSecond: number;
  copyGigabytesPerSecond: number;
  forkJoinMicroseconds: number;
  /** Largest relative change of peak and of bandwidth from memory between the two measurements. */
  drift: number;
  /** Whether the drift is at most 5 %: otherwise something else ran on the machine and no figure can be trusted. */
  steady: boolean;
}

const MAX_DRIFT = 0.05;

export function reportMachine(before: NativeMachine, after: NativeMachine, dtype: Dtype): MachineReport {
  const best = bestOf(before, after);
  const memory = best.bandwidth[best.bandwidth.length - 1];
  const lowest = (machine: NativeMachine): number[] => [
    peakOf(machine, dtype),
    machine.bandwidth[machine.bandwidth.length - 1].read,
  ];
  const drift = Math.max(...lowest(before).map((value, i) => Math.abs(Math.log(value / lowest(after)[i]))));
  return {
    peakGigaflopsPerSecond: peakOf(best, dtype) / 1e9,
    tilesGigaflopsPerSecond: best[dtype].tiles / 1e9,
    readGigabytesPerSecond: memory.read / 1e9,
    copyGigabytesPerSecond: memory.copy / 1e9,
    forkJoinMicroseconds: best.forkJoin * 1e6,
    drift,
    steady: drift <= MAX_DRIFT,
  };
}
