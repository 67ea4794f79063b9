/** The charts of the dashboard: which columns of the metrics each shows. */
import { phases } from '../metrics';
import { derived } from './metric-table';
import type { ChartInfo, Format } from './protocol';

export interface ChartSource extends Omit<ChartInfo, 'series'> {
  series: SeriesSource[];
}

export interface SeriesSource {
  column: string;
  label: string;
  low?: string;
  high?: string;
  /**
   * `not 0`: drawn where the run has a value other than 0; phases that a run does not have take 0 s. `ratios`: drawn where the
   * run's objective has ratios to the policy that sampled; other objectives clip nothing.
   */
  where?: 'not 0' | 'ratios';
}

interface Options {
  format?: Format;
  scale?: ChartInfo['scale'];
  include?: number[];
  dots?: boolean;
}

function chart(
  id: string,
  title: string,
  subtitle: string,
  series: string | ChartSource['series'],
  { format = 'number', scale = 'linear', include = [], dots = false }: Options = {},
): ChartSource {
  const list = typeof series === 'string' ? [{ column: series, label: '' }] : series;
  return { id, title, subtitle, format, scale, include, dots, series: list };
}

const share: Options = { format: 'percent', include: [0] };
const estimate = (prefix: string, label: string): ChartSource['series'][number] => ({
  column: `${prefix}.accuracy`,
  label,
  low: `${prefix}.interval.0`,
  high: `${prefix}.interval.1`,
});
const phased = (prefix: string): ChartSource['series'] =>
  phases.map((phase) => ({ column: `${prefix}.${phase}`, label: phase, where: 'not 0' }));

/** In the order of the page: those first that answer whether a run learns. */
export const charts: readonly ChartSource[] = [
  chart('reward', 'Reward', 'mean over the samples of a step', 'rewardMean'),
  chart(
    'evaluation',
    'Held-out accuracy',
    'share of right samples, 95 % interval',
    [estimate('evaluation', ''), estimate('emaEvaluation', 'averaged weights')],
    { ...share, dots: true },
  ),
  chart('accuracy', 'Training accuracy', 'share of right samples of a step', 'accuracy', share),
  chart('length', 'Response length', 'tokens, the end token included', 'responseLength', { include: [0] }),
  chart('entropy', 'Entropy', 'nats per token', 'entropy', { include: [0] }),
  chart('kl', 'KL to the reference', 'nats per sequence, k1 estimate', 'klPerSequence', { include: [0] }),
  chart('gradient', 'Gradient norm', 'before clipping', 'gradNorm', { include: [0] }),
  chart(
    'clip',
    'Clip share',
    'tokens whose ratio was clipped',
    [{ column: 'clipFraction', label: '', where: 'ratios' }],
    share,
  ),
  chart('usable', 'Usable groups', 'share whose rewards differ', derived.usable, share),
  chart(
    'shares',
    'Format and cut-offs',
    'share of the samples',
    [
      { column: 'formatRate', label: 'right format' },
      { column: 'truncatedRate', label: 'cut off' },
    ],
    share,
  ),
  chart('throughput', 'Throughput', 'tokens per second by phase, logarithmic', phased('tokensPerSecond'), {
    format: 'rate',
    scale: 'log',
  }),
  chart('seconds', 'Time of a step', 'seconds by phase', phased('seconds'), { include: [0] }),
  chart('memory', 'Memory', 'resident, of the training process', 'memoryMiB', { format: 'memory', include: [0] }),
  chart('repetition', 'Repetition', 'share of repeated 4-grams', 'repetition', share),
  chart('learning-rate', 'Learning rate', 'of the step', 'learningRate', { include: [0] }),
  chart('critic', 'Explained variance', 'of the returns, by the critic', 'critic.explainedVariance'),
  chart('mismatch', 'Sampling mismatch', 'mean |log-prob at the step − at sampling|', 'logProbDifference', {
    include: [0],
  }),
];

export function findChart(id: string): ChartSource | undefined {
  return charts.find((source) => source.id === id);
}
