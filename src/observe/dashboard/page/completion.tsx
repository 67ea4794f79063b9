/** A completion; where the run kept them, with the log-prob or the KL of every token as its colour. */
import { useState } from 'preact/hooks';
import { formatNumber } from './format.js';

/** Nats at which a colour is full. */
const FULL = { logProbs: 4, kl: 2 } as const;
type Shade = keyof typeof FULL;
const shades: Record<Shade, string> = { logProbs: 'log-prob', kl: 'KL' };

interface Token {
  text: string;
  logProb: number;
  kl: number | null;
}

const numbers = (value: unknown): number[] | null =>
  Array.isArray(value) && value.every((item) => typeof item === 'number') ? value : null;

/** Tokens with their texts; null where the row does not say where they end. */
function tokensOf(row: Record<string, unknown>, completion: string): Token[] | null {
  const lengths = numbers(row.tokenLengths);
  const logProbs = numbers(row.logProbs);
  const kl = numbers(row.kl);
  if (!lengths || logProbs?.length !== lengths.length || (kl && kl.length !== lengths.length)) return null;
  let start = 0;
  return lengths.map((length, i) => {
    const text = completion.slice(start, start + length);
    start += length;
    return { text, logProb: logProbs[i], kl: kl ? kl[i] : null };
  });
}

/** Less likely tokens are warmer; the policy likes tokens with a positive KL better than the reference does. */
function colourOf({ logProb, kl }: Token, shade: Shade): string {
  const value = shade === 'kl' ? (kl ?? 0) : -logProb;
  const share = Math.min(1, Math.abs(value) / FULL[shade]);
  const colour = shade === 'kl' && value > 0 ? 'var(--cool)' : 'var(--warm)';
  return `color-mix(in srgb, ${colour} ${Math.round(70 * share)}%, transparent)`;
}

function describe({ text, logProb, kl }: Token): string {
  const share = `${(100 * Math.exp(logProb)).toPrecision(3)} %`;
  const difference = kl === null ? '' : `, KL ${formatNumber(kl)}`;
  return `${text === '' ? 'end or part of a character' : JSON.stringify(text)}: log-prob ${formatNumber(logProb)} (${share})${difference}`;
}

export function Completion({ row }: { row: Record<string, unknown> }) {
  const completion = typeof row.completion === 'string' ? row.completion : '';
  const tokens = tokensOf(row, completion);
  const [chosen, setChosen] = useState<Shade | null>('logProbs');
  const [pointed, setPointed] = useState<string>('');
  const hasKl = tokens?.some(({ kl }) => kl !== null) ?? false;
  const shade = chosen === 'kl' && !hasKl ? 'logProbs' : chosen;
  const options = [null, 'logProbs', ...(hasKl ? ['kl'] : [])] as (Shade | null)[];
  return (
    <>
      <div class="over">
        <h3>Completion</h3>
        {tokens && (
          <fieldset>
            <legend>Colour</legend>
            {options.map((option) => (
              <label key={option}>
                <input type="radio" name="shade" checked={option === shade} onChange={() => setChosen(option)} />{' '}
                {option === null ? 'none' : shades[option]}
              </label>
            ))}
          </fieldset>
        )}
      </div>
      <pre class="completion" onPointerLeave={() => setPointed('')}>
        {tokens && shade !== null
          ? tokens.map((token, i) => (
              <span
                key={i}
                class={token.text === '' ? 'token bare' : 'token'}
                title={describe(token)}
                style={{ backgroundColor: colourOf(token, shade) }}
                onPointerEnter={() => setPointed(describe(token))}
              >
                {token.text === '' ? '∎' : token.text}
              </span>
            ))
          : completion}
      </pre>
      {tokens && shade !== null && (
        <p class="scale">
          <span class={`ramp ${shade}`} />
          {shade === 'kl' ? `−${FULL.kl} to ${FULL.kl} nats` : `0 to −${FULL.logProbs} nats`}
          <span class="pointed">{pointed}</span>
        </p>
      )}
      {tokens && (
        <details>
          <summary>Tokens as a table</summary>
          <div class="scroll" tabIndex={0} role="region" aria-label="Tokens">
            <table>
              <thead>
                <tr>
                  <th scope="col">token</th>
                  <th scope="col">log-prob</th>
                  {hasKl && <th scope="col">KL</th>}
                </tr>
              </thead>
              <tbody>
                {tokens.map(({ text, logProb, kl }, i) => (
                  <tr key={i}>
                    <td>
                      <code>{text === '' ? '∎' : JSON.stringify(text)}</code>
                    </td>
                    <td class="figure">{formatNumber(logProb)}</td>
                    {hasKl && <td class="figure">{formatNumber(kl)}</td>}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </>
  );
}
