/** Curves in full resolution: smoothed, over one run or over the seeds of a group. */
import { derived, type MetricTable } from './metric-table';
import type { XAxis } from './protocol';

/** Points with rising x and no gaps. */
export interface Curve {
  x: Float64Array;
  y: Float64Array;
  low?: Float64Array;
  high?: Float64Array;
  /** `y` before smoothing. */
  raw?: Float64Array;
}

const axisColumns: Record<XAxis, string> = { step: 'step', time: derived.time, tokens: derived.tokens };

/**
 * Exponential moving average without the bias of its start (Adam, arXiv 1412.6980, section 3): the weights of what came
 * before add up to 1 from the first point on.
 * @param weight share of the past, 0 ≤ weight < 1
 */
export function smooth(values: Float64Array, weight: number): Float64Array {
  const result = new Float64Array(values.length);
  let average = 0;
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    average = weight * average + (1 - weight) * values[i];
    total = weight * total + (1 - weight);
    result[i] = average / total;
  }
  return result;
}

export interface CurveOptions {
  column: string;
  low?: string;
  high?: string;
  axis: XAxis;
  /** Weight of {@link smooth}; 0: none. */
  smoothing: number;
}

/** The curve of a run, at the rows that have the column; null where none has. */
export function runCurve(table: MetricTable, options: CurveOptions): (Curve & { step: Float64Array }) | null {
  const values = table.column(options.column);
  const steps = table.column('step');
  const axis = table.column(axisColumns[options.axis]);
  if (!values || !steps || !axis) return null;
  const rows = new Int32Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) rows[count++] = i;
  if (count === 0) return null;
  const pick = (name: string | undefined): Float64Array | undefined => {
    const column = name === undefined ? null : table.column(name);
    return column ? Float64Array.from(rows.subarray(0, count), (row) => column[row]) : undefined;
  };
  const raw = pick(options.column)!;
  const { smoothing } = options;
  return {
    x: pick(axisColumns[options.axis])!,
    step: pick('step')!,
    y: smoothing > 0 ? smooth(raw, smoothing) : raw,
    ...(smoothing > 0 ? { raw } : {}),
    low: pick(options.low),
    high: pick(options.high),
  };
}

/** Mean and range over runs at each step that at least one of them has; x is the mean of theirs. */
export function bandCurve(curves: readonly (Curve & { step: Float64Array })[]): Curve {
  const steps = Float64Array.from(new Set(curves.flatMap(({ step }) => [...step]))).sort();
  const [x, y, low, high] = [0, 1, 2, 3].map(() => new Float64Array(steps.length));
  const at = curves.map(() => 0);
  for (let i = 0; i < steps.length; i++) {
    let count = 0;
    low[i] = Infinity;
    high[i] = -Infinity;
    for (let c = 0; c < curves.length; c++) {
      const curve = curves[c];
      if (curve.step[at[c]] !== steps[i]) continue;
      const value = curve.y[at[c]];
      x[i] += curve.x[at[c]++];
      y[i] += value;
      low[i] = Math.min(low[i], value);
      high[i] = Math.max(high[i], value);
      count++;
    }
    x[i] /= count;
    y[i] /= count;
    // Where a seed has no step, the mean of the others' time may fall back.
    if (i > 0 && x[i] < x[i - 1]) x[i] = x[i - 1];
  }
  return { x, y, low, high };
}
