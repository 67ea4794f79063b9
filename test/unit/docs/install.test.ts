/** The README states the versions that package.json holds. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { minimumNode, packageRoot, pin } from '../../../src/libtorch/pin';

test.each([
  `libtorch ${pin.torch}`,
  `torch ${pin.torch}`,
  `glibc ${pin.glibc}`,
  `GLIBCXX_${pin.glibcxx}`,
  `Node ${minimumNode}`,
])('%s', (text) => {
  expect(readFileSync(path.join(packageRoot, 'README.md'), 'utf8')).toContain(text);
});
