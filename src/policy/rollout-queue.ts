/** Rollouts as an asynchronous sequence: pushed as they complete, pulled by one consumer. */
import type { Rollout } from './types';

export class RolloutQueue {
  private ready: Rollout[] = [];
  private ended = false;
  private failure: { error: unknown } | null = null;
  private wake: () => void = () => undefined;

  push(rollouts: readonly Rollout[]): void {
    for (const rollout of rollouts) this.ready.push(rollout);
    this.wake();
  }

  end(): void {
    this.ended = true;
    this.wake();
  }

  /** Ends the sequence with an error, after what was pushed before it. */
  fail(error: unknown): void {
    this.failure = { error };
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Rollout, void, undefined> {
    for (;;) {
      while (this.ready.length > 0) {
        const batch = this.ready;
        this.ready = [];
        yield* batch;
      }
      if (this.failure !== null) throw this.failure.error;
      if (this.ended) return;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}
