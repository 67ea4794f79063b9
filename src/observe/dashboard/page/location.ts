/** What the page shows, in the fragment of its address: reloading, sharing, Back and Forward keep it. */
import { useEffect, useState } from 'preact/hooks';

export type Place = Partial<Record<string, string>>;
/** `push`: a step that Back undoes. `replace`: one of many small changes, which make one step together. */
export type Way = 'push' | 'replace';
export type Go = (change: Place, way?: Way) => void;

/** Browsers refuse many writes to the history in a short time. */
const WRITE_MILLISECONDS = 150;

function read(): Place {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

const address = (place: Place): string => `#${new URLSearchParams(place as Record<string, string>)}`;

/** The place, and a way to change some of it; '' removes a key. */
export function usePlace(): [Place, Go] {
  const [[place, go]] = useState(() => {
    let current = read();
    let timer: number | undefined;
    const flush = (): void => {
      if (timer === undefined) return;
      clearTimeout(timer);
      timer = undefined;
      history.replaceState(null, '', address(current));
    };
    const change: Go = (changes, way = 'push') => {
      const next = Object.fromEntries(Object.entries({ ...current, ...changes }).filter(([, value]) => value));
      if (address(next) === address(current)) return;
      if (way === 'push') {
        flush();
        history.pushState(null, '', address(next));
      } else timer ??= setTimeout(flush, WRITE_MILLISECONDS);
      current = next;
      show(current);
    };
    const back = (): void => {
      clearTimeout(timer);
      timer = undefined;
      current = read();
      show(current);
    };
    return [{ at: () => current, back }, change] as const;
  });
  const [shown, show] = useState(place.at);
  useEffect(() => {
    // A link or a typed address changes the fragment; Back and Forward do both.
    addEventListener('popstate', place.back);
    return () => removeEventListener('popstate', place.back);
  }, []);
  return [shown, go];
}
