/**
 * `npm run build:cuda [-- --arch 90]`: compiles libzero_rl_cuda.so beside the addon. Needs no GPU. The compiler is that of
 * CUDACXX, of PATH or of /usr/local/cuda; where there is none, NVIDIA's wheels of it are installed into the cache with pip.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { findCompiler, installCompiler } from './setup/cuda-compiler.mjs';
import { buildLibrary } from './setup/cmake-library.mjs';
import { contentHash, filesIn, hasStamp, removeStamp, root, writeStamp } from './setup/content-hash.mjs';
import { existsSync } from 'node:fs';
import { SetupError, startStep } from './setup/run.mjs';
import { findLibtorch } from './setup/steps.mjs';

const ARCHITECTURES = ['80', '86', '89', '90', '100', '120'];
const output = path.join(root, 'build/Release');

/** Machine code for each, and of the newest also what later devices compile for themselves. */
function cmakeArchitectures(architectures) {
  const sorted = [...architectures].sort((a, b) => Number(a) - Number(b));
  return sorted.map((arch, i) => (i < sorted.length - 1 ? `${arch}-real` : arch)).join(';');
}

function readArchitectures() {
  const { values } = parseArgs({ options: { arch: { type: 'string', multiple: true } } });
  const architectures = (values.arch ?? ARCHITECTURES).flatMap((value) => value.split(','));
  const wrong = architectures.find((arch) => !/^\d{2,3}$/.test(arch));
  if (wrong !== undefined) {
    throw new SetupError(`Expected compute capabilities such as 80,90 for --arch but received ${wrong}.`);
  }
  return [...new Set(architectures)];
}

async function build() {
  const architectures = cmakeArchitectures(readArchitectures());
  const torch = findLibtorch();
  if (torch === undefined) throw new SetupError('libtorch with its headers is missing; run `npm run setup` first.');
  const sources = filesIn('native', /\.(cc|cu|h|cuh|cmake)$/);
  const hash = contentHash([...sources, 'CMakeLists.txt', 'package.json'], `${torch} ${architectures}`);
  if (existsSync(path.join(output, 'libzero_rl_cuda.so')) && hasStamp('cuda', hash)) return;
  removeStamp('cuda');

  let compiler = findCompiler();
  if (compiler === undefined) {
    const shown = startStep('Installing the CUDA compiler');
    compiler = await installCompiler().finally(() => shown.stop());
  }
  const shown = startStep(`Compiling the CUDA kernels for ${architectures.replaceAll(';', ' ')}`);
  const failure = 'The CUDA kernels could not be compiled; see the errors above.';
  const folder = path.join(root, 'build/cuda');
  try {
    const definitions = [`-DCMAKE_CUDA_COMPILER=${compiler}`, `-DZERO_RL_CUDA_ARCHITECTURES=${architectures}`];
    const jobs = String(Math.min(2, availableParallelism()));
    await buildLibrary({ folder, target: 'zero_rl_cuda', output, torch, definitions, jobs, failure, shown });
    const library = path.join(output, 'libzero_rl_cuda.so');
    spawnSync('strip', ['--strip-unneeded', library]);
    writeStamp('cuda', hash);
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
