/**
 * Where the file of a worker thread lies. worker_threads reads files itself, so there is none where these sources are run by
 * a transpiler (the unit tests): callers then do the work on their own thread.
 */
import { join } from 'node:path';

/** The compiled `<name>.js` in `folder` (a `__dirname`); null where TypeScript sources are run. */
export function workerScript(folder: string, name: string): string | null {
  return __filename.endsWith('.ts') ? null : join(folder, `${name}.js`);
}
