/**
 * Errors of the public surface. Everything that fails for a reason other than a wrong argument is a
 * {@link ZeroRlError} with a stable string `code`; wrong arguments are TypeError or RangeError whose
 * message always has the form "Expected X for NAME but received VALUE of type TYPE".
 */

/** Stable codes; scripts may match on them. */
export type ErrorCode =
  | 'ERR_ZERO_RL_LIBTORCH_NOT_FOUND'
  | 'ERR_ZERO_RL_LIBTORCH_VERSION'
  | 'ERR_ZERO_RL_ADDON_NOT_FOUND'
  | 'ERR_ZERO_RL_PLATFORM'
  | 'ERR_ZERO_RL_CHECKPOINT'
  | 'ERR_ZERO_RL_CONFIG'
  | 'ERR_ZERO_RL_DATA'
  | 'ERR_ZERO_RL_HUB'
  | 'ERR_ZERO_RL_OUTPUT'
  | 'ERR_ZERO_RL_CUDA_UNAVAILABLE'
  | 'ERR_ZERO_RL_OUT_OF_MEMORY'
  | 'ERR_ZERO_RL_DISPOSED'
  | 'ERR_ZERO_RL_ABORTED'
  | 'ERR_ZERO_RL_WATCHDOG'
  | 'ERR_ZERO_RL_NOT_FINITE'
  | 'ERR_ZERO_RL_NATIVE';

export class ZeroRlError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ZeroRlError';
    this.code = code;
  }
}

/** True for a value thrown by this package with a code, also across realms (jest, worker_threads). */
export function isZeroRlError(value: unknown): value is ZeroRlError {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    typeof value.code === 'string' &&
    value.code.startsWith('ERR_ZERO_RL_')
  );
}

function describe(value: unknown): string {
  let shown: string;
  if (typeof value === 'string') shown = JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  else if (Array.isArray(value)) shown = `array of length ${value.length}`;
  else if (ArrayBuffer.isView(value)) shown = Object.prototype.toString.call(value).slice(8, -1);
  else if (typeof value === 'object' && value !== null) shown = 'object';
  else if (typeof value === 'function') shown = 'function';
  else shown = String(value);
  return `${shown} of type ${value === null ? 'null' : typeof value}`;
}

/** `Expected a non-empty string for id but received 3 of type number` as a TypeError. */
export function invalidType(name: string, expected: string, received: unknown): TypeError {
  return new TypeError(`Expected ${expected} for ${name} but received ${describe(received)}`);
}

/** The same sentence as a RangeError: right type, value out of range. */
export function invalidRange(name: string, expected: string, received: unknown): RangeError {
  return new RangeError(`Expected ${expected} for ${name} but received ${describe(received)}`);
}

/** Checks an integer in [minimum, maximum] and returns it. */
export function checkInteger(name: string, value: unknown, minimum: number, maximum = Number.MAX_SAFE_INTEGER): number {
  const expected =
    maximum === Number.MAX_SAFE_INTEGER
      ? `integer of at least ${minimum}`
      : `integer between ${minimum} and ${maximum}`;
  if (typeof value !== 'number') throw invalidType(name, expected, value);
  if (!Number.isInteger(value) || value < minimum || value > maximum) throw invalidRange(name, expected, value);
  return value;
}

/** Checks a finite number in [minimum, maximum] and returns it. */
export function checkNumber(name: string, value: unknown, minimum = -Infinity, maximum = Infinity): number {
  const bounds =
    minimum === -Infinity && maximum === Infinity
      ? 'finite number'
      : maximum === Infinity
        ? `finite number of at least ${minimum}`
        : `number between ${minimum} and ${maximum}`;
  if (typeof value !== 'number') throw invalidType(name, bounds, value);
  if (!Number.isFinite(value) || value < minimum || value > maximum) throw invalidRange(name, bounds, value);
  return value;
}

/** Checks membership in a closed list of strings and returns the value. */
export function checkOneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  const expected = `one of ${allowed.map((item) => JSON.stringify(item)).join(', ')}`;
  if (typeof value !== 'string') throw invalidType(name, expected, value);
  if (!(allowed as readonly string[]).includes(value)) throw invalidRange(name, expected, value);
  return value as T;
}
