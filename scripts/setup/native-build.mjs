/** Builds the addon with cmake-js, and says in one sentence which tool is missing. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, freemem } from 'node:os';
import path from 'node:path';
import { contentHash, filesIn, hasStamp, removeStamp, root, writeStamp } from './content-hash.mjs';
import { run, SetupError } from './run.mjs';

const require = createRequire(import.meta.url);
const addon = path.join(root, 'build/Release/zero_rl.node');
const MINIMUM = { cmake: '3.20', gcc: '11' };
/** What one compiler process takes at most with libtorch's headers. */
const COMPILER_BYTES = 1.2e9;

function hash(torchDirectory) {
  const sources = [...filesIn('native', /\.(cc|h|cuh)$/), ...filesIn('binding', /\.(cc|h)$/)];
  return contentHash([...sources, 'CMakeLists.txt', 'package.json'], torchDirectory);
}

function version(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? (/\d+(\.\d+)*/.exec(stdout)?.[0] ?? '') : undefined;
}

function isOlder(found, minimum) {
  return found.localeCompare(minimum, 'en', { numeric: true }) < 0;
}

/** @throws {SetupError} naming the first tool that is missing or too old */
export function checkTools() {
  const cmake = version('cmake', ['--version']);
  if (cmake === undefined || isOlder(cmake, MINIMUM.cmake)) {
    throw new SetupError(
      `CMake ${MINIMUM.cmake} or newer is needed to build the native addon and ${cmake === undefined ? 'is missing' : `${cmake} was found`}; ` +
        'install it (Debian, Ubuntu: apt-get install cmake; or pip install cmake).',
    );
  }
  const compiler = process.env.CXX || ['c++', 'g++'].find((name) => version(name, ['-dumpversion']) !== undefined);
  const gcc = compiler === undefined ? undefined : version(compiler, ['-dumpfullversion', '-dumpversion']);
  if (gcc === undefined || isOlder(gcc, MINIMUM.gcc)) {
    throw new SetupError(
      `g++ ${MINIMUM.gcc} or newer is needed to build the native addon and ${gcc === undefined ? 'is missing' : `${gcc} was found`}; ` +
        'install it (Debian, Ubuntu: apt-get install g++) or name another one in CXX.',
    );
  }
  const hasGenerator = ['make', 'ninja'].some((name) => version(name, ['--version']) !== undefined);
  if (!hasGenerator) {
    throw new SetupError(
      'make or ninja is needed to build the native addon; install one (Debian, Ubuntu: apt-get install make).',
    );
  }
}

/** What CMake remembers, or undefined before the first build. */
function cached(variable) {
  const file = path.join(root, 'build/CMakeCache.txt');
  if (!existsSync(file)) return undefined;
  return new RegExp(`^${variable}:[A-Z]+=(.*)$`, 'm').exec(readFileSync(file, 'utf8'))?.[1];
}

export const nativeBuild = {
  /** Whether an addon is there, current or not. */
  mayBeDone: () => existsSync(addon),
  isDone: (torchDirectory) => existsSync(addon) && hasStamp('native', hash(torchDirectory)),

  async run(torchDirectory, show = () => {}) {
    checkTools();
    const before = hash(torchDirectory);
    removeStamp('native');
    const moved = cached('CMAKE_HOME_DIRECTORY') !== undefined && cached('CMAKE_HOME_DIRECTORY') !== root;
    if (moved) rmSync(path.join(root, 'build'), { recursive: true });
    const cmakeJs = (command, ...more) =>
      run(
        process.execPath,
        [require.resolve('cmake-js/bin/cmake-js'), command, `--CDTORCH_DIR=${torchDirectory}`, ...more],
        {
          cwd: root,
          failure: 'The native addon could not be built; see the errors above.',
          onLine(line) {
            const ninja = /^\[(\d+)\/(\d+)\]/.exec(line);
            const make = /^\[\s*(\d+)%\]/.exec(line);
            if (ninja) show(`${ninja[1]} of ${ninja[2]}`);
            else if (make) show(`${make[1]} %`);
          },
        },
      );
    if (cached('TORCH_DIR') !== torchDirectory) await cmakeJs('configure');
    const jobs = Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / COMPILER_BYTES)));
    await cmakeJs('build', '--parallel', String(jobs));
    writeStamp('native', before);
  },
};
