/** `npm run build:fake-cuda`: the CUDA library over a device that is none, for the tests of test/fake-cuda. */
import path from 'node:path';
import { buildLibrary } from './setup/cmake-library.mjs';
import { root } from './setup/content-hash.mjs';
import { SetupError, startStep } from './setup/run.mjs';
import { findLibtorch } from './setup/steps.mjs';

async function build() {
  const torch = findLibtorch();
  if (torch === undefined) throw new SetupError('libtorch with its headers is missing; run `npm run setup` first.');
  const shown = startStep('Compiling the CUDA library for the fake device');
  const failure = 'The fake CUDA library could not be compiled; see the errors above.';
  const folder = path.join(root, 'build/fake-cuda');
  const output = path.join(folder, 'Release'); // not beside the addon: what lies there is packed
  try {
    await buildLibrary({ folder, target: 'zero_rl_fake_cuda', output, torch, failure, shown });
    shown.done();
  } catch (error) {
    shown.stop();
    throw error;
  }
}

try {
  await build();
} catch (error) {
  process.stderr.write(`${error instanceof SetupError ? `zero-rl: ${error.message}` : error.stack}\n`);
  process.exitCode = 1;
}
