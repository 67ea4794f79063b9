/** The README states the versions that package.json holds. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { minimumNode, pin } from '../../../src/libtorch/pin';
import { packageRoot } from '../../../src/package-root';

test.each([
  `libtorch ${pin.torch}`,
  `torch ${pin.torch}`,
  `glibc ${pin.glibc}`,
  `GLIBCXX_${pin.glibcxx}`,
  `Node ${minimumNode}`,
])('%s', (text) => {
  expect(readFileSync(path.join(packageRoot, 'README.md'), 'utf8')).toContain(text);
});
