/** Requests to the server, and the stream of changes. */
import { useEffect, useState } from 'preact/hooks';
import type { Action, RunChanges, RunInfo, tokenHeader } from '../protocol.js';
import { token } from './token.js';

const header: typeof tokenHeader = 'x-zero-rl-token';

export type Query = Record<string, string | number | readonly string[] | undefined>;

function address(path: string, query: Query): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined || value === '') continue;
    if (typeof value === 'object') for (const item of value) parameters.append(key, item);
    else parameters.set(key, String(value));
  }
  return `/api/${path}?${parameters}`;
}

async function answer<T>(response: Response): Promise<T> {
  const body = (await response.json()) as T & { error?: string };
  if (!response.ok) throw new Error(body.error ?? `The server answered with ${response.status}`);
  return body;
}

export async function get<T>(path: string, query: Query, signal?: AbortSignal): Promise<T> {
  return answer<T>(await fetch(address(path, query), { signal }));
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Asks a run for something. */
export async function act(run: string, action: Action): Promise<void> {
  await answer(
    await fetch('/api/control', {
      method: 'POST',
      headers: { 'content-type': 'application/json', [header]: token },
      body: JSON.stringify({ run, action }),
    }),
  );
}

export interface LiveRuns {
  runs: RunInfo[];
  /** Whether the stream is there; null before its first word. */
  connected: boolean | null;
}

/** The runs as they are, newest first. */
export function useLiveRuns(): LiveRuns {
  const [live, setLive] = useState<LiveRuns>({ runs: [], connected: null });
  useEffect(() => {
    const source = new EventSource('/api/live');
    const known = new Map<string, RunInfo>();
    const show = (connected: boolean): void =>
      setLive({ connected, runs: [...known.values()].sort((a, b) => b.updated - a.updated || (a.id < b.id ? -1 : 1)) });
    source.addEventListener('all', (event) => {
      known.clear();
      for (const run of JSON.parse(event.data as string) as RunInfo[]) known.set(run.id, run);
      show(true);
    });
    source.addEventListener('runs', (event) => {
      const { changed, removed } = JSON.parse(event.data as string) as RunChanges;
      for (const run of changed) known.set(run.id, run);
      for (const id of removed) known.delete(id);
      show(true);
    });
    source.addEventListener('error', () => show(false));
    return () => source.close();
  }, []);
  return live;
}

export interface Loaded<T> {
  value: T | null;
  error: string | null;
}

/** The answer to a query, asked again when `version` changes; the last one stays until the next is there. */
export function useAnswer<T>(path: string | null, query: Query, version = ''): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T>>({ value: null, error: null });
  const key = path === null ? null : address(path, query);
  useEffect(() => {
    if (key === null) return undefined;
    const abort = new AbortController();
    fetch(key, { signal: abort.signal })
      .then((response) => answer<T>(response))
      .then((value) => setLoaded({ value, error: null }))
      .catch((error: unknown) => {
        if (!abort.signal.aborted) setLoaded((last) => ({ ...last, error: messageOf(error) }));
      });
    return () => abort.abort();
  }, [key, version]);
  return loaded;
}
