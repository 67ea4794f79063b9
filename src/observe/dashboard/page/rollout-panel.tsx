/** One rollout whole: prompt, completion with its tokens coloured, verdict, terms of the reward, and the rest of its group. */
import { useEffect, useRef } from 'preact/hooks';
import type { RolloutDetail, RolloutKind, RunInfo } from '../protocol.js';
import { useAnswer } from './api.js';
import { Completion } from './completion.js';
import { formatNumber } from './format.js';
import type { Go } from './location.js';
import { closed, type RolloutName } from './rollout-name.js';
import { verdictOf } from './rollouts-view.js';

interface Props {
  run: RunInfo;
  kind: RolloutKind;
  name: RolloutName;
  go: Go;
}

interface Part {
  name: string;
  reward: number;
  weight: number;
  reason: string;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);

/** Rows come from files that anyone may have written. */
function partsOf(value: unknown): Part[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((part: unknown) => {
    const { name, reward, weight, reason } = (part ?? {}) as Record<string, unknown>;
    if (typeof reward !== 'number' || typeof weight !== 'number') return [];
    return [{ name: text(name), reward, weight, reason: text(reason) }];
  });
}

export function RolloutPanel({ run, kind, name, go }: Props) {
  const { value, error } = useAnswer<RolloutDetail>('rollout', { run: run.id, kind, ...name }, run.version);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [Object.values(name).join(), value === null]);
  if (value === null) return <section class="detail">{error !== null && <p class="trouble">{error}</p>}</section>;
  const { row, group } = value;
  const correct = typeof row.correct === 'boolean' ? row.correct : null;
  const parts = partsOf(row.parts);
  const facts: [string, string][] = [
    ['reward', formatNumber(number(row.reward))],
    ['advantage', formatNumber(number(row.advantage))],
    ['length', `${number(row.length) ?? '–'} tokens${row.finishReason === 'length' ? ', cut off' : ''}`],
    ['right answer', text(row.answer)],
    ['step', String(number(row.step) ?? '–')],
  ];
  return (
    <section class="detail" aria-label="Rollout">
      <div class="title">
        <h2 ref={heading} tabIndex={-1}>
          {text(row.id)}, sample {number(row.sample) ?? 0}
        </h2>
        <button type="button" onClick={() => go(closed)}>
          Close
        </button>
      </div>
      {error !== null && <p class="trouble">{error}</p>}
      <p>
        <span class={`badge ${verdictOf(correct)}`}>{verdictOf(correct)}</span> {text(row.reason)}
      </p>
      <dl class="figures">
        {facts.map(([name, shown]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{shown}</dd>
          </div>
        ))}
      </dl>
      {parts.length > 0 && (
        <table class="parts">
          <caption>Terms of the reward</caption>
          <thead>
            <tr>
              <th scope="col">term</th>
              <th scope="col">reason</th>
              <th scope="col">score</th>
              <th scope="col">weight</th>
              <th scope="col">adds</th>
            </tr>
          </thead>
          <tbody>
            {parts.map(({ name, reward, weight, reason }, i) => (
              <tr key={i}>
                <th scope="row">{name}</th>
                <td>{reason}</td>
                <td class="figure">{formatNumber(reward)}</td>
                <td class="figure">{formatNumber(weight)}</td>
                <td class="figure">{formatNumber(reward * weight)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <h3>Prompt</h3>
      <pre class="prompt">{text(row.prompt)}</pre>
      <Completion row={row} />
      {group.length > 1 && (
        <>
          <h3>Its group</h3>
          <ul class="group">
            {group.map((other) => (
              <li key={other.sample}>
                <button
                  type="button"
                  class={verdictOf(other.correct)}
                  aria-pressed={other.sample === Number(name.sample)}
                  onClick={() => go({ openSample: String(other.sample) })}
                >
                  {formatNumber(other.reward)}
                  <small>{other.length} tokens</small>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
