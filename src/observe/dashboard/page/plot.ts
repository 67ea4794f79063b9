/** A chart on a canvas: uPlot with the colours of the page, bands, faint lines and a cursor common to all charts. */
import uPlot from 'uplot';
import type { ChartData, ChartInfo, CurveData, XAxis } from '../protocol.js';
import type { Range } from './charts-view.js';
import { dashes } from './dashes.js';
import { formatSeconds, formatTick } from './format.js';

export interface PlotOptions {
  info: ChartInfo;
  height: number;
  onCursor: (place: number | null) => void;
  onZoom: (range: [number, number]) => void;
}

export interface Shown {
  axis: XAxis;
  range: Range;
  width: number;
  colours: ReadonlyMap<string, string>;
}

type Column = (number | null)[];
const sync = uPlot.sync('x');
/** Opacity of what is not smoothed, and of ranges, in hexadecimal. */
const FAINT = '40';
const RANGE = '26';
/** `Scale.Distr.Logarithmic`, a constant that the library does not export at run time. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
const LOGARITHMIC: uPlot.Scale.Distr = 3;
const FONT = '11px ui-sans-serif, system-ui, sans-serif';

/** The value of `var(--name)` in the page's present scheme. */
function resolve(colour: string): string {
  const name = /var\((--[\w-]+)\)/.exec(colour)?.[1];
  return name === undefined ? colour : getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Logarithmic axes have no place for 0 and less. */
function positive(column: Column): Column {
  return column.map((value) => (value !== null && value > 0 ? value : null));
}

/** Columns of uPlot for a curve: its high and low end, the faint line, the line. */
function columnsOf(curve: CurveData, log: boolean): Column[] {
  const columns = [
    ...(curve.low && curve.high ? [curve.high, curve.low] : []),
    ...(curve.raw ? [curve.raw] : []),
    curve.y,
  ];
  return log ? columns.map(positive) : columns;
}

export class Plot {
  private plot: uPlot | null = null;
  private shape = '';
  private last: { data: ChartData; shown: Shown } | null = null;

  constructor(
    private readonly box: HTMLElement,
    private readonly options: PlotOptions,
  ) {}

  /** Draws; only what has another shape than before is built anew. */
  show(data: ChartData, shown: Shown): void {
    this.last = { data, shown };
    const { curves, x } = data;
    const shape = JSON.stringify([
      shown.axis,
      curves.map(({ runs, column, low, raw, series }) => [
        resolve(shown.colours.get(runs[0]) ?? ''),
        column,
        low !== undefined,
        raw !== undefined,
        series,
      ]),
    ]);
    const log = this.options.info.scale === 'log';
    const columns: uPlot.AlignedData = [x, ...curves.flatMap((curve) => columnsOf(curve, log))];
    if (this.plot === null || shape !== this.shape) {
      this.shape = shape;
      this.plot?.destroy();
      this.plot = new uPlot(this.build(curves, shown), columns, this.box);
      sync.sub(this.plot);
      return;
    }
    if (this.plot.width !== shown.width) this.plot.setSize({ width: shown.width, height: this.options.height });
    this.plot.setData(columns);
  }

  /** Draws in the colours that hold now. */
  recolour(): void {
    if (!this.last) return;
    this.shape = '';
    this.show(this.last.data, this.last.shown);
  }

  /** Goes to a value some places on, from the end where there is no cursor. */
  moveCursor(by: number): void {
    const { plot } = this;
    if (!plot) return;
    const x = plot.data[0];
    // The points beyond a range are there for the line alone.
    const [low, high] = this.xRange();
    const first = x.findIndex((value) => value >= low);
    const last = x.findLastIndex((value) => value <= high);
    if (first < 0 || last < first) return;
    const from = plot.cursor.idx ?? (by > 0 ? first - 1 : last + 1);
    const place = Math.min(last, Math.max(first, from + by));
    plot.setCursor({ left: plot.valToPos(x[place], 'x'), top: plot.over.clientHeight / 2 });
  }

  destroy(): void {
    if (this.plot) sync.unsub(this.plot);
    this.plot?.destroy();
    this.plot = null;
  }

  private xRange(): [number, number] {
    const [from, to] = this.last?.shown.range ?? this.last?.data.extent ?? [0, 1];
    return from === to ? [from - 1, to + 1] : [from, to];
  }

  private yRange(low: number | null, high: number | null): [number, number] {
    const { include, scale } = this.options.info;
    if (low === null || high === null) return scale === 'log' ? [1, 10] : [0, 1];
    if (scale === 'log') return [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high * 1.001))];
    const [from, to] = [Math.min(low, ...include), Math.max(high, ...include)];
    const margin = 0.06 * (to - from || Math.abs(to) || 1);
    // A border that is asked for gets no margin, so that axes begin at 0.
    return [include.includes(from) ? from : from - margin, to + margin];
  }

  private build(curves: readonly CurveData[], shown: Shown): uPlot.Options {
    const { info, height, onCursor, onZoom } = this.options;
    const series: uPlot.Series[] = [{}];
    const bands: uPlot.Band[] = [];
    for (const { runs, low, high, raw, series: place } of curves) {
      const colour = resolve(shown.colours.get(runs[0]) ?? '');
      const line = { spanGaps: true, points: { show: false } };
      if (low && high) {
        bands.push({ series: [series.length, series.length + 1], fill: colour + RANGE });
        series.push({ ...line, width: 0 }, { ...line, width: 0 });
      }
      if (raw) series.push({ ...line, stroke: colour + FAINT, width: 1 });
      series.push({
        ...line,
        stroke: colour,
        width: 2,
        dash: [...dashes[place]],
        ...(info.dots ? { points: { show: true, size: 6, fill: colour, stroke: colour } } : {}),
      });
    }
    const axisLook = {
      stroke: resolve('var(--muted)'),
      font: FONT,
      grid: { stroke: resolve('var(--rule)'), width: 1 },
      ticks: { show: false },
    };
    const { axis } = shown;
    const logarithmic: uPlot.Scale = info.scale === 'log' ? { distr: LOGARITHMIC } : {};
    const axes: uPlot.Axis[] = [
      {
        ...axisLook,
        size: 26,
        space: 64,
        grid: { show: false },
        ...(axis === 'step'
          ? {
              incrs: [1, 2, 5]
                .flatMap((n) => [1, 10, 100, 1e3, 1e4, 1e5, 1e6].map((power) => n * power))
                .sort((a, b) => a - b),
            }
          : {}),
        values: (_, ticks) => ticks.map((tick) => (axis === 'time' ? formatSeconds(tick) : formatTick(tick, 'number'))),
      },
      {
        ...axisLook,
        size: 52,
        // A logarithmic axis leaves the labels of some of its lines out.
        values: (_, ticks: (number | null)[]) =>
          ticks.map((tick) => (tick === null ? '' : formatTick(tick, info.format))),
      },
    ];
    return {
      width: shown.width,
      height,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false, range: () => this.xRange() },
        y: { ...logarithmic, range: (_, low, high) => this.yRange(low, high) },
      },
      axes,
      series,
      bands,
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        points: { size: 7 },
        sync: { key: sync.key, scales: ['x', null], setSeries: false },
      },
      hooks: {
        setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width < 4) return;
            onZoom([plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')]);
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    };
  }
}
