/**
 * import() that works where modules run in a context of their own without one: under jest, and with vitest's vmThreads. There
 * a script of the main context imports instead.
 */
import { join } from 'node:path';
import { constants, Script } from 'node:vm';
import { packageRoot } from './package-root';

/** Codes of an import() that cannot import, rather than of the module: without a callback, or with no place to resolve from. */
const NO_IMPORT = /^ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING|^ERR_INVALID_URL$/;

function hasNoImport(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && NO_IMPORT.test(String(error.code));
}

/** import() of the main context; names are looked for from this package. */
function importInMainContext(specifier: string): Promise<unknown> {
  const script = new Script('(specifier) => import(specifier)', {
    filename: join(packageRoot, 'import.js'),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return (script.runInThisContext() as (specifier: string) => Promise<unknown>)(specifier);
}

/**
 * @param specifier a package, or the URL of a file
 * @param load imports the same; written out at the call, so that bundlers see it
 */
export async function loadModule<T>(specifier: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!hasNoImport(error)) throw error;
    return (await importInMainContext(specifier)) as T;
  }
}
