/** The list of runs: which are shown, how far they are, and what can be asked of those that train. */
import { useState } from 'preact/hooks';
import type { RunInfo } from '../protocol.js';
import { formatNumber, formatSeconds, stateNames } from './format.js';
import { RunControls } from './run-controls.js';

interface Props {
  runs: readonly RunInfo[];
  chosen: readonly RunInfo[];
  colours: ReadonlyMap<string, string>;
  choose: (ids: readonly string[]) => void;
}

/** Runs listed before a search narrows them. */
const MOST = 200;

function progressText({ step, steps, secondsPerStep, state }: RunInfo): string {
  const of = steps === null ? `step ${step}` : `step ${step} of ${steps}`;
  const left = state === 'running' && steps !== null && secondsPerStep !== null ? (steps - step) * secondsPerStep : 0;
  return left > 0 ? `${of}, ${formatSeconds(left)} left` : of;
}

function RunItem({
  run,
  colour,
  shown,
  toggle,
}: {
  run: RunInfo;
  colour: string | undefined;
  shown: boolean;
  toggle: () => void;
}) {
  const active = run.state === 'running' || run.state === 'paused';
  return (
    <li class={shown ? 'shown' : ''}>
      <label>
        <input type="checkbox" checked={shown} onChange={toggle} style={colour ? { accentColor: colour } : undefined} />
        <span class="name" title={run.id}>
          {run.name}
        </span>
        <span class={`state ${run.state}`}>{stateNames[run.state]}</span>
      </label>
      {active && run.steps !== null && (
        <progress aria-label={`Progress of ${run.name}`} max={run.steps} value={run.step} />
      )}
      <p class="facts">
        {progressText(run)}
        {run.reward !== null && <> · reward {formatNumber(run.reward)}</>}
        {run.algorithm !== null && <> · {run.algorithm}</>}
        {run.seed !== null && <> · seed {run.seed}</>}
      </p>
      {run.trouble !== null && <p class="trouble">{run.trouble}</p>}
      {active && <RunControls run={run} />}
    </li>
  );
}

export function RunPicker({ runs, chosen, colours, choose }: Props) {
  const [wanted, setWanted] = useState('');
  const ids = chosen.map(({ id }) => id);
  const found = runs.filter(({ id }) => id.toLowerCase().includes(wanted.toLowerCase()));
  const toggle = (id: string): void => choose(ids.includes(id) ? ids.filter((other) => other !== id) : [...ids, id]);
  // Narrow pages start with the list closed.
  const [open, setOpen] = useState(() => matchMedia('(min-width: 900px)').matches);
  return (
    <aside aria-label="Runs">
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          Runs{' '}
          <span class="count">
            {chosen.length} of {runs.length} shown
          </span>
        </summary>
        {runs.length > 6 && (
          <input
            type="search"
            aria-label="Find runs by name"
            placeholder="Find runs"
            value={wanted}
            onInput={(event) => setWanted(event.currentTarget.value)}
          />
        )}
        {runs.length > 1 && (
          <p class="choices">
            <button type="button" class="link" onClick={() => choose(found.slice(0, MOST).map(({ id }) => id))}>
              all
            </button>
            <button type="button" class="link" onClick={() => choose([])}>
              none
            </button>
          </p>
        )}
        {runs.length > 0 && found.length === 0 && <p class="facts">No run has this in its name.</p>}
        <ul class="runs">
          {found.slice(0, MOST).map((run) => (
            <RunItem
              key={run.id}
              run={run}
              colour={colours.get(run.id)}
              shown={ids.includes(run.id)}
              toggle={() => toggle(run.id)}
            />
          ))}
        </ul>
        {found.length > MOST && <p class="facts">{found.length - MOST} more; search for them.</p>}
      </details>
    </aside>
  );
}
