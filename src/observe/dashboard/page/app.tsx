/** The frame of the page: its views, the runs beside them, and what is chosen. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { RunInfo } from '../protocol.js';
import { useLiveRuns } from './api.js';
import { ChartsView } from './charts-view.js';
import { ConfigView } from './config-view.js';
import { EventsView } from './events-view.js';
import { colourOf } from './format.js';
import { usePlace } from './location.js';
import { RolloutsView } from './rollouts-view.js';
import { RunPicker } from './run-picker.js';

const views = { charts: 'Charts', rollouts: 'Rollouts', events: 'Events', config: 'Config' } as const;
type View = keyof typeof views;
/** Separates run ids in the address; they are paths. */
const SEPARATOR = '|';

/** What runs now, else the newest run with its other seeds. */
function firstChoice(runs: readonly RunInfo[]): string[] {
  const active = runs.filter(({ state }) => state === 'running' || state === 'paused');
  if (active.length > 0) return active.map(({ id }) => id);
  return runs.filter(({ group }) => group === runs[0]?.group).map(({ id }) => id);
}

export function App() {
  const { runs, connected } = useLiveRuns();
  const [place, go] = usePlace();
  const view: View = Object.hasOwn(views, place.view ?? '') ? (place.view as View) : 'charts';
  /** What the page has chosen by itself: as long as it stands in the address, runs that start join it. */
  const own = useRef<string | undefined>(undefined);
  const isOwn = place.runs === undefined || place.runs === own.current;
  const wanted = isOwn ? firstChoice(runs) : place.runs!.split(SEPARATOR).filter(Boolean);
  const chosen = useMemo(
    () => runs.filter(({ id }) => wanted.includes(id)).sort((a, b) => (a.id < b.id ? -1 : 1)),
    [runs, place.runs],
  );
  useEffect(() => {
    if (!isOwn || chosen.length === 0) return;
    own.current = chosen.map(({ id }) => id).join(SEPARATOR);
    go({ runs: own.current }, 'replace');
  }, [chosen]);
  const unknown = connected === null ? [] : wanted.filter((id) => !runs.some((run) => run.id === id));
  const colours = new Map(chosen.map(({ id }, i) => [id, colourOf(i)]));
  const choose = (ids: readonly string[]): void => go({ runs: ids.join(SEPARATOR) || SEPARATOR });

  return (
    <>
      <a
        class="skip"
        href="#content"
        onClick={(event) => (event.preventDefault(), document.getElementById('content')?.focus())}
      >
        Skip to the content
      </a>
      <header class="top">
        <h1>
          zero<span>-rl</span>
        </h1>
        <nav aria-label="Views">
          {Object.entries(views).map(([key, title]) => (
            <button
              key={key}
              type="button"
              aria-current={key === view ? 'page' : undefined}
              onClick={() => go({ view: key })}
            >
              {title}
            </button>
          ))}
        </nav>
        <p class={`live ${connected === false ? 'lost' : ''}`} role="status">
          {connected === null ? 'connecting' : connected ? 'live' : 'connection lost, trying again'}
        </p>
      </header>
      <div class="frame">
        <RunPicker runs={runs} chosen={chosen} colours={colours} choose={choose} />
        <main id="content" tabIndex={-1} aria-label={views[view]}>
          {connected !== null && runs.length === 0 && (
            <p class="empty">There is no run in this folder yet. A run that starts shows up here by itself.</p>
          )}
          {unknown.map((id) => (
            <p key={id} class="trouble">{`There is no run ${id} in this folder.`}</p>
          ))}
          {runs.length > 0 && chosen.length === 0 && view !== 'rollouts' && <p class="empty">Choose a run.</p>}
          {view === 'charts' && chosen.length > 0 && (
            <ChartsView runs={chosen} colours={colours} place={place} go={go} />
          )}
          {view === 'rollouts' && runs.length > 0 && <RolloutsView runs={runs} chosen={chosen} place={place} go={go} />}
          {view === 'events' && chosen.length > 0 && <EventsView runs={chosen} colours={colours} go={go} />}
          {view === 'config' && chosen.length > 0 && <ConfigView runs={chosen} colours={colours} />}
        </main>
      </div>
    </>
  );
}
