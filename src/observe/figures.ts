/** What the charts of runs show: a figure has one or more curves, each a number of a step's metrics. */
import type { Evaluation } from '../training/evaluate';
import type { ChartOptions } from './chart';
import { phases, type StepMetrics } from './metrics';
import { formatPercent } from './svg';

export interface Curve {
  /** Empty for the only curve of a figure. */
  label: string;
  pick: (row: StepMetrics) => number | null | undefined;
}

export interface Figure {
  title: string;
  subtitle: string;
  curves: readonly Curve[];
  /** Shown as dots with their interval; null where it is not known. */
  heldOut?: (evaluation: Evaluation) => { y: number; low: number; high: number } | null;
  options?: Pick<ChartOptions, 'include' | 'bounds' | 'scale' | 'formatY'>;
}

const share: Figure['options'] = {
  include: [0, 1],
  bounds: [0, 1],
  formatY: (value) => formatPercent(value, 0),
};
const fromZero: Figure['options'] = { include: [0] };

/** Those first that answer whether a run learns. A figure without a single value is left out. */
export const figures: readonly Figure[] = [
  {
    title: 'Reward',
    subtitle: 'mean of the step’s samples',
    curves: [{ label: '', pick: ({ rewardMean }) => rewardMean }],
  },
  {
    title: 'Accuracy',
    subtitle: 'right and in the right format; held out with 95 % interval',
    curves: [{ label: 'training', pick: ({ accuracy }) => accuracy }],
    heldOut: ({ accuracy, interval }) =>
      accuracy === null || interval === null ? null : { y: accuracy, low: interval[0], high: interval[1] },
    options: share,
  },
  {
    title: 'Response length',
    subtitle: 'tokens, the end token included',
    curves: [{ label: 'training', pick: ({ responseLength }) => responseLength }],
    heldOut: ({ responseLength: y }) => ({ y, low: y, high: y }),
    options: fromZero,
  },
  {
    title: 'Entropy',
    subtitle: 'nats per token',
    curves: [{ label: '', pick: ({ entropy }) => entropy }],
    options: fromZero,
  },
  {
    title: 'KL to the reference',
    subtitle: 'nats per sequence (k1 estimate)',
    curves: [{ label: '', pick: ({ klPerSequence }) => klPerSequence }],
    options: fromZero,
  },
  {
    title: 'Explained variance',
    subtitle: 'of the returns, by the critic',
    curves: [{ label: '', pick: ({ critic }) => critic?.explainedVariance }],
    options: { include: [0], bounds: [-1, 1] },
  },
  {
    title: 'Gradient norm',
    subtitle: 'before clipping',
    curves: [{ label: '', pick: ({ gradNorm }) => gradNorm }],
    options: fromZero,
  },
  {
    title: 'Clip share',
    subtitle: 'tokens whose ratio was clipped',
    curves: [
      { label: '', pick: ({ clipFraction }) => (clipFraction !== null && clipFraction > 0 ? clipFraction : null) },
    ],
    options: { include: [0], formatY: (value) => formatPercent(value, 1) },
  },
  {
    title: 'Shares',
    subtitle: 'format right, groups whose rewards differ, cut off',
    curves: [
      { label: 'format', pick: ({ formatRate }) => formatRate },
      { label: 'usable', pick: ({ usableGroups, groups }) => usableGroups / Math.max(1, groups) },
      { label: 'cut off', pick: ({ truncatedRate }) => truncatedRate },
    ],
    options: share,
  },
  {
    title: 'Repetition',
    subtitle: 'share of repeated 4-grams in a response',
    curves: [{ label: '', pick: ({ repetition }) => repetition }],
    options: { include: [0], formatY: (value) => formatPercent(value, 1) },
  },
  {
    title: 'Tokens per second',
    subtitle: 'by phase, logarithmic',
    curves: phases.map((phase) => ({ label: phase, pick: ({ tokensPerSecond }) => tokensPerSecond[phase] })),
    options: { scale: 'log' },
  },
  {
    title: 'Seconds of a step',
    subtitle: 'by phase',
    curves: ([...phases, 'total'] as const).map((phase) => ({
      label: phase,
      pick: ({ seconds }) => (seconds[phase] > 0 ? seconds[phase] : null),
    })),
    options: fromZero,
  },
  {
    title: 'Memory',
    subtitle: 'resident MiB of the process',
    curves: [{ label: '', pick: ({ memoryMiB }) => memoryMiB }],
    options: fromZero,
  },
];
