/** Checks that an options object has known keys only; a misspelt option would otherwise be a silent default. */
import { invalidRange, invalidType } from '../errors';
import { nearest } from '../nearest';

/**
 * Returns `options` (an empty object for undefined) after the check. An unknown key is a RangeError that names the
 * nearest valid one.
 */
export function checkOptions<T extends object>(
  name: string,
  options: T | undefined,
  allowed: readonly (keyof T & string)[],
): T {
  if (options === undefined) return {} as T;
  if (typeof options !== 'object' || (options as unknown) === null || Array.isArray(options)) {
    throw invalidType(name, 'object', options);
  }
  for (const key of Object.keys(options)) {
    if ((allowed as readonly string[]).includes(key)) continue;
    const near = nearest(key, allowed);
    const hint = near === undefined ? `the keys ${allowed.join(', ')}` : `known keys (did you mean "${near}"?)`;
    throw invalidRange(name, `only ${hint}`, key);
  }
  return options;
}
