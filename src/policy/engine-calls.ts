/**
 * The calls of one policy that are under way on the engine thread: each has an abort flag, set by its AbortSignal, by a
 * consumer that stops listening or by dispose. A call settles only once the engine has let go of it, so an aborted call
 * leaves nothing running.
 */
import type { AbortFlag } from '../../binding/native';
import { invalidType, ZeroRlError } from '../errors';
import type { Caller } from './caller';

/** The default reason of `controller.abort()`, which says no more than that it was called. */
function isDefaultReason(reason: unknown): boolean {
  return typeof reason === 'object' && reason !== null && 'name' in reason && reason.name === 'AbortError';
}

/** What an aborted call rejects with: the signal's reason where one was given, else `ERR_ZERO_RL_ABORTED`. */
function abortError(caller: Caller, signal: AbortSignal): unknown {
  const reason: unknown = signal.reason;
  if (!isDefaultReason(reason)) return reason;
  return caller.error('ERR_ZERO_RL_ABORTED', 'The call was aborted by its signal.', reason);
}

/** Also true for a signal of another realm. */
function isSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === 'object' &&
    value !== null &&
    'aborted' in value &&
    typeof value.aborted === 'boolean' &&
    'addEventListener' in value &&
    typeof value.addEventListener === 'function'
  );
}

/** Checks that an option is an AbortSignal or undefined. */
export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal !== undefined && !isSignal(signal)) throw invalidType('signal', 'AbortSignal', signal);
  return signal;
}

export class EngineCalls {
  private readonly flags = new Set<AbortFlag>();
  private disposed = false;
  private deferred: (() => void)[] = [];
  /** Settles when the exclusive work under way is done; null when there is none. */
  private barrier: Promise<unknown> | null = null;

  constructor(private readonly newFlag: () => AbortFlag) {}

  get usable(): boolean {
    return !this.disposed;
  }

  /** Throws `ERR_ZERO_RL_DISPOSED` after dispose. */
  checkUsable(caller: Caller): void {
    if (this.disposed) {
      throw caller.error('ERR_ZERO_RL_DISPOSED', 'The policy was disposed; load it again to use it.');
    }
  }

  /** `work`, which starts calls, at the end of this turn of the event loop, or before another call that comes earlier. */
  defer(work: () => void): void {
    if (this.deferred.length === 0) setImmediate(() => this.startDeferred());
    this.deferred.push(work);
  }

  private startDeferred(): void {
    const works = this.deferred;
    this.deferred = [];
    for (const work of works) work();
  }

  /** Sets the flags of all calls under way; returns false when that was done before. */
  dispose(): boolean {
    if (this.disposed) return false;
    this.startDeferred();
    this.disposed = true;
    for (const flag of this.flags) flag.abort();
    return true;
  }

  /**
   * Runs one job under an abort flag, after `prepare`: calls made meanwhile wait, so that jobs keep the order of calls. Native errors
   * become ZeroRlErrors with the caller's stack.
   */
  async run<T>(
    caller: Caller,
    signal: AbortSignal | undefined,
    job: (flag: AbortFlag) => Promise<T>,
    prepare?: () => Promise<void>,
  ): Promise<T> {
    this.checkUsable(caller);
    this.startDeferred();
    if (signal?.aborted) throw abortError(caller, signal);
    while (this.barrier !== null) await this.barrier;
    if (prepare !== undefined) {
      let release = (): void => undefined;
      this.barrier = new Promise<void>((resolve) => (release = resolve));
      try {
        await prepare();
      } finally {
        this.barrier = null;
        release(); // those that wait go on after this call, which has its job queued before it waits again
      }
    }
    this.checkUsable(caller);
    if (signal?.aborted) throw abortError(caller, signal);
    const flag = this.newFlag();
    const abort = (): void => flag.abort();
    this.flags.add(flag);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await job(flag);
    } catch (error) {
      const wrapped = caller.fromNative(error);
      if (wrapped.code !== 'ERR_ZERO_RL_ABORTED') throw wrapped;
      if (signal?.aborted) throw abortError(caller, signal);
      throw this.disposed ? this.disposedMeanwhile(caller, error) : wrapped;
    } finally {
      this.flags.delete(flag);
      signal?.removeEventListener('abort', abort);
    }
  }

  /**
   * Runs work of several engine jobs that must see the weights unchanged (saving) or must not be seen half done
   * (loading). Calls made before it are queued on the engine already; calls made after it wait.
   */
  async runExclusive<T>(caller: Caller, work: () => Promise<T>): Promise<T> {
    this.checkUsable(caller);
    this.startDeferred();
    while (this.barrier !== null) await this.barrier;
    this.checkUsable(caller);
    const running = work();
    this.barrier = running.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await running;
    } catch (error) {
      if (this.disposed) throw this.disposedMeanwhile(caller, error);
      throw error instanceof ZeroRlError ? error : caller.fromNative(error);
    } finally {
      this.barrier = null;
    }
  }

  private disposedMeanwhile(caller: Caller, cause: unknown): ZeroRlError {
    return caller.error('ERR_ZERO_RL_ABORTED', 'The call was aborted because the policy was disposed.', cause);
  }
}
