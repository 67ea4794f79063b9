/** An environment from user code that a config names. */
import { invalidType, ZeroRlError } from '../errors';
import { loadUserCode } from '../user-code';
import type { Environment } from './environment';

/** @throws TypeError naming what is missing */
export function checkEnvironment(name: string, value: unknown): Environment {
  const environment = value as Partial<Environment> | null | undefined;
  if (typeof environment !== 'object' || environment === null || typeof environment.respond !== 'function')
    throw invalidType(name, 'object with a function respond', value);
  for (const key of ['prompt', 'reward'] as const) {
    const member: unknown = environment[key];
    if (member !== undefined && typeof member !== 'function') throw invalidType(`${name}.${key}`, 'function', member);
  }
  return environment as Environment;
}

/**
 * The environment `./my.mjs#name`: an object, or a function that makes one.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` when it cannot be loaded or is none
 */
export async function loadEnvironment(reference: string): Promise<Environment> {
  const code = await loadUserCode(reference, 'environment');
  const made: unknown = typeof code === 'function' ? await (code as () => unknown)() : code;
  try {
    return checkEnvironment(reference, made);
  } catch (cause) {
    throw new ZeroRlError('ERR_ZERO_RL_CONFIG', (cause as Error).message, { cause });
  }
}
