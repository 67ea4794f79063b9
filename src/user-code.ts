/** User code named in a config: `./my.mjs#name` is the export `name` (default: the default export) of that module. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ZeroRlError } from './errors';
import { loadModule } from './load-module';
import { nearest } from './nearest';
import { untilAborted } from './until-aborted';

const USER_CODE = /^(.+\.[cm]?js)(?:#([\w$]+))?$/;

export function isUserCode(reference: string): boolean {
  return USER_CODE.test(reference);
}

/** The same reference with an absolute path; relative ones count from the working directory. */
export function resolveUserCode(reference: string): string {
  const match: (string | undefined)[] | null = USER_CODE.exec(reference);
  return match?.[1] === undefined ? reference : `${resolve(match[1])}${match[2] === undefined ? '' : `#${match[2]}`}`;
}

/**
 * Loads the export. It runs with the rights of this process.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` when the module cannot be loaded or has no such export; the signal's
 *   reason when it is aborted meanwhile, for the module may wait for something.
 */
export async function loadUserCode(reference: string, purpose: string, signal?: AbortSignal): Promise<unknown> {
  const match: (string | undefined)[] | null = USER_CODE.exec(reference);
  const file = match?.[1];
  if (file === undefined) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_CONFIG',
      `Expected ./file.mjs#name for the ${purpose} but received ${JSON.stringify(reference)}`,
    );
  }
  const name = match?.[2] ?? 'default';
  let exported: Record<string, unknown>;
  try {
    const url = pathToFileURL(resolve(file)).href;
    const load = (): Promise<unknown> => import(/* webpackIgnore: true */ url);
    exported = (await untilAborted(loadModule(url, load), signal)) as Record<string, unknown>;
  } catch (cause) {
    if (signal?.aborted) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ZeroRlError('ERR_ZERO_RL_CONFIG', `Cannot load the ${purpose} ${reference}: ${message}`, { cause });
  }
  if (!(name in exported)) {
    const names = Object.keys(exported);
    const near = nearest(name, names);
    throw new ZeroRlError(
      'ERR_ZERO_RL_CONFIG',
      `${file} exports no ${name} for the ${purpose}${near ? ` (did you mean "${near}"?)` : ` (it exports ${names.join(', ') || 'nothing'})`}`,
    );
  }
  return exported[name];
}

/** What user code threw, as one error; `what` says whose code and on what, such as `The reward threw on sample 0`. */
export function userCodeThrew(what: string, cause: unknown): ZeroRlError {
  const message =
    typeof cause === 'object' && cause !== null && 'message' in cause ? String(cause.message) : String(cause);
  return new ZeroRlError('ERR_ZERO_RL_DATA', `${what}: ${message}`, { cause });
}
