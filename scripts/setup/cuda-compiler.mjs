/** nvcc: the one that is there, or NVIDIA's wheels of it, put into the cache by pip. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { root } from './content-hash.mjs';
import { run, SetupError } from './run.mjs';

const require = createRequire(import.meta.url);

function installation() {
  const { cacheDirectory } = require(path.join(root, 'dist/libtorch/cache.js'));
  return path.join(cacheDirectory(), 'cuda-compiler', '13.0');
}

const nvccIn = (directory) => path.join(directory, 'nvidia/cu13/bin/nvcc');

/** The path of a CUDA 13 compiler, or undefined. */
export function findCompiler() {
  const found = [process.env.CUDACXX, 'nvcc', '/usr/local/cuda/bin/nvcc', nvccIn(installation())].find((command) => {
    if (!command) return false;
    const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    return status === 0 && /release 13\./.test(stdout);
  });
  if (process.env.CUDACXX && found !== process.env.CUDACXX) {
    throw new SetupError(`CUDACXX names ${process.env.CUDACXX}, which is no nvcc of CUDA 13.`);
  }
  if (found !== 'nvcc') return found;
  return spawnSync('sh', ['-c', 'command -v nvcc'], { encoding: 'utf8' }).stdout.trim();
}

/** Installs the wheels that package.json names and returns the path of nvcc. */
export async function installCompiler() {
  const { findPip } = require(path.join(root, 'dist/libtorch/fetch-wheels.js'));
  const pip = findPip();
  if (pip === undefined) {
    throw new SetupError(
      'nvcc of CUDA 13 is missing, and so is pip to install it; install a CUDA toolkit or Python with pip.',
    );
  }
  const wheels = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).zeroRl.cudaCompiler;
  const directory = installation();
  const temporary = `${directory}.${process.pid}`;
  mkdirSync(path.dirname(directory), { recursive: true });
  const [command, ...prefix] = pip;
  try {
    await run(
      command,
      [...prefix, 'install', '--quiet', '--no-deps', '--only-binary=:all:', '--target', temporary, ...wheels],
      { failure: 'pip could not install the CUDA compiler; check the network and the settings of pip.' },
    );
    const toolkit = path.join(temporary, 'nvidia/cu13');
    for (const folder of ['bin', 'nvvm/bin']) {
      for (const file of readdirSync(path.join(toolkit, folder), { withFileTypes: true })) {
        if (file.isFile()) chmodSync(path.join(toolkit, folder, file.name), 0o755);
      }
    }
    // Where nvcc looks for the libraries of the runtime.
    if (!existsSync(path.join(toolkit, 'lib64'))) symlinkSync('lib', path.join(toolkit, 'lib64'));
    rmSync(directory, { recursive: true, force: true });
    renameSync(temporary, directory);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return nvccIn(directory);
}
