/**
 * Requests to a run under way: files in its folder's `control/` named `pause`, `checkpoint` and `stop`, which the loop looks
 * for between steps. `pause` holds as long as it is there, the others are removed as they are obeyed, so a request is
 * neither lost nor obeyed twice; what a killed process left is removed when the run is opened. `touch RUN/control/stop` does
 * what the dashboard's button does. While the run is paused it keeps the file `paused` there.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const controlRequests = ['pause', 'checkpoint', 'stop'] as const;
export type ControlRequest = (typeof controlRequests)[number];

const FOLDER = 'control';
const PAUSED = 'paused';
const POLL_MILLISECONDS = 200;

const fileOf = (run: string, name: string): string => join(run, FOLDER, name);

function names(run: string): string[] {
  try {
    return readdirSync(join(run, FOLDER));
  } catch {
    return [];
  }
}

/** The requests that wait in a run folder. */
export function pendingRequests(run: string): ControlRequest[] {
  const there = names(run);
  return controlRequests.filter((request) => there.includes(request));
}

/** Whether the run has stopped between two steps and waits; a killed process may have left the sign. */
export function isPaused(run: string): boolean {
  return names(run).includes(PAUSED);
}

/** Asks a run for something. */
export function request(run: string, what: ControlRequest): void {
  mkdirSync(join(run, FOLDER), { recursive: true });
  writeFileSync(fileOf(run, what), '');
}

/** Takes a request back; `pause`: the run goes on. */
export function withdraw(run: string, what: ControlRequest): void {
  rmSync(fileOf(run, what), { force: true });
}

/** Removes what an earlier process has left. */
export function clearRequests(run: string): void {
  for (const name of [...controlRequests, PAUSED]) rmSync(fileOf(run, name), { force: true });
}

export interface Obedience {
  save: () => Promise<void>;
  onPause: (paused: boolean) => void;
  signal?: AbortSignal;
}

/**
 * Does what is asked for: saves, waits while `pause` is there, and says whether the run is to stop.
 * @throws the signal's reason when it is aborted meanwhile
 */
export async function obey(run: string, { save, onPause, signal }: Obedience): Promise<'go on' | 'stop'> {
  let paused = false;
  try {
    for (;;) {
      const pending = pendingRequests(run);
      if (pending.includes('checkpoint')) {
        await save();
        withdraw(run, 'checkpoint');
      }
      if (pending.includes('stop')) {
        clearRequests(run);
        return 'stop';
      }
      if (!pending.includes('pause')) return 'go on';
      if (!paused) {
        paused = true;
        writeFileSync(fileOf(run, PAUSED), '');
        onPause(true);
      }
      await sleep(POLL_MILLISECONDS, undefined, { signal });
    }
  } finally {
    if (paused) {
      rmSync(fileOf(run, PAUSED), { force: true });
      onPause(false);
    }
  }
}
