/** Folders that look like libtorch, for tests of what is accepted and refused. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Writes files below a new temporary folder (or `folder`) and returns it. */
export function writeFiles(
  files: Record<string, string>,
  folder = mkdtempSync(path.join(tmpdir(), 'zero-rl-test-')),
): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

/** The files of a torch folder of the wheel's layout. The library is no library. */
export function wheelFiles(version: string): Record<string, string> {
  return {
    'version.py': `from typing import Optional\n\n__version__ = '${version}'\ncuda: Optional[str] = '13.0'\n`,
    'lib/libtorch_cpu.so': 'not a library',
    'lib/libc10.so': 'not a library',
    'include/torch/headeronly/version.h': `#define TORCH_VERSION \\\n  "${version.split('+')[0]}"\n`,
  };
}
