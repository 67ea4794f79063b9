/** Curves of the chosen runs: what they have in common is set here, each chart gets its own data. */
import { useMemo } from 'preact/hooks';
import type { ChartInfo, RunInfo, XAxis } from '../protocol.js';
import { useAnswer } from './api.js';
import { ChartPanel } from './chart-panel.js';
import type { Go, Place, Way } from './location.js';

interface Props {
  runs: readonly RunInfo[];
  colours: ReadonlyMap<string, string>;
  place: Place;
  go: Go;
}

export type Range = readonly [number, number] | null;

const axes: Record<XAxis, string> = { step: 'Step', time: 'Training time', tokens: 'Tokens' };
const FIRST_SMOOTHING = '0.6';
/** Digits of the ends of a range in the address: finer than any screen. */
const DIGITS = 7;

const shortNumber = (value: number | null): string => (value === null ? '' : String(Number(value.toPrecision(DIGITS))));

/** The range of the x axis in the address; null: all. */
function rangeOf({ from, to }: Place): Range {
  const range = [Number(from ?? NaN), Number(to ?? NaN)] as const;
  return range[0] < range[1] && range.every(Number.isFinite) ? range : null;
}

export function ChartsView({ runs, colours, place, go }: Props) {
  const axis: XAxis = Object.hasOwn(axes, place.axis ?? '') ? (place.axis as XAxis) : 'step';
  const smoothing = Math.min(0.99, Math.max(0, Number(place.smoothing ?? FIRST_SMOOTHING) || 0));
  const severalSeeds = new Set(runs.map(({ group }) => group)).size < runs.length;
  const bands = severalSeeds && place.bands !== 'no';
  const range = rangeOf(place);
  const setRange = (next: Range, way?: Way): void => {
    const [from, to] = next ?? [null, null];
    go({ from: shortNumber(from), to: shortNumber(to) }, way);
  };
  const ids = useMemo(() => runs.map(({ id }) => id), [runs.map(({ id }) => id).join()]);
  const names = useMemo(() => new Map(runs.map(({ id, name }) => [id, name])), [ids]);
  const version = runs.map((run) => run.version).join();
  const { value, error } = useAnswer<{ charts: ChartInfo[]; damaged: number }>('charts', { run: ids }, version);
  return (
    <>
      <div class="toolbar" role="group" aria-label="Options of the charts">
        <fieldset>
          <legend>Over</legend>
          {(Object.keys(axes) as XAxis[]).map((key) => (
            <label key={key}>
              <input
                type="radio"
                name="axis"
                checked={key === axis}
                onChange={() => go({ axis: key, from: '', to: '' })}
              />{' '}
              {axes[key]}
            </label>
          ))}
        </fieldset>
        <label>
          Smoothing
          <input
            type="range"
            min="0"
            max="0.99"
            step="0.01"
            value={smoothing}
            onInput={(event) => go({ smoothing: event.currentTarget.value }, 'replace')}
          />
          <output>{smoothing.toFixed(2)}</output>
        </label>
        {severalSeeds && (
          <label>
            <input
              type="checkbox"
              checked={bands}
              onChange={(event) => go({ bands: event.currentTarget.checked ? '' : 'no' })}
            />{' '}
            Seeds as bands
          </label>
        )}
        <button type="button" disabled={range === null} onClick={() => setRange(null)}>
          Whole run
        </button>
      </div>
      {error !== null && <p class="trouble">{error}</p>}
      {value !== null && value.damaged > 0 && (
        <p class="trouble">{value.damaged} lines of the metrics could not be read and are left out.</p>
      )}
      {value !== null && value.charts.length === 0 && <p class="empty">There are no figures yet.</p>}
      <div class="charts">
        {value?.charts.map((info) => (
          <ChartPanel
            key={info.id}
            info={info}
            query={{ run: ids, axis, smoothing: info.dots ? 0 : smoothing, bands: bands ? 'yes' : 'no' }}
            version={version}
            range={range}
            setRange={setRange}
            names={names}
            colours={colours}
          />
        ))}
      </div>
      <p class="hint">
        Drag over a chart to zoom. With the keyboard: arrow keys move through the values of a chart, + and − zoom, 0
        shows the whole run.
      </p>
    </>
  );
}
