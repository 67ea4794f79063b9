/**
 * `node scripts/check-cuda.mjs`: whether the kernels of the libzero_rl_cuda.so that `npm run build:cuda` left can start on
 * every device that it has code for, and keep their values in registers. Needs no GPU. cuobjdump is that of PATH or of
 * /usr/local/cuda; where there is none, NVIDIA's wheel of it (1 MB) is installed into the cache with pip.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { root } from './setup/content-hash.mjs';
import { run, SetupError } from './setup/run.mjs';

const require = createRequire(import.meta.url);

const WHEEL = 'nvidia-cuda-cuobjdump==13.2.51'; // the oldest there is
const REGISTERS = 65_536; // of a block, on every device from compute capability 8.0 on
const STATIC_SHARED = 1 << 10; // most_declared of kernels/cuda_launch.cuh
const RESERVED_SHARED = 1 << 10; // what the device takes of each block from 8.0 on

/** Threads of the blocks of run_blocks: kMaxThreads of the body where it is not the most that there are. */
const THREADS = { DecodeSplitBody: 128 };
const MOST_THREADS = 512;

/** Bytes of local memory that a thread may use: spills around calls of exp and log, or sums that do not fit the registers. */
const STACKS = { SampleBody: 64, DecodeSplitBody: 64 };

async function findCuobjdump() {
  const found = ['cuobjdump', '/usr/local/cuda/bin/cuobjdump'].find(
    (command) => spawnSync(command, ['--version']).status === 0,
  );
  if (found !== undefined) return found;
  const { cacheDirectory } = require(path.join(root, 'dist/libtorch/cache.js'));
  const directory = path.join(cacheDirectory(), 'cuda-compiler', WHEEL);
  const command = path.join('nvidia/cu13/bin/cuobjdump');
  if (!existsSync(directory)) {
    const pip = require(path.join(root, 'dist/libtorch/fetch-wheels.js')).findPip();
    if (pip === undefined) throw new SetupError('cuobjdump is missing, and so is pip to install it.');
    const temporary = `${directory}.${process.pid}`;
    mkdirSync(path.dirname(directory), { recursive: true });
    try {
      const options = ['--quiet', '--no-deps', '--only-binary=:all:', '--target', temporary];
      await run(pip[0], [...pip.slice(1), 'install', ...options, WHEEL], {
        failure: 'pip could not install cuobjdump; check the network and the settings of pip.',
      });
      chmodSync(path.join(temporary, command), 0o755);
      renameSync(temporary, directory);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  }
  return path.join(directory, command);
}

/** Kernels with their numbers: { name, architecture, REG, STACK, SHARED, LOCAL }. */
function kernelsOf(listing) {
  const kernels = [];
  let architecture = '';
  let name = '';
  for (const line of listing.split('\n')) {
    architecture = /^arch = (\S+)/.exec(line)?.[1] ?? architecture;
    name = /^ Function (\S+):/.exec(line)?.[1] ?? name;
    const numbers = [...line.matchAll(/\b(REG|STACK|SHARED|LOCAL):(\d+)/g)].map(([, key, value]) => [
      key,
      Number(value),
    ]);
    if (numbers.length === 4) kernels.push({ name, architecture, ...Object.fromEntries(numbers) });
  }
  return kernels;
}

function problemsOf(kernel) {
  const body = /\d+([A-Za-z]+Body)/.exec(kernel.name)?.[1] ?? '';
  const threads = kernel.name.includes('run_blocks') ? (THREADS[body] ?? MOST_THREADS) : 256;
  const registers = Math.ceil(kernel.REG / 8) * 8 * threads;
  const problems = [];
  if (registers > REGISTERS) problems.push(`${threads} threads take ${registers} registers`);
  if (kernel.STACK + kernel.LOCAL > (STACKS[body] ?? 0)) {
    problems.push(`a thread takes ${kernel.STACK + kernel.LOCAL} bytes of local memory`);
  }
  if (kernel.SHARED - RESERVED_SHARED > STATIC_SHARED)
    problems.push(`${kernel.SHARED} bytes of shared memory are static`);
  return problems;
}

async function check() {
  const library = path.join(root, 'build/Release/libzero_rl_cuda.so');
  if (!existsSync(library)) throw new SetupError(`${library} is missing; run \`npm run build:cuda\` first.`);
  const { status, stdout, stderr } = spawnSync(await findCuobjdump(), ['--dump-resource-usage', library], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new SetupError(`cuobjdump failed: ${stderr}`);
  const kernels = kernelsOf(stdout);
  if (kernels.length === 0) throw new SetupError(`${library} has no kernels.`);
  const failures = kernels.flatMap((kernel) =>
    problemsOf(kernel).map((problem) => `${kernel.architecture} ${kernel.name}: ${problem}`),
  );
  if (failures.length > 0) throw new SetupError(`kernels that may not start or are slow:\n${failures.join('\n')}`);
  const most = Math.max(...kernels.map((kernel) => kernel.REG));
  console.log(`${kernels.length} kernels keep to their registers, of which one has at most ${most}.`);
}

try {
  await check();
} catch (error) {
  process.stderr.write(`${error instanceof SetupError ? `zero-rl: ${error.message}` : error.stack}\n`);
  process.exitCode = 1;
}
