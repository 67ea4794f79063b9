/**
 * Curves at the resolution of a screen. Where a curve has more points than the chart has pixels, each pixel keeps the least
 * and the greatest of its values in their order, so that no spike is lost; all curves share one x, as the charts want it.
 */
import type { Curve } from './curves';

export interface Sampled {
  x: number[];
  curves: { y: (number | null)[]; low?: (number | null)[]; high?: (number | null)[]; raw?: (number | null)[] }[];
}

/** First index with x ≥ value. */
export function lowerBound(x: Float64Array, value: number): number {
  let [low, high] = [0, x.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Points in [from, to] and one beyond each end, so that lines reach the borders. */
function windowOf({ x }: Curve, from: number, to: number): [number, number] {
  return [Math.max(0, lowerBound(x, from) - 1), Math.min(x.length, lowerBound(x, to) + 2)];
}

/** Six digits are more than a pixel shows. */
const short = (value: number): number | null => (Number.isFinite(value) ? Number(value.toPrecision(6)) : null);

/** @param pixels width of the chart */
export function downsample(curves: readonly Curve[], from: number, to: number, pixels: number): Sampled {
  const windows = curves.map((curve) => windowOf(curve, from, to));
  return windows.some(([start, end]) => end - start > 2 * pixels)
    ? bucketed(curves, windows, pixels)
    : joined(curves, windows);
}

/** Every point; x is the union. */
function joined(curves: readonly Curve[], windows: readonly [number, number][]): Sampled {
  const all = new Set<number>();
  curves.forEach(({ x }, c) => {
    for (let i = windows[c][0]; i < windows[c][1]; i++) all.add(x[i]);
  });
  const x = [...all].sort((a, b) => a - b);
  const place = new Map(x.map((value, i) => [value, i]));
  return {
    x,
    curves: curves.map((curve, c) => {
      const spread = (values: Float64Array | undefined): (number | null)[] | undefined => {
        if (!values) return undefined;
        const row = new Array<number | null>(x.length).fill(null);
        for (let i = windows[c][0]; i < windows[c][1]; i++) row[place.get(curve.x[i])!] = short(values[i]);
        return row;
      };
      return { y: spread(curve.y)!, low: spread(curve.low), high: spread(curve.high), raw: spread(curve.raw) };
    }),
  };
}

/** Two places a pixel. */
function bucketed(curves: readonly Curve[], windows: readonly [number, number][], pixels: number): Sampled {
  const ends = curves.flatMap(({ x }, c) =>
    windows[c][1] > windows[c][0] ? [x[windows[c][0]], x[windows[c][1] - 1]] : [],
  );
  const start = Math.min(...ends);
  const width = (Math.max(...ends) - start) / pixels || 1;
  const bucketOf = (x: number): number => Math.min(pixels - 1, Math.floor((x - start) / width));
  return {
    x: Array.from({ length: 2 * pixels }, (_, i) => start + (i / 2 + 0.25) * width),
    curves: curves.map((curve, c) => {
      const extremes = (
        values: Float64Array | undefined,
        want: 'both' | 'low' | 'high',
      ): (number | null)[] | undefined => {
        if (!values) return undefined;
        const row = new Array<number | null>(2 * pixels).fill(null);
        const [first, end] = windows[c];
        for (let i = first; i < end;) {
          const bucket = bucketOf(curve.x[i]);
          let [low, high] = [i, i];
          for (; i < end && bucketOf(curve.x[i]) === bucket; i++) {
            if (values[i] < values[low]) low = i;
            if (values[i] > values[high]) high = i;
          }
          const [a, b] =
            want === 'low' ? [low, low] : want === 'high' ? [high, high] : low < high ? [low, high] : [high, low];
          row[2 * bucket] = short(values[a]);
          row[2 * bucket + 1] = short(values[b]);
        }
        return row;
      };
      return {
        y: extremes(curve.y, 'both')!,
        low: extremes(curve.low, 'low'),
        high: extremes(curve.high, 'high'),
        raw: extremes(curve.raw, 'both'),
      };
    }),
  };
}
