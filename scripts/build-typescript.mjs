/**
 * Compiles src/ to dist/: the page of the dashboard for browsers, then the package for Node. The page comes first since tsc
 * also writes the types that it shares with the server, which the server needs in its own module format.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = 'observe/dashboard/page';
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

for (const project of [`src/${page}`, 'tsconfig.build.json']) {
  const emit = project === 'tsconfig.build.json' ? [] : ['--noEmit', 'false'];
  const { status } = spawnSync(process.execPath, [tsc, '-p', project, ...emit], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}
mkdirSync(path.join(root, 'dist', page), { recursive: true });
for (const name of ['index.html', 'style.css'])
  copyFileSync(path.join(root, 'src', page, name), path.join(root, 'dist', page, name));
