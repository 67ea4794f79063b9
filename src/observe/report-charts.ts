/** The figures of one run, or of several beside each other, as charts. */
import type { MetricsRow } from '../training/run-folder';
import { lineChart, smooth, type Point, type Series } from './chart';
import { figures, type Curve, type Figure } from './figures';
import type { StepMetrics } from './metrics';
import type { RunGroup } from './run-groups';
import { formatNumber } from './svg';
import { greatest, least } from '../extremes';

type Band = NonNullable<Series['band']>;
type Dots = NonNullable<Series['dots']>;

/** Most points of a line: more than pixels of a chart show nothing more. */
const MOST_POINTS = 600;

/** Smoothing radius: about a twentieth of the run on both sides together. */
const radiusFor = (points: number): number => Math.round(points / 40);

const isStep = (row: MetricsRow): row is StepMetrics => row.step > 0;
const isNumber = (value: number | null | undefined): value is number =>
  typeof value === 'number' && Number.isFinite(value);
const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

interface Bundle {
  mean: Point[];
  /** Lowest and highest of what the mean is of. */
  range: Band;
}

/** The mean and the range of several lines at each x. */
function bundle(lines: readonly (readonly Point[])[]): Bundle {
  const at = new Map<number, number[]>();
  for (const { x, y } of lines.flat()) {
    const values = at.get(x);
    if (values === undefined) at.set(x, [y]);
    else values.push(y);
  }
  const columns = [...at].sort(([a], [b]) => a - b);
  return {
    mean: columns.map(([x, values]) => ({ x, y: meanOf(values) })),
    range: columns.map(([x, values]) => ({ x, low: least(values), high: greatest(values) })),
  };
}

/** Runs of neighbouring points as one each, with the mean of their values and the range of their bands. */
function thin({ mean, range }: Bundle): Bundle {
  const size = Math.ceil(mean.length / MOST_POINTS);
  if (size <= 1) return { mean, range };
  const starts = Array.from({ length: Math.ceil(mean.length / size) }, (_, i) => i * size);
  return {
    mean: starts.map((start) => {
      const part = mean.slice(start, start + size);
      return { x: meanOf(part.map(({ x }) => x)), y: meanOf(part.map(({ y }) => y)) };
    }),
    range: starts.map((start) => {
      const part = range.slice(start, start + size);
      const x = meanOf(part.map(({ x: step }) => step));
      return { x, low: least(part.map(({ low }) => low)), high: greatest(part.map(({ high }) => high)) };
    }),
  };
}

function pointsOf(rows: readonly MetricsRow[], { pick }: Curve): Point[] {
  return rows.filter(isStep).flatMap((row) => {
    const y = pick(row);
    return isNumber(y) ? [{ x: row.step, y }] : [];
  });
}

/** A line for the runs of a group: smoothed, over the values of one run or the range of several. */
function seriesOf({ runs }: RunGroup, curve: Curve, label: string, color: number): Series {
  const lines = runs.map(({ rows }) => pointsOf(rows, curve)).filter((points) => points.length > 0);
  const thinned = thin(bundle(lines));
  const { mean, range } = thinned;
  const radius = radiusFor(mean.length);
  const whole = mean.length < (lines[0]?.length ?? 0);
  return {
    label,
    color,
    points: smooth(mean, radius),
    ...(lines.length > 1 || whole ? { band: range } : radius > 0 ? { faint: mean } : {}),
  };
}

/** Held-out figures: those of one run with their interval, of several runs their mean with their range. */
function dotsOf({ runs }: RunGroup, heldOut: NonNullable<Figure['heldOut']>): Dots {
  const found = runs.map(({ rows }) =>
    rows.flatMap((row) => {
      const dot = row.evaluation ? heldOut(row.evaluation) : null;
      return dot === null ? [] : [{ x: row.step, ...dot }];
    }),
  );
  if (found.length === 1) return found[0].filter(({ y }) => isNumber(y));
  const { mean, range } = bundle(found.map((dots) => dots.filter(({ y }) => isNumber(y))));
  return mean.map((point, i) => ({ ...point, low: range[i].low, high: range[i].high }));
}

const isEmpty = ({ points, dots = [] }: Series): boolean => points.length === 0 && dots.length === 0;

function draw(figure: Figure, title: string, series: readonly Series[], tooltips?: { x: number; text: string }[]) {
  const labelled = series.some(({ label }) => label !== '');
  const labelWidth = labelled ? (series.some(({ label }) => label.length > 2) ? 72 : 30) : 16;
  return lineChart(series, { title, subtitle: figure.subtitle, labelWidth, ...figure.options, tooltips });
}

/** One chart a figure, its curves together. */
function chartsOfOne(group: RunGroup): Promise<string[]> {
  const charts = figures.flatMap((figure): Promise<string>[] => {
    const series = figure.curves
      .map((curve, i) => seriesOf(group, curve, curve.label, i % 8))
      .filter((candidate) => !isEmpty(candidate));
    const dots = figure.heldOut ? dotsOf(group, figure.heldOut) : [];
    if (dots.length > 0) series.push({ label: 'held out', color: 1, points: [], dots });
    if (series.length === 0) return [];
    const shown = series.length === 1 ? [{ ...series[0], label: '' }] : series;
    const steps = group.runs[0].rows.filter(isStep);
    const tooltips = (group.runs.length === 1 && steps.length <= MOST_POINTS ? steps : []).map((row) => ({
      x: row.step,
      text: [
        `step ${row.step}`,
        ...figure.curves.flatMap(({ label, pick }) => {
          const value = pick(row);
          if (!isNumber(value)) return [];
          const format = figure.options?.formatY ?? formatNumber;
          return [`${label || figure.title.toLowerCase()} ${format(value)}`];
        }),
      ].join('\n'),
    }));
    return [draw(figure, figure.title, shown, tooltips)];
  });
  return Promise.all(charts);
}

/** One chart a curve, the groups together. */
function chartsOfSeveral(groups: readonly RunGroup[]): Promise<string[]> {
  const charts = figures.flatMap((figure) => {
    const title = (label: string): string =>
      figure.curves.length === 1 && !figure.heldOut ? figure.title : `${figure.title}: ${label}`;
    const perCurve = figure.curves.map((curve) => ({
      title: title(curve.label),
      series: groups.map((group) => seriesOf(group, curve, group.letter, group.color)),
    }));
    const { heldOut } = figure;
    const dotted = heldOut
      ? [
          {
            title: title('held out'),
            series: groups.map((group): Series => {
              const dots = dotsOf(group, heldOut);
              return { label: group.letter, color: group.color, points: dots.map(({ x, y }) => ({ x, y })), dots };
            }),
          },
        ]
      : [];
    return [...perCurve, ...dotted].flatMap(({ title: text, series }) => {
      const shown = series.filter((candidate) => !isEmpty(candidate));
      return shown.length === 0 ? [] : [draw(figure, text, shown)];
    });
  });
  return Promise.all(charts);
}

/** SVG charts; see `figures` for their order. */
export function runCharts(groups: readonly RunGroup[]): Promise<string[]> {
  return groups.length === 1 ? chartsOfOne(groups[0]) : chartsOfSeveral(groups);
}
