/** What happened: the watchdog's alarms, warnings, checkpoints, pauses. */
import { useState } from 'preact/hooks';
import type { EventRow, RunInfo } from '../protocol.js';
import { useAnswer } from './api.js';
import { closed } from './rollout-name.js';
import { formatTime } from './format.js';
import { ordered } from './event-order.js';
import type { Go } from './location.js';

interface Props {
  runs: readonly RunInfo[];
  colours: ReadonlyMap<string, string>;
  go: Go;
}

export function EventsView({ runs, colours, go }: Props) {
  const [all, setAll] = useState(true);
  const { value, error } = useAnswer<EventRow[]>(
    'events',
    { run: runs.map(({ id }) => id) },
    runs.map(({ version }) => version).join(),
  );
  const names = new Map(runs.map(({ id, name }) => [id, name]));
  const rows = ordered(value ?? []).filter(
    ({ type }) => all || type === 'watchdog' || type === 'warning' || type === 'rollback',
  );
  return (
    <>
      <div class="toolbar">
        <label>
          <input type="checkbox" checked={!all} onChange={(event) => setAll(!event.currentTarget.checked)} /> only
          alarms and warnings
        </label>
      </div>
      {error !== null && <p class="trouble">{error}</p>}
      {value !== null && rows.length === 0 && (
        <p class="empty">Nothing has happened{all ? '' : ' that would be a warning'}.</p>
      )}
      {rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Events">
          <table class="events">
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Run</th>
                <th scope="col">Step</th>
                <th scope="col">Event</th>
                <th scope="col">What</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row, i) => (
                <tr key={i}>
                  <td class="nowrap">{formatTime(row.time)}</td>
                  <td class="nowrap">
                    <span class="swatch" style={{ background: colours.get(row.run) }} /> {names.get(row.run)}
                  </td>
                  <td class="figure">{row.step}</td>
                  <td>
                    <span class={`badge ${row.type}`}>{row.type}</span>
                  </td>
                  <td>
                    {row.message}{' '}
                    {row.file !== null && (
                      <button
                        type="button"
                        class="link"
                        onClick={() =>
                          go({ view: 'rollouts', run: row.run, kind: 'watchdog', step: String(row.step), ...closed })
                        }
                      >
                        samples
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
