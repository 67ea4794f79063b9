/**
 * Line charts as SVG text: axes with ticks, bands, points with intervals, labels at the ends of the lines. Colours are
 * CSS classes, so that the same SVG serves light and dark; scales and curves come from d3.
 */
import { loadModule } from '../load-module';
import { coordinate, escapeHtml } from './svg';
import { greatest, least } from '../extremes';

export interface Point {
  x: number;
  y: number;
}

export interface Series {
  label: string;
  /** Index of the colour, 0 ... 7. */
  color: number;
  points: readonly Point[];
  /** Drawn thin behind the line, e.g. the unsmoothed values. */
  faint?: readonly Point[];
  /** Shaded range around the line. */
  band?: readonly { x: number; low: number; high: number }[];
  /** Dots with intervals instead of a line. */
  dots?: readonly { x: number; y: number; low: number; high: number }[];
  dashed?: boolean;
}

export interface ChartOptions {
  title: string;
  /** Under the title, e.g. the unit. */
  subtitle?: string;
  width?: number;
  height?: number;
  xLabel?: string;
  /** Always within the y axis. */
  include?: readonly number[];
  /** Bounds that the y axis does not leave. */
  bounds?: readonly [number, number];
  scale?: 'linear' | 'log';
  formatY?: (value: number) => string;
  /** Room for the labels at the right. */
  labelWidth?: number;
  /** Values shown when the pointer is over x; one per column. */
  tooltips?: readonly { x: number; text: string }[];
}

const MARGIN = { top: 44, bottom: 34, left: 46 };
/** Least distance of two labels. */
const LABEL_HEIGHT = 13;
const MAX_TOOLTIPS = 400;

/** Moves label positions apart, order kept, as little as a single sweep down and up allows. */
export function spreadLabels(positions: readonly number[], bottom: number): number[] {
  const order = positions.map((_, i) => i).sort((a, b) => positions[a] - positions[b]);
  const placed = [...positions];
  order.forEach((index, k) => {
    if (k > 0) placed[index] = Math.max(placed[index], placed[order[k - 1]] + LABEL_HEIGHT);
  });
  order.reverse().forEach((index, k) => {
    const below = k === 0 ? bottom : placed[order[k - 1]] - LABEL_HEIGHT;
    placed[index] = Math.min(placed[index], below);
  });
  return placed;
}

/** Centred moving average over 2·radius + 1 points, less at the ends. */
export function smooth(points: readonly Point[], radius: number): Point[] {
  return points.map(({ x }, i) => {
    const window = points.slice(Math.max(0, i - radius), i + radius + 1);
    return { x, y: window.reduce((sum, { y }) => sum + y, 0) / window.length };
  });
}

/** An `<svg>` element; put {@link chartStyle} beside it. Values that are not finite are left out. */
export async function lineChart(series: readonly Series[], options: ChartOptions): Promise<string> {
  const [{ scaleLinear, scaleLog }, { area, curveMonotoneX, line }] = await Promise.all([
    loadModule('d3-scale', () => import('d3-scale')),
    loadModule('d3-shape', () => import('d3-shape')),
  ]);
  const { title, subtitle = '', width = 400, height = 250, xLabel = 'step', labelWidth = 78, formatY } = options;
  const right = width - labelWidth;
  const bottom = height - MARGIN.bottom;
  const log = options.scale === 'log';
  const usable = (value: number): boolean => Number.isFinite(value) && (!log || value > 0);

  const all = series
    .flatMap(({ points, faint = [], band = [], dots = [] }) => [
      ...points,
      ...faint,
      ...[...band, ...dots].flatMap(({ x, low, high }) => [
        { x, y: low },
        { x, y: high },
      ]),
    ])
    .filter(({ y }) => usable(y));
  const xs = all.map(({ x }) => x);
  const ys = [...all.map(({ y }) => y), ...(options.include ?? [])];
  if (all.length === 0) ys.push(...(log ? [1, 10] : [0, 1]));
  let [low, high] = [least(ys), greatest(ys)];
  if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  const x = scaleLinear([least(xs, 0), greatest(xs, 1)], [MARGIN.left, right]);
  const y = (log ? scaleLog([low, high], [bottom, MARGIN.top]) : scaleLinear([low, high], [bottom, MARGIN.top])).nice(
    5,
  );
  if (options.bounds) {
    const [from, to] = y.domain();
    y.domain([Math.max(from, options.bounds[0]), Math.min(to, options.bounds[1])]);
  }

  const show = formatY ?? y.tickFormat(5, log ? '~s' : undefined);
  const path = line<Point>(
    ({ x: at }) => x(at),
    ({ y: value }) => y(value),
  )
    .curve(curveMonotoneX)
    .defined(({ y: value }) => usable(value));
  const shade = area<{ x: number; low: number; high: number }>()
    .x(({ x: at }) => x(at))
    .y0((range) => y(range.low))
    .y1((range) => y(range.high))
    .curve(curveMonotoneX)
    .defined((range) => usable(range.low) && usable(range.high));

  const parts: string[] = [
    `<text class="title" x="0" y="14">${escapeHtml(title)}</text>`,
    `<text class="subtitle" x="0" y="30">${escapeHtml(subtitle)}</text>`,
  ];
  for (const tick of log ? y.ticks(4) : y.ticks(5)) {
    const at = coordinate(y(tick));
    const label = show(tick);
    if (log && label === '') continue;
    parts.push(
      `<line class="grid" x1="${MARGIN.left}" x2="${right}" y1="${at}" y2="${at}"/>`,
      `<text class="tick" x="${MARGIN.left - 7}" y="${at}" dy="0.32em" text-anchor="end">${escapeHtml(label)}</text>`,
    );
  }
  parts.push(`<line class="axis" x1="${MARGIN.left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>`);
  for (const tick of x.ticks(Math.max(3, Math.floor((right - MARGIN.left) / 60))).filter(Number.isInteger)) {
    const at = coordinate(x(tick));
    parts.push(
      `<line class="axis" x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 4}"/>`,
      `<text class="tick" x="${at}" y="${bottom + 16}" text-anchor="middle">${tick}</text>`,
    );
  }
  parts.push(`<text class="tick" x="${right}" y="${bottom + 29}" text-anchor="end">${escapeHtml(xLabel)}</text>`);

  const ends: { y: number; label: string; color: number }[] = [];
  for (const { label, color, points, faint, band, dots, dashed } of series) {
    if (band) parts.push(`<path class="band c${color}" d="${shade([...band]) ?? ''}"/>`);
    if (faint) parts.push(`<path class="faint c${color}" d="${path([...faint]) ?? ''}"/>`);
    if (points.length > 0)
      parts.push(`<path class="line c${color}${dashed ? ' dashed' : ''}" d="${path([...points]) ?? ''}"/>`);
    for (const dot of dots ?? []) {
      const at = coordinate(x(dot.x));
      parts.push(
        `<line class="whisker c${color}" x1="${at}" x2="${at}" y1="${coordinate(y(dot.low))}" y2="${coordinate(y(dot.high))}"/>`,
        `<circle class="dot c${color}" cx="${at}" cy="${coordinate(y(dot.y))}" r="3"/>`,
      );
    }
    const last = [...points, ...(dots ?? [])].filter((point) => usable(point.y)).at(-1);
    if (last && label !== '') ends.push({ y: y(last.y), label, color });
  }
  const places = spreadLabels(
    ends.map((end) => end.y),
    bottom,
  );
  ends.forEach(({ label, color }, i) => {
    parts.push(
      `<text class="label c${color}" x="${right + 6}" y="${coordinate(places[i])}" dy="0.32em">${escapeHtml(label)}</text>`,
    );
  });

  const tooltips = options.tooltips ?? [];
  if (tooltips.length > 0 && tooltips.length <= MAX_TOOLTIPS) {
    const column = (right - MARGIN.left) / Math.max(1, x.domain()[1] - x.domain()[0]);
    for (const { x: at, text } of tooltips) {
      parts.push(
        `<rect class="hit" x="${coordinate(x(at) - column / 2)}" y="${MARGIN.top}" width="${coordinate(column)}" height="${bottom - MARGIN.top}"><title>${escapeHtml(text)}</title></rect>`,
      );
    }
  }
  return `<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeHtml(title)}">${parts.join('')}</svg>`;
}

