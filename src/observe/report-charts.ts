/** Which curves a report shows, from the rows of metrics.jsonl. */
import type { MetricsRow } from '../training/run-folder';
import { lineChart, smooth, type ChartOptions, type Point, type Series } from './chart';
import { phases, type StepMetrics } from './metrics';
import { formatNumber, formatPercent } from './svg';

/** Smoothing radius: about a twentieth of the run on both sides together. */
const radiusFor = (steps: number): number => Math.round(steps / 40);

const isStep = (row: MetricsRow): row is StepMetrics => row.step > 0;

/** SVG charts of a run, those first that answer whether it learns. */
export async function runCharts(rows: readonly MetricsRow[]): Promise<string[]> {
  const steps = rows.filter(isStep);
  const radius = radiusFor(steps.length);
  const points = (pick: (row: StepMetrics) => number | null): Point[] =>
    steps.flatMap((row) => {
      const y = pick(row);
      return y === null || !Number.isFinite(y) ? [] : [{ x: row.step, y }];
    });
  const curve = (label: string, color: number, pick: (row: StepMetrics) => number | null): Series => {
    const raw = points(pick);
    return { label, color, points: smooth(raw, radius), ...(radius > 0 ? { faint: raw } : {}) };
  };
  const heldOut = (
    label: string,
    color: number,
    pick: (row: NonNullable<MetricsRow['evaluation']>) => { y: number; low: number; high: number },
  ): Series => ({
    label,
    color,
    points: [],
    dots: rows.flatMap((row) => (row.evaluation ? [{ x: row.step, ...pick(row.evaluation) }] : [])),
  });
  const chart = (series: Series[], options: ChartOptions, describe: (row: StepMetrics) => string): Promise<string> =>
    lineChart(series, {
      labelWidth: series.length === 1 ? 16 : 72,
      ...options,
      tooltips: steps.map((row) => ({ x: row.step, text: `step ${row.step}\n${describe(row)}` })),
    });
  const percent = (share: number): string => formatPercent(share, 0);

  const hasCritic = steps.some((row) => row.critic !== undefined);
  const measured = steps.some((row) => row.klPerSequence !== null);
  return Promise.all([
    chart(
      [curve('', 0, (row) => row.rewardMean)],
      { title: 'Reward', subtitle: 'mean of the step’s samples' },
      (row) => `reward ${formatNumber(row.rewardMean)} ± ${formatNumber(row.rewardStd)}`,
    ),
    chart(
      [
        curve('training', 0, (row) => row.accuracy),
        heldOut('held out', 1, ({ accuracy, interval }) => ({ y: accuracy, low: interval[0], high: interval[1] })),
      ],
      {
        title: 'Accuracy',
        subtitle: 'right and in the right format; held out with 95 % interval',
        include: [0, 1],
        bounds: [0, 1],
        formatY: percent,
      },
      (row) =>
        `training ${formatPercent(row.accuracy)}${row.evaluation ? `\nheld out ${formatPercent(row.evaluation.accuracy)}` : ''}`,
    ),
    chart(
      [
        curve('training', 0, (row) => row.responseLength),
        heldOut('held out', 1, ({ responseLength }) => ({
          y: responseLength,
          low: responseLength,
          high: responseLength,
        })),
      ],
      { title: 'Response length', subtitle: 'tokens, the end token included', include: [0] },
      (row) => `${formatNumber(row.responseLength)} tokens`,
    ),
    chart(
      [curve('', 0, (row) => row.entropy)],
      { title: 'Entropy', subtitle: 'nats per token', include: [0] },
      (row) => `${formatNumber(row.entropy)} nats`,
    ),
    ...(measured
      ? [
          chart(
            [curve('', 0, (row) => row.klPerSequence)],
            { title: 'KL to the reference', subtitle: 'nats per sequence (k1 estimate)', include: [0] },
            (row) => `${formatNumber(row.klPerSequence)} nats per sequence\n${formatNumber(row.klPerToken)} per token`,
          ),
        ]
      : []),
    ...(hasCritic
      ? [
          chart(
            [curve('', 0, (row) => row.critic?.explainedVariance ?? null)],
            { title: 'Explained variance', subtitle: 'of the returns, by the critic', include: [0], bounds: [-1, 1] },
            ({ critic }) =>
              `explained ${formatPercent(critic?.explainedVariance ?? null)}\nloss ${formatNumber(critic?.loss ?? 0)}`,
          ),
        ]
      : []),
    chart(
      [curve('', 0, (row) => row.gradNorm)],
      { title: 'Gradient norm', subtitle: 'before clipping', include: [0] },
      (row) => formatNumber(row.gradNorm),
    ),
    chart(
      [
        curve('format', 0, (row) => row.formatRate),
        curve('usable', 2, (row) => row.usableGroups / Math.max(1, row.groups)),
        curve('cut off', 1, (row) => row.truncatedRate),
      ],
      {
        title: 'Shares',
        subtitle: 'format right, groups whose rewards differ, cut off',
        include: [0, 1],
        bounds: [0, 1],
        formatY: percent,
        labelWidth: 64,
      },
      (row) =>
        `format ${formatPercent(row.formatRate)}\nusable groups ${row.usableGroups} of ${row.groups}\ntruncated ${formatPercent(row.truncatedRate)}`,
    ),
    chart(
      phases
        .map((phase, color) => curve(phase, color, (row) => row.tokensPerSecond[phase]))
        .filter((series) => series.points.length > 0),
      { title: 'Tokens per second', subtitle: 'by phase, logarithmic', scale: 'log' },
      (row) => phases.map((phase) => `${phase} ${formatNumber(row.tokensPerSecond[phase])}`).join('\n'),
    ),
  ]);
}
