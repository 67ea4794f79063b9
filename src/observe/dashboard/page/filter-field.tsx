/** A field whose text is the user's while it is typed: what it filters follows after a moment, or at once on Enter. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Way } from './location.js';

interface Props {
  label: string;
  type: 'number' | 'search';
  step?: string;
  value: string;
  /** Called with the text; all changes until the field is left are one step of the history. */
  change: (text: string, way: Way) => void;
}

const PAUSE_MILLISECONDS = 300;

export function FilterField({ label, type, step, value, change }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const timer = useRef<number | undefined>(undefined);
  const way = useRef<Way>('push');
  const committed = useRef(value);
  const latest = useRef(change);
  latest.current = change;
  useEffect(() => () => clearTimeout(timer.current), []);
  // What Back, a link or a button sets takes the place of what was typed.
  useEffect(() => {
    if (value === committed.current) return;
    committed.current = value;
    clearTimeout(timer.current);
    setDraft(null);
  }, [value]);
  const commit = (text: string): void => {
    clearTimeout(timer.current);
    if (text === committed.current) return;
    committed.current = text;
    latest.current(text, way.current);
    way.current = 'replace';
  };
  return (
    <label>
      {label}
      <input
        {...(type === 'number' ? { type, step } : { type })}
        value={draft ?? value}
        onInput={({ currentTarget: { value: text } }) => {
          setDraft(text);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => commit(text), PAUSE_MILLISECONDS);
        }}
        onChange={(event) => commit(event.currentTarget.value)}
        onFocus={() => (way.current = 'push')}
      />
    </label>
  );
}
