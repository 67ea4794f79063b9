/**
 * The roofline plot of a kernel benchmark (Williams, Waterman and Patterson, 2009) as an SVG file: GFLOP/s over FLOPs per byte,
 * both logarithmic, below the roofs measured in the same process.
 */
import { loadModule } from '../load-module';
import { chartStyle, spreadLabels } from '../observe/chart';
import { coordinate, escapeHtml } from '../observe/svg';
import type { Dtype } from '../policy/types';
import type { KernelReport, KernelResult } from './kernels';

const WIDTH = 980;
const LEAST_HEIGHT = 620;
/** Room of a label. */
const LINE = 13;
const MARGIN = { top: 58, right: 300, bottom: 52, left: 64 };
const COLORS: Record<Dtype, number> = { float32: 0, bfloat16: 1 };
const dtypes = ['float32', 'bfloat16'] as const;

interface Dot {
  x: number;
  y: number;
  color: number;
  label: string;
}

/** Kernels without FLOPs have no place in the plot. */
function dotsOf(kernels: readonly KernelResult[]): Dot[] {
  return kernels
    .filter(({ gigaflopsPerSecond, gigabytesPerSecond }) => gigaflopsPerSecond > 0 && gigabytesPerSecond > 0)
    .map(({ kernel, use, dtype, gigaflopsPerSecond, gigabytesPerSecond }) => ({
      x: gigaflopsPerSecond / gigabytesPerSecond,
      y: gigaflopsPerSecond,
      color: COLORS[dtype],
      label: use === '' ? kernel : `${kernel}, ${use}`,
    }));
}

/** The whole file. */
export async function rooflinePlot({ machine, kernels, threads, instructionSet }: KernelReport): Promise<string> {
  const { scaleLog } = await loadModule('d3-scale', () => import('d3-scale'));
  const dots = dotsOf(kernels);
  const used = dtypes.filter((dtype) => dots.some(({ color }) => color === COLORS[dtype]));
  const peaks = used.map((dtype) => ({ dtype, peak: machine[dtype].peakGigaflopsPerSecond }));
  const bandwidth = machine.float32.readGigabytesPerSecond;
  const height = Math.max(LEAST_HEIGHT, dots.length * LINE + MARGIN.top + MARGIN.bottom);
  const right = WIDTH - MARGIN.right;
  const bottom = height - MARGIN.bottom;
  const highest = Math.max(1, ...peaks.map(({ peak }) => peak));
  const ridge = highest / bandwidth;
  const xs = dots.map(({ x }) => x);
  const ys = dots.map(({ y }) => y);
  const x = scaleLog([Math.min(0.1, ...xs) / 1.5, Math.max(ridge * 4, ...xs) * 1.5], [MARGIN.left, right]);
  const y = scaleLog([Math.min(highest / 100, ...ys) / 1.5, Math.max(highest, ...ys) * 1.6], [bottom, MARGIN.top]);
  const [leastX, mostX] = x.domain();
  const at = (px: number, py: number): string => `${coordinate(x(px))},${coordinate(y(py))}`;

  const parts = [
    `<text class="title" x="${MARGIN.left}" y="24">Kernels under the roofs of this machine</text>`,
    `<text class="subtitle" x="${MARGIN.left}" y="42">${escapeHtml(`${threads} threads, ${instructionSet}; caches lift small shapes over the roof of memory`)}</text>`,
  ];
  const decades = (ticks: readonly number[]): number[] => ticks.filter((tick) => Number.isInteger(Math.log10(tick)));
  for (const tick of decades(y.ticks())) {
    const place = coordinate(y(tick));
    parts.push(
      `<line class="grid" x1="${MARGIN.left}" x2="${right}" y1="${place}" y2="${place}"/>`,
      `<text class="tick" x="${MARGIN.left - 7}" y="${place}" dy="0.32em" text-anchor="end">${tick}</text>`,
    );
  }
  for (const tick of decades(x.ticks())) {
    const place = coordinate(x(tick));
    parts.push(
      `<line class="grid" x1="${place}" x2="${place}" y1="${MARGIN.top}" y2="${bottom}"/>`,
      `<text class="tick" x="${place}" y="${bottom + 18}" text-anchor="middle">${tick}</text>`,
    );
  }
  parts.push(
    `<text class="tick" x="${right}" y="${bottom + 38}" text-anchor="end">FLOPs per byte</text>`,
    `<text class="tick" x="${MARGIN.left}" y="${MARGIN.top - 4}">GFLOP/s</text>`,
  );
  for (const { dtype, peak } of peaks) {
    const from = Math.max(leastX, y.domain()[0] / bandwidth);
    const corner = peak / bandwidth;
    parts.push(
      `<path class="line c${COLORS[dtype]}" d="M${at(from, from * bandwidth)}L${at(corner, peak)}L${at(mostX, peak)}"/>`,
      `<text class="label c${COLORS[dtype]}" x="${right - 6}" y="${coordinate(y(peak) - 6)}" text-anchor="end">${dtype}, ${peak.toFixed(0)} GFLOP/s; memory ${bandwidth.toFixed(1)} GB/s</text>`,
    );
  }
  const labels = spreadLabels(
    dots.map((dot) => y(dot.y)),
    bottom,
  );
  dots.forEach((dot, i) => {
    const [cx, cy] = [coordinate(x(dot.x)), coordinate(y(dot.y))];
    const text = escapeHtml(`${dot.label}: ${dot.y.toPrecision(3)} GFLOP/s at ${dot.x.toPrecision(3)} FLOPs per byte`);
    parts.push(
      `<path class="faint c${dot.color}" d="M${cx},${cy}L${right + 8},${coordinate(labels[i])}"/>`,
      `<circle class="dot c${dot.color}" cx="${cx}" cy="${cy}" r="4"><title>${text}</title></circle>`,
      `<text class="tick" x="${right + 12}" y="${coordinate(labels[i])}" dy="0.32em">${escapeHtml(dot.label)}</text>`,
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Roofline plot of ${kernels.length} kernels">`,
    `<style>${chartStyle('svg')}</style>`,
    `<rect width="${WIDTH}" height="${height}" rx="8" fill="var(--paper)"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}
