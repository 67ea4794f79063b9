/** Tables of a profile and of two side by side, for a terminal. */
import { formatNumber, formatPercent } from '../observe/svg';
import { commandText } from './session';
import type { KernelSummary, ProfileSummary } from './summary';

/** Rows of a table; the first column is text, the others numbers. */
type Row = readonly string[];

function table(head: Row, rows: readonly Row[], textColumns = 1): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (row: Row): string =>
    row.map((cell, i) => (i < textColumns ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  return [head, ...rows].map((row) => line(row).trimEnd()).join('\n');
}

const seconds = (value: number): string => (value >= 0.1 ? value.toFixed(2) : `${(1e3 * value).toFixed(1)} ms`);
const micro = ({ seconds: sum, calls }: KernelSummary): string => ((1e6 * sum) / calls).toFixed(1);
const short = (value: number): string => formatNumber(value);
const count = (value: number): string => value.toLocaleString('en-US');
const giga = (value: number): string => (value / 1e9).toFixed(value >= 1e11 ? 0 : 2);

/** Kernels below this share of the wall time are left to the summary file. */
const LEAST_SHARE = 0.001;

export function summaryText(summary: ProfileSummary): string {
  const { wall, memory, machine, threads, instructionSet } = summary;
  const kernels = summary.kernels.filter(({ share }) => share >= LEAST_SHARE);
  const parts = [
    `${commandText(summary.command)}: ${seconds(summary.seconds)} s of wall time`,
    `${formatPercent(wall.accounted)} in named phases and kernels, ${formatPercent(wall.idle)} idle, ${formatPercent(wall.other)} other; ` +
      `peak memory ${Math.round(memory.peakRssMiB)} MiB, JavaScript's ${Math.round(memory.peakHeapMiB)} MiB`,
    '',
    table(
      ['phase', 'calls', 's', 'of wall', 'engine', 'JavaScript', 'idle'],
      summary.phases.map((row) => [
        row.name,
        count(row.calls),
        seconds(row.seconds),
        formatPercent(row.share),
        seconds(row.engineSeconds),
        seconds(row.ownSeconds),
        seconds(row.idleSeconds),
      ]),
    ),
  ];
  if (summary.sections.length > 0) {
    parts.push(
      '',
      table(
        ['engine', 'calls', 's', 'of it own', 'own of wall'],
        summary.sections.map((row) => [
          row.name,
          count(row.calls),
          seconds(row.seconds),
          seconds(row.ownSeconds),
          formatPercent(row.share),
        ]),
      ),
    );
  }
  if (kernels.length > 0 && machine) {
    parts.push(
      '',
      `${threads} threads, ${instructionSet}; measured peak ${machine.peakGigaflopsPerSecond.float32.toFixed(0)} (float32) and ` +
        `${machine.peakGigaflopsPerSecond.bfloat16.toFixed(0)} (bfloat16) GFLOP/s, memory ${machine.readGigabytesPerSecond.toFixed(1)} GB/s; ` +
        `kernels fill ${formatPercent(summary.kernelShare)} of the engine's time`,
      table(
        ['kernel', 'in', 'dtype', 'calls', 's', 'of wall', 'us', 'GB', 'GFLOP', 'GB/s', 'GFLOP/s', 'of roof', 'bound'],
        kernels.map((row) => [
          row.kernel,
          row.section,
          row.dtype,
          count(row.calls),
          seconds(row.seconds),
          formatPercent(row.share),
          micro(row),
          giga(row.bytes),
          giga(row.flops),
          short(row.gigabytesPerSecond),
          short(row.gigaflopsPerSecond),
          formatPercent(row.fraction, 0),
          row.bound,
        ]),
        3,
      ),
    );
  }
  if (summary.droppedEvents > 0)
    parts.push('', `The trace lacks ${count(summary.droppedEvents)} events that came too fast; the tables hold all.`);
  return parts.join('\n');
}

export interface ComparedRow {
  name: string;
  calls: [number, number];
  seconds: [number, number];
  /** Seconds of the second over those of the first; null where it has none. */
  ratio: number | null;
}

export interface ProfileComparison {
  seconds: [number, number];
  peakRssMiB: [number, number];
  phases: ComparedRow[];
  sections: ComparedRow[];
  kernels: ComparedRow[];
}

interface Part {
  name: string;
  calls: number;
  seconds: number;
}

function compareParts(first: readonly Part[], second: readonly Part[]): ComparedRow[] {
  const names = [...new Set([...first, ...second].map(({ name }) => name))];
  const none = { calls: 0, seconds: 0 };
  const rows = names.map((name): ComparedRow => {
    const a = first.find((part) => part.name === name) ?? none;
    const b = second.find((part) => part.name === name) ?? none;
    return {
      name,
      calls: [a.calls, b.calls],
      seconds: [a.seconds, b.seconds],
      ratio: a.seconds > 0 && b.seconds > 0 ? b.seconds / a.seconds : null,
    };
  });
  return rows.sort((a, b) => Math.max(...b.seconds) - Math.max(...a.seconds));
}

/** Phases, own time of sections, and kernels, matched by name. */
export function compareProfiles(first: ProfileSummary, second: ProfileSummary): ProfileComparison {
  const own = ({ sections }: ProfileSummary): Part[] =>
    sections.map(({ name, calls, ownSeconds }) => ({ name, calls, seconds: ownSeconds }));
  const kernels = (summary: ProfileSummary): Part[] =>
    summary.kernels.map(({ kernel, section, dtype, calls, seconds: sum }) => ({
      name: `${kernel} in ${section}, ${dtype}`,
      calls,
      seconds: sum,
    }));
  return {
    seconds: [first.seconds, second.seconds],
    peakRssMiB: [first.memory.peakRssMiB, second.memory.peakRssMiB],
    phases: compareParts(first.phases, second.phases),
    sections: compareParts(own(first), own(second)),
    kernels: compareParts(kernels(first), kernels(second)),
  };
}

export function comparisonText({ phases, sections, kernels, ...whole }: ProfileComparison): string {
  const rows = (title: string, parts: readonly ComparedRow[]): string =>
    table(
      [title, 'calls', 's', 'calls', 's', 'ratio'],
      parts.map(({ name, calls, seconds: [a, b], ratio }) => [
        name,
        count(calls[0]),
        seconds(a),
        count(calls[1]),
        seconds(b),
        ratio === null ? '–' : ratio.toFixed(2),
      ]),
    );
  const [a, b] = whole.seconds;
  const [less, more] = whole.peakRssMiB.map(Math.round);
  return [
    `${seconds(a)} s and ${seconds(b)} s (${(b / a).toFixed(2)}), peak memory ${less} and ${more} MiB`,
    rows('phase', phases),
    rows('engine (own time)', sections),
    rows('kernel', kernels),
  ].join('\n\n');
}
