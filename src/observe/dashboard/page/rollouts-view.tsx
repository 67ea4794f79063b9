/** The browser of rollouts: filters, a list, and one of them whole. */
import type { RolloutKind, RolloutList, RolloutSort, RunInfo } from '../protocol.js';
import { useAnswer } from './api.js';
import { formatNumber } from './format.js';
import { FilterField } from './filter-field.js';
import type { Go, Place, Way } from './location.js';
import { closed, isOpen, openIn, opened } from './rollout-name.js';
import { RolloutPanel } from './rollout-panel.js';

interface Props {
  runs: readonly RunInfo[];
  chosen: readonly RunInfo[];
  place: Place;
  go: Go;
}

const PAGE = 50;
const kinds: Record<RolloutKind, string> = {
  rollouts: 'training',
  evaluations: 'held-out evaluation',
  watchdog: 'behind alarms',
};
const sorts: Record<RolloutSort, string> = {
  newest: 'newest first',
  oldest: 'oldest first',
  reward: 'highest reward',
  'lowest-reward': 'lowest reward',
  longest: 'longest',
  shortest: 'shortest',
  advantage: 'largest |advantage|',
};
/** Keys of the address that filter. */
const filters = [
  'step',
  'minReward',
  'maxReward',
  'minLength',
  'maxLength',
  'finish',
  'verdict',
  'spread',
  'text',
] as const;

const choices: Record<'verdict' | 'finish' | 'spread', [title: string, options: Record<string, string>]> = {
  verdict: ['Verdict', { right: 'right', wrong: 'wrong', unknown: 'unknown' }],
  finish: ['Ended by', { stop: 'end token', length: 'token limit' }],
  spread: ['Group', { yes: 'rewards differ', no: 'without spread' }],
};

export const verdictOf = (correct: boolean | null): string =>
  correct === null ? 'unknown' : correct ? 'right' : 'wrong';

export function RolloutsView({ runs, chosen, place, go }: Props) {
  const known = runs.find(({ id }) => id === place.run);
  const run = known ?? (chosen.length > 0 ? chosen[0] : runs[0]);
  const isUnknown = place.run !== undefined && !known;
  const kind: RolloutKind = Object.hasOwn(kinds, place.kind ?? '') ? (place.kind as RolloutKind) : 'rollouts';
  const offset = Math.max(0, Number(place.offset ?? 0) || 0);
  const query = Object.fromEntries(filters.map((key) => [key, place[key]]));
  const { value, error } = useAnswer<RolloutList>(
    isUnknown ? null : 'rollouts',
    { ...query, run: run.id, kind, sort: place.sort, offset, limit: PAGE },
    run.version,
  );
  /** A filter that changes starts again at the first page. */
  const filter = (change: Place, way?: Way): void => go({ offset: '', ...change }, way);
  const number = (key: (typeof filters)[number], title: string, step = 'any') => (
    <FilterField
      key={key}
      label={title}
      type="number"
      step={step}
      value={place[key] ?? ''}
      change={(text, way) => filter({ [key]: text }, way)}
    />
  );
  const set = filters.filter((key) => place[key] !== undefined);
  const open = isUnknown ? null : openIn(place);
  return (
    <>
      <form class="toolbar filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Run
          <select value={run.id} onChange={(event) => filter({ run: event.currentTarget.value, ...closed })}>
            {runs.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Samples
          <select value={kind} onChange={(event) => filter({ kind: event.currentTarget.value, ...closed })}>
            {Object.entries(kinds).map(([key, title]) => (
              <option key={key} value={key}>
                {title}
              </option>
            ))}
          </select>
        </label>
        {number('step', 'Step', '1')}
        {number('minReward', 'Reward from')}
        {number('maxReward', 'to')}
        {number('minLength', 'Length from', '1')}
        {number('maxLength', 'to', '1')}
        {(Object.keys(choices) as (keyof typeof choices)[]).map((key) => (
          <label key={key}>
            {choices[key][0]}
            <select value={place[key] ?? ''} onChange={(event) => filter({ [key]: event.currentTarget.value })}>
              <option value="">any</option>
              {Object.entries(choices[key][1]).map(([option, title]) => (
                <option key={option} value={option}>
                  {title}
                </option>
              ))}
            </select>
          </label>
        ))}
        <FilterField
          label="Text"
          type="search"
          value={place.text ?? ''}
          change={(text, way) => filter({ text }, way)}
        />
        <label>
          Order
          <select value={place.sort ?? 'newest'} onChange={(event) => filter({ sort: event.currentTarget.value })}>
            {Object.entries(sorts).map(([key, title]) => (
              <option key={key} value={key}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          disabled={set.length === 0}
          onClick={() => filter(Object.fromEntries(set.map((key) => [key, ''])))}
        >
          No filters
        </button>
      </form>
      {isUnknown && <p class="trouble">{`There is no run ${place.run} in this folder; choose another.`}</p>}
      {error !== null && <p class="trouble">{error}</p>}
      <div class={`browser ${open === null ? '' : 'opened'}`}>
        <section class="list" aria-label="Rollouts found">
          {value !== null && (
            <p class="found" role="status">
              {value.total.toLocaleString('en-US')} of {value.of.toLocaleString('en-US')}
              {value.steps && `, steps ${value.steps[0]} to ${value.steps[1]}`}
              {value.damaged > 0 && `; ${value.damaged} lines could not be read`}
            </p>
          )}
          {value !== null && value.of === 0 && <p class="empty">There are no such samples in this run.</p>}
          {value !== null && value.of > 0 && value.total === 0 && (
            <p class="empty">No sample fits all of these filters.</p>
          )}
          {value !== null && value.total > 0 && value.rows.length === 0 && (
            <p class="empty">The list is shorter than this page of it.</p>
          )}
          <ol start={offset + 1}>
            {value?.rows.map((row, i) => (
              <li key={`${row.step} ${row.group} ${row.sample} ${i}`}>
                <button
                  type="button"
                  class={`rollout ${verdictOf(row.correct)}`}
                  aria-pressed={isOpen(open, row)}
                  onClick={() => go(opened(row))}
                >
                  <span class="meta">
                    <span class={`badge ${verdictOf(row.correct)}`}>{row.reason || verdictOf(row.correct)}</span>
                    <span>reward {formatNumber(row.reward)}</span>
                    {row.advantage !== null && <span>advantage {formatNumber(row.advantage)}</span>}
                    <span>
                      {row.length} tokens{row.finishReason === 'length' && ', cut off'}
                    </span>
                    <span>step {row.step}</span>
                  </span>
                  <span class="text">
                    <span class="prompt">{row.prompt}</span>
                    {row.completion}
                  </span>
                </button>
              </li>
            ))}
          </ol>
          {value !== null && value.total > PAGE && (
            <nav class="pages" aria-label="Pages">
              <button
                type="button"
                disabled={offset === 0}
                onClick={() => go({ offset: String(Math.max(0, offset - PAGE)) })}
              >
                Earlier in the list
              </button>
              <span>
                {offset + 1}–{Math.min(value.total, offset + PAGE)}
              </span>
              <button
                type="button"
                disabled={offset + PAGE >= value.total}
                onClick={() => go({ offset: String(offset + PAGE) })}
              >
                Further
              </button>
            </nav>
          )}
        </section>
        {open !== null && <RolloutPanel run={run} kind={kind} name={open} go={go} />}
      </div>
    </>
  );
}
