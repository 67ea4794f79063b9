/**
 * Where the public surface was called. Work that fails on the engine thread has no useful JavaScript stack, so the
 * caller's is taken before the call goes native and given to the error.
 */
import { isZeroRlError, ZeroRlError, type ErrorCode } from '../errors';

export class Caller {
  private readonly site: { stack?: string } = {};

  constructor() {
    Error.captureStackTrace(this.site, Caller);
  }

  error(code: ErrorCode, message: string, cause?: unknown): ZeroRlError {
    const error = new ZeroRlError(code, message, cause === undefined ? undefined : { cause });
    const frames = this.site.stack?.slice(this.site.stack.indexOf('\n')) ?? '';
    error.stack = `${error.name}: ${message}${frames}`;
    return error;
  }

  /** An error of the addon as a ZeroRlError with its code (`ERR_ZERO_RL_NATIVE` without one). */
  fromNative(error: unknown): ZeroRlError {
    const message =
      error !== null && typeof error === 'object' && 'message' in error ? String(error.message) : String(error);
    const code = isZeroRlError(error) ? error.code : 'ERR_ZERO_RL_NATIVE';
    return this.error(code, message, error);
  }
}
