/** Where the package is looked for. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPackageRoot } from '../../src/package-root';

let base: string;
const installed = (folder: string, name = 'zero-rl'): string => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name }));
  return folder;
};
beforeEach(() => (base = mkdtempSync(join(tmpdir(), 'zero-rl-test-'))));
afterEach(() => rmSync(base, { recursive: true }));

test('above the module, as it is installed', () => {
  const root = installed(join(base, 'zero-rl'));
  installed(join(base, 'node_modules/zero-rl'));
  expect(findPackageRoot(join(root, 'dist'), undefined, base)).toBe(root);
});

test('a bundle finds the installed package above itself, above the program, or above the working directory', () => {
  const root = installed(join(base, 'app/node_modules/zero-rl'));
  installed(join(base, 'app'), 'app');
  const elsewhere = join(base, 'elsewhere');
  expect(findPackageRoot(join(base, 'app/out'), undefined, elsewhere)).toBe(root);
  expect(findPackageRoot(undefined, join(base, 'app/out/deep/bundle.mjs'), elsewhere)).toBe(root);
  expect(findPackageRoot(undefined, undefined, join(base, 'app/src'))).toBe(root);
});

test('without one it is where the package would be, so that what is missing is said at its use', () => {
  installed(join(base, 'app'), 'app');
  expect(findPackageRoot(join(base, 'app/out'), undefined, base)).toBe(join(base, 'app'));
  expect(findPackageRoot(undefined, undefined, base)).toBe(base);
});
