/** The answer of /api/data: a chart of several runs at the resolution of the page. */
import { z } from 'zod';
import { findChart, charts, type SeriesSource } from './charts';
import { bandCurve, runCurve, type Curve } from './curves';
import { downsample, lowerBound } from './downsample';
import type { MetricTable } from './metric-table';
import { xAxes, type ChartData, type ChartInfo, type RunInfo } from './protocol';

export const dataQuery = z.object({
  chart: z.string(),
  axis: z.enum(xAxes).default('step'),
  smoothing: z.coerce.number().min(0).max(0.999).default(0),
  /** Whether runs that differ in their seed alone become one line with the range around it. */
  bands: z.enum(['yes', 'no']).default('no'),
  from: z.coerce.number().optional(),
  to: z.coerce.number().optional(),
  /** Width of the chart. */
  pixels: z.coerce.number().int().min(50).max(4000).default(600),
});
export type DataQuery = z.output<typeof dataQuery>;

export interface LoadedRun {
  info: RunInfo;
  table: MetricTable;
}

/** Whether a run has anything to draw for a series. */
function has({ info, table }: LoadedRun, { column, where }: SeriesSource): boolean {
  if (where === 'not 0' || (where === 'ratios' && info.objective === null)) return table.hasOther(column, 0);
  if (where === 'ratios' && info.objective === WITHOUT_RATIOS) return false;
  return table.column(column) !== null;
}

/** The charts that have a value in one of the runs. */
export function chartsOf(runs: readonly LoadedRun[]): ChartInfo[] {
  return charts.flatMap(({ series, ...chart }) => {
    const there = series.filter((source) => runs.some((run) => has(run, source)));
    return there.length === 0 ? [] : [{ ...chart, series: there.map(({ column, label }) => ({ column, label })) }];
  });
}

/** The objective whose loss has no ratio to the policy that sampled. */
const WITHOUT_RATIOS = 'reinforce';

interface Named {
  runs: string[];
  label: string;
  column: string;
  series: number;
  curve: Curve;
}

/** @returns undefined where there is no such chart */
export function chartData(runs: readonly LoadedRun[], query: DataQuery): ChartData | undefined {
  const source = findChart(query.chart);
  if (source === undefined) return undefined;
  const { axis, bands } = query;
  const smoothing = source.dots ? 0 : query.smoothing;
  const groups = new Map<string, LoadedRun[]>();
  for (const run of runs) {
    const key = bands === 'yes' ? run.info.group : run.info.id;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const shown = source.series.filter((series) => runs.some((run) => has(run, series)));
  const named = [...groups.values()].flatMap((members): Named[] =>
    shown.flatMap((drawn, series) => {
      const { column, label, low, high } = drawn;
      const there = members.filter((member) => has(member, drawn));
      const curves = there.flatMap(({ table }) => runCurve(table, { column, low, high, axis, smoothing }) ?? []);
      if (curves.length === 0) return [];
      const curve = curves.length === 1 ? curves[0] : bandCurve(curves);
      return [{ runs: members.map(({ info }) => info.id), label, column, series, curve }];
    }),
  );
  if (named.length === 0) return { x: [], curves: [], extent: null };
  const extent: [number, number] = [
    Math.min(...named.map(({ curve }) => curve.x[0])),
    Math.max(...named.map(({ curve }) => curve.x[curve.x.length - 1])),
  ];
  const { from = extent[0], to = extent[1], pixels } = query;
  const sampled = downsample(
    named.map(({ curve }) => curve),
    from,
    to,
    pixels,
  );
  return {
    x: sampled.x,
    extent,
    curves: named.map(({ curve, ...rest }, i) => {
      // The last within the range; the point beyond it is there for the line alone.
      const end = lowerBound(curve.x, to);
      const at = curve.x[end] === to ? end : end - 1;
      return { ...rest, ...sampled.curves[i], last: curve.x[at] >= from ? curve.y[at] : null };
    }),
  };
}