const LIGHT = ['#2563eb', '#c2410c', '#15803d', '#7e22ce', '#0e7490', '#be123c', '#a16207', '#475569'];
const DARK = ['#7aa7ff', '#fb923c', '#4ade80', '#c792ff', '#38d3ea', '#ff7d95', '#eac54f', '#9fb0c3'];
const variables = (colors: readonly string[]): string => colors.map((color, i) => `--c${i}:${color}`).join(';');

/** CSS of the charts; `scope` is the selector that carries the colours (`:root` in a page, `svg` in a file). */
export function chartStyle(scope: string): string {
  return [
    `${scope}{${variables(LIGHT)};--ink:#1c2330;--muted:#667085;--rule:#e4e7ec;--paper:#ffffff}`,
    `@media (prefers-color-scheme:dark){${scope}{${variables(DARK)};--ink:#e6e9ef;--muted:#97a1b3;--rule:#2b3341;--paper:#12161f}}`,
    'svg text{font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;font-variant-numeric:tabular-nums;fill:var(--ink)}',
    '.title{font-size:13px;font-weight:600}svg .subtitle,svg .tick{font-size:11px;fill:var(--muted)}.label{font-size:11px;font-weight:600}',
    '.grid{stroke:var(--rule);stroke-width:1}.axis{stroke:var(--muted);stroke-width:1}',
    '.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.faint{fill:none;stroke-width:1;opacity:.35}.band{opacity:.16;stroke:none}',
    '.dashed{stroke-dasharray:5 4}.whisker{stroke-width:1.5;opacity:.7}.hit{fill:transparent}.hit:hover{fill:var(--muted);fill-opacity:.14}',
    ...LIGHT.map(
      (_, i) =>
        `.line.c${i},.faint.c${i},.whisker.c${i}{stroke:var(--c${i})}svg .label.c${i},.dot.c${i},.band.c${i}{fill:var(--c${i})}`,
    ),
  ].join('\n');
}

/** Several charts in a grid as one SVG file with its own style and background. */
export function chartSheet(
  charts: readonly string[],
  columns: number,
  cell: { width: number; height: number },
  caption: string,
): string {
  const [gap, top] = [28, 20];
  const rows = Math.ceil(charts.length / columns);
  const width = columns * cell.width + (columns + 1) * gap;
  const height = rows * (cell.height + gap) + top + 14;
  const placed = charts.map((chart, i) => {
    const left = gap + (i % columns) * (cell.width + gap);
    const down = top + Math.floor(i / columns) * (cell.height + gap);
    return chart.replace('<svg class="chart"', `<svg class="chart" x="${left}" y="${down}"`);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeHtml(caption)}">`,
    `<style>${chartStyle('svg')}</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="var(--paper)"/>`,
    ...placed,
    `<text class="tick" x="${gap}" y="${height - 14}">${escapeHtml(caption)}</text>`,
    '</svg>\n',
  ].join('\n');
}
