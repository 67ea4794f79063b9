/** Requests that wait and try again where a server says that it is busy: 408, 429 and 5xx. */
import { setTimeout as delay } from 'node:timers/promises';
import { fetch, type Headers, type RequestInit, type Response } from 'undici';
import { log } from '../observe/log';

/** Requests in all. */
const TRIES = 5;
/** Wait before the second one where the server names none; it doubles. */
const BACKOFF_MS = 200;
/** A server that asks for a longer wait is not waited for: the hub's window of requests is 5 minutes. */
const LONGEST_WAIT_MS = 300_000;
/** Waits from this on are said. */
const SAID_MS = 2000;

export function isBusy(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** How long the server asks to wait: `Retry-After` in seconds or as a date, or the rest of a window in `RateLimit`. */
export function askedWait(headers: Pick<Headers, 'get'>, now = Date.now()): number | null {
  const after = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(after)) return 1000 * Number(after);
  const date = Date.parse(after);
  if (!Number.isNaN(date)) return Math.max(0, date - now);
  const window = /(?:^|;)\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1];
  return window === undefined ? null : 1000 * Number(window);
}

/**
 * The answer of the server, the last one where it stays busy.
 * @throws what `fetch` throws, and the signal's reason when it is aborted while waiting
 */
export async function patientFetch(url: string, options: RequestInit): Promise<Response> {
  for (let tried = 1; ; tried++) {
    const response = await fetch(url, options);
    const wait = askedWait(response.headers) ?? BACKOFF_MS * 2 ** (tried - 1);
    if (!isBusy(response.status) || tried === TRIES || wait > LONGEST_WAIT_MS) return response;
    await response.body?.cancel();
    if (wait >= SAID_MS)
      log.info(`${new URL(url).host} answered ${response.status}; trying again in ${Math.ceil(wait / 1000)} s`);
    await delay(wait, undefined, { signal: options.signal ?? undefined });
  }
}
