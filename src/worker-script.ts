/**
 * Where the file of a worker thread lies. worker_threads reads files itself, so there is none where these sources are run by
 * a transpiler (the unit tests), nor where a bundle has left the package behind: callers then do the work on their own thread.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './package-root';

/** The compiled file of `dist`, named without its ending; null where there is none to run. */
export function workerScript(name: string): string | null {
  if (typeof (__filename as string | undefined) === 'string' && __filename.endsWith('.ts')) return null;
  const file = join(packageRoot, 'dist', `${name}.js`);
  return existsSync(file) ? file : null;
}
