/** What the page shows, in the fragment of its address: reloading and sharing keep it. */
import { useEffect, useState } from 'preact/hooks';

export type Place = Partial<Record<string, string>>;

function read(): Place {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

/** The place, and a way to change some of it; '' removes a key. */
export function usePlace(): [Place, (change: Place) => void] {
  const [place, setPlace] = useState(read);
  useEffect(() => {
    const update = (): void => setPlace(read());
    addEventListener('hashchange', update);
    return () => removeEventListener('hashchange', update);
  }, []);
  const change = (changes: Place): void => {
    const next = Object.entries({ ...read(), ...changes }).flatMap(([key, value]) => (value ? [[key, value]] : []));
    history.replaceState(null, '', `#${new URLSearchParams(next)}`);
    setPlace(read());
  };
  return [place, change];
}
