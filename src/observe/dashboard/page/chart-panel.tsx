/** One chart: asks for its data while it is in view, draws it, and reads out the values under the cursor. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ChartData, ChartInfo, CurveData, XAxis } from '../protocol.js';
import { get, messageOf, type Query } from './api.js';
import type { Range } from './charts-view.js';
import { dashes } from './dashes.js';
import { inTurn } from './in-turn.js';
import { formatNumber, formatSeconds, formatValue } from './format.js';
import type { Way } from './location.js';
import { Plot } from './plot.js';

interface Props {
  info: ChartInfo;
  query: Query;
  version: string;
  range: Range;
  setRange: (range: Range, way?: Way) => void;
  names: ReadonlyMap<string, string>;
  colours: ReadonlyMap<string, string>;
}

const HEIGHT = 190;
/** Values that a key press with Shift goes past. */
const STRIDE = 10;
/** Share of the range that is left after a key press on +. */
const ZOOM = 0.5;

const xText = (x: number, axis: XAxis): string =>
  axis === 'step' ? `step ${Math.round(x)}` : axis === 'time' ? formatSeconds(x) : `${formatNumber(x)} tokens`;

const curveName = ({ runs, label }: CurveData, names: ReadonlyMap<string, string>): string => {
  const run = runs.length === 1 ? (names.get(runs[0]) ?? runs[0]) : `${runs.length} seeds`;
  return label === '' ? run : `${label}, ${run}`;
};

/** The value at a place, or the nearest before it where the curve has none there. */
function valueAt({ y, last }: CurveData, place: number | null): number | null {
  if (place === null) return last;
  for (let i = Math.min(place, y.length - 1); i >= 0; i--) if (y[i] !== null) return y[i];
  return null;
}

/** The data of a chart while it is in view; one request at a time for new steps, a new one at once for a new question. */
function useChartData(
  info: ChartInfo,
  { query, version, range }: Pick<Props, 'query' | 'version' | 'range'>,
  pixels: number,
  inView: boolean,
) {
  const [data, setData] = useState<ChartData | null>(null);
  const [error, setError] = useState<string | null>(null);
  const full: Query = { ...query, chart: info.id, pixels, from: range?.[0], to: range?.[1] };
  const key = JSON.stringify(full);
  useEffect(() => {
    if (!inView || pixels === 0) return undefined;
    const abort = new AbortController();
    get<ChartData>('data', full, abort.signal)
      .then((value) => {
        setData(value);
        setError(null);
      })
      .catch((problem: unknown) => {
        if (!abort.signal.aborted) setError(messageOf(problem));
      });
    return () => abort.abort();
  }, [key, version, inView]);
  return { data, error };
}

/** Whether an element is on the screen or near it, and its width in steps of 50 pixels. */
function useView() {
  const ref = useRef<HTMLElement>(null);
  const [inView, setInView] = useState(false);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const near = new IntersectionObserver(([entry]) => setInView(entry.isIntersecting), { rootMargin: '200px' });
    const size = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    near.observe(ref.current!);
    size.observe(ref.current!);
    return () => {
      near.disconnect();
      size.disconnect();
    };
  }, []);
  return { ref, inView, width };
}

export function ChartPanel(props: Props) {
  const { info, query, range, setRange, names, colours } = props;
  const { ref, inView, width } = useView();
  const { data, error } = useChartData(info, props, Math.ceil(width / 50) * 50, inView);
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const [cursor, setCursor] = useState<number | null>(null);
  const zoom = useRef(setRange);
  zoom.current = setRange;

  useEffect(() => {
    plot.current = new Plot(box.current!, {
      info,
      height: HEIGHT,
      onCursor: setCursor,
      onZoom: (next) => zoom.current(next),
    });
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const redraw = (): void => plot.current?.recolour();
    dark.addEventListener('change', redraw);
    return () => {
      dark.removeEventListener('change', redraw);
      plot.current?.destroy();
    };
  }, []);
  const axis = query.axis as XAxis;
  useEffect(() => {
    if (!data || width === 0) return undefined;
    return inTurn(() => plot.current?.show(data, { axis, range, width, colours }));
  }, [data, width, axis, [...colours].join()]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (!data || data.extent === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const [from, to] = range ?? data.extent;
    const centre = cursor === null ? (from + to) / 2 : data.x[cursor];
    const zoomTo = (factor: number): void => {
      const half = ((to - from) * factor) / 2;
      const [first, last] = data.extent!;
      const next: Range = [Math.max(first, centre - half), Math.min(last, centre + half)];
      // Keys that are held down are one step of the history.
      setRange(factor > 1 && next[0] <= first && next[1] >= last ? null : next, event.repeat ? 'replace' : 'push');
    };
    const stride = event.shiftKey ? STRIDE : 1;
    if (event.key === 'ArrowRight') plot.current?.moveCursor(stride);
    else if (event.key === 'ArrowLeft') plot.current?.moveCursor(-stride);
    else if (event.key === '+' || event.key === '=') zoomTo(ZOOM);
    else if (event.key === '-') zoomTo(1 / ZOOM);
    else if (event.key === '0' || event.key === 'Escape') setRange(null);
    else return;
    event.preventDefault();
  };

  const curves = data?.curves ?? [];
  const read = curves.map((curve) => `${curveName(curve, names)} ${formatValue(valueAt(curve, cursor), info.format)}`);
  const at = cursor === null || !data ? 'last' : xText(data.x[cursor], axis);
  return (
    <figure
      ref={ref}
      class="chart"
      data-chart={info.id}
      tabIndex={0}
      role="group"
      aria-roledescription="chart"
      aria-label={`${info.title}, ${info.subtitle}. ${at}: ${read.join('; ')}`}
      onKeyDown={onKeyDown}
    >
      <figcaption>
        <strong>{info.title}</strong> <span>{info.subtitle}</span>
      </figcaption>
      <div ref={box} class="plot" aria-hidden="true" />
      {error !== null && <p class="trouble">{error}</p>}
      <ul class="legend" aria-hidden="true">
        <li class="at">{at}</li>
        {curves.map((curve) => (
          <li key={`${curve.runs.join()} ${curve.column}`} title={curveName(curve, names)}>
            <svg class="swatch" viewBox="0 0 24 4" style={{ color: colours.get(curve.runs[0]) }}>
              <line x1="0" y1="2" x2="24" y2="2" stroke-dasharray={dashes[curve.series].join(' ')} />
            </svg>
            {(curves.length > 1 || curve.runs.length > 1) && <span class="name">{curveName(curve, names)}</span>}
            <span class="value">{formatValue(valueAt(curve, cursor), info.format)}</span>
          </li>
        ))}
      </ul>
    </figure>
  );
}
