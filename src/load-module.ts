/**
 * import() that works where modules run in a context of their own without one: under jest, and with vitest's vmThreads. There
 * Node's own require() loads ES modules too.
 */
import { join } from 'node:path';
import { packageRoot } from './package-root';

/** Whether import() itself is missing, rather than the module. */
function hasNoImport(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    String(error.code).startsWith('ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING')
  );
}

/**
 * @param name a package, or the path of a file
 * @param load imports the same; written out at the call, so that bundlers see it
 */
export async function loadModule<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!hasNoImport(error)) throw error;
    // Not the require of this module, which is the test runner's.
    const { createRequire } = process.getBuiltinModule('node:module');
    return createRequire(join(packageRoot, 'package.json'))(name) as T;
  }
}
