/** An environment from user code that a config names. */
import { checkedPrompt, type Template } from '../data/template';
import { invalidType, ZeroRlError } from '../errors';
import { untilAborted } from '../until-aborted';
import { loadUserCode, userCodeThrew } from '../user-code';
import type { Play } from './ask';
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
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` when it cannot be loaded or is none, `ERR_ZERO_RL_DATA` when the function throws; the
 *   signal's reason when it is aborted
 */
export async function loadEnvironment(reference: string, signal?: AbortSignal): Promise<Environment> {
  const code = await loadUserCode(reference, 'environment', signal);
  const made = await make(reference, code, signal);
  try {
    return checkEnvironment(reference, made);
  } catch (cause) {
    throw new ZeroRlError('ERR_ZERO_RL_CONFIG', (cause as Error).message, { cause });
  }
}

async function make(reference: string, code: unknown, signal: AbortSignal | undefined): Promise<unknown> {
  if (typeof code !== 'function') return code;
  try {
    return await untilAborted(Promise.resolve((code as () => unknown)()), signal);
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw userCodeThrew(`The environment ${reference} threw while it was made`, cause);
  }
}

/** The environment's own `prompt`; undefined where it has none. */
export function environmentTemplate({ environment, name }: Play): Template | undefined {
  if (environment.prompt === undefined) return undefined;
  return (problem) => checkedPrompt(`prompt of the ${name}`, problem, () => environment.prompt?.(problem));
}
