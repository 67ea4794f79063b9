/** The resolved configs of the runs side by side. */
import { useState } from 'preact/hooks';
import type { ConfigTable, RunInfo } from '../protocol.js';
import { useAnswer } from './api.js';

export function ConfigView({ runs, colours }: { runs: readonly RunInfo[]; colours: ReadonlyMap<string, string> }) {
  const [everything, setEverything] = useState(false);
  const [wanted, setWanted] = useState('');
  const { value, error } = useAnswer<ConfigTable>('config', { run: runs.map(({ id }) => id) });
  const names = new Map(runs.map(({ id, name }) => [id, name]));
  const all = everything || runs.length === 1;
  const rows = (value?.rows ?? []).filter(
    ({ key, differs }) => (all || differs) && key.toLowerCase().includes(wanted.toLowerCase()),
  );
  return (
    <>
      <div class="toolbar">
        {runs.length > 1 && (
          <label>
            <input
              type="checkbox"
              checked={!everything}
              onChange={(event) => setEverything(!event.currentTarget.checked)}
            />{' '}
            only differences
          </label>
        )}
        <label>
          Key <input type="search" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
        </label>
      </div>
      {error !== null && <p class="trouble">{error}</p>}
      {value?.runs.map(
        ({ id, trouble }) => trouble !== null && <p key={id} class="trouble">{`${names.get(id)}: ${trouble}`}</p>,
      )}
      {value !== null && rows.length === 0 && (
        <p class="empty">{wanted === '' ? 'These runs have the same config.' : 'No key has this in its name.'}</p>
      )}
      {rows.length > 0 && value !== null && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Configs">
          <table class="config">
            <thead>
              <tr>
                <th scope="col">Key</th>
                {value.runs.map(({ id }) => (
                  <th key={id} scope="col">
                    <span class="swatch" style={{ background: colours.get(id) }} /> {names.get(id)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ key, values, differs }) => (
                <tr key={key} class={differs && all ? 'differs' : ''}>
                  <th scope="row">{key}</th>
                  {values.map((text, i) => (
                    <td key={i}>{text === null ? <span class="absent">absent</span> : <code>{text}</code>}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
