/**
 * Where the package lies: its addon, workers, models and pages are files. That is above this module, unless a bundler has put it
 * elsewhere; then the installed package is looked for, from the bundle, from the program and from the working directory upwards.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

function isPackage(folder: string): boolean {
  try {
    const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: unknown };
    return name === 'zero-rl';
  } catch {
    return false;
  }
}

/** `node_modules/zero-rl` of a folder or of one above it. */
function installedAbove(start: string): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', 'zero-rl');
    if (isPackage(found)) return found;
    if (dirname(folder) === folder) return undefined;
  }
}

/** @param here folder of this module; undefined in a bundle of ES modules */
export function findPackageRoot(here: string | undefined, program: string | undefined, working: string): string {
  if (here !== undefined && isPackage(dirname(here))) return dirname(here);
  for (const start of [here, program && dirname(program), working]) {
    const found = start && installedAbove(start);
    if (found) return found;
  }
  return here === undefined ? working : dirname(here);
}

/** The folder that holds package.json. */
export const packageRoot = findPackageRoot(
  // Bundles of ES modules have none.
  typeof (__dirname as string | undefined) === 'string' ? __dirname : undefined,
  process.argv[1],
  process.cwd(),
);
