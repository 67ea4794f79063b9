/** `npm run build:fake-cuda`: the CUDA library over a device that is none, for the tests of test/fake-cuda. */
import path from 'node:path';
import { root } from './setup/content-hash.mjs';
import { run, SetupError, startStep } from './setup/run.mjs';
import { findLibtorch } from './setup/steps.mjs';

async function build() {
  const torch = findLibtorch();
  if (torch === undefined) throw new SetupError('libtorch with its headers is missing; run `npm run setup` first.');
  const shown = startStep('Compiling the CUDA library for the fake device');
  const failure = 'The fake CUDA library could not be compiled; see the errors above.';
  const folder = path.join(root, 'build/fake-cuda');
  const output = path.join(folder, 'Release'); // not beside the addon: what lies there is packed
  try {
    await run(
      'cmake',
      [
        ...['-S', root, '-B', folder, '-DCMAKE_BUILD_TYPE=Release', `-DTORCH_DIR=${torch}`],
        `-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=${output}`,
      ],
      { failure },
    );
    await run('cmake', ['--build', folder, '--target', 'zero_rl_fake_cuda', '--parallel', '2'], {
      failure,
      onLine: (line) => shown.show(/^\[ *(\d+%|\d+\/\d+)\]/.exec(line)?.[1] ?? ''),
    });
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
