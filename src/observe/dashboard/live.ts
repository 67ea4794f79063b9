/** The stream of changes: one look at the folders a second for all pages together, and none while no page is open. */
import type { RunList } from './run-list';
import type { RunChanges } from './protocol';

const INTERVAL = 1000;

export class Live {
  private readonly listeners = new Set<(changes: RunChanges) => void>();
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly runs: RunList) {}

  /** @returns what ends it */
  listen(listener: (changes: RunChanges) => void): () => void {
    this.listeners.add(listener);
    this.timer ??= setInterval(() => this.look(), INTERVAL);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.stop();
    };
  }

  /** Looks now, e.g. after a request was made. */
  look(): void {
    const changes = this.runs.refresh();
    if (changes.changed.length + changes.removed.length === 0) return;
    for (const listener of this.listeners) listener(changes);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }
}
