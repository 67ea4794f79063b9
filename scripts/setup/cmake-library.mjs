/** Libraries that CMake builds beside the addon, in folders of their own. */
import { root } from './content-hash.mjs';
import { run } from './run.mjs';

/** Configures `folder` and builds `target` into `output`; `shown` is the step that shows the progress. */
export async function buildLibrary({ folder, target, output, torch, definitions = [], jobs = '2', failure, shown }) {
  await run(
    'cmake',
    [
      ...['-S', root, '-B', folder, '-DCMAKE_BUILD_TYPE=Release', `-DTORCH_DIR=${torch}`],
      ...definitions,
      `-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=${output}`,
    ],
    { failure },
  );
  await run('cmake', ['--build', folder, '--target', target, '--parallel', jobs], {
    failure,
    onLine: (line) => shown.show(/^\[ *(\d+%|\d+\/\d+)\]/.exec(line)?.[1] ?? ''),
  });
}
