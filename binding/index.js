'use strict';
/**
 * Loads the addon: first libtorch by path, so that the dynamic linker finds its libraries by name when the addon, which
 * has no RPATH, asks for them; then the addon itself. Knows nothing about where libtorch comes from: see src/libtorch.
 */
const { existsSync, readdirSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const nodeGypBuild = require('node-gyp-build');

const packageRoot = path.join(__dirname, '..');

// glibc's flag: the library stays mapped after Node closes its handle.
const RTLD_NODELETE = 0x1000;

// The order matters: a library comes after those that it must not pick up from elsewhere on the system.
const NVIDIA_LIBRARIES = ['libcudart', 'libnvJitLink', 'libcublasLt', 'libcublas', 'libcusparse', 'libcudnn'];

/** Maps a shared library for the rest of the process. Node refuses it as "no addon" after it has been mapped. */
function preload(file) {
  try {
    process.dlopen({ exports: {} }, file, os.constants.dlopen.RTLD_NOW | RTLD_NODELETE);
  } catch (error) {
    if (!/did not self-register/.test(error.message)) throw error;
  }
}

function nvidiaLibraries(torchDirectory) {
  const root = path.join(torchDirectory, '..', 'nvidia');
  const list = (directory) => {
    try {
      return readdirSync(directory).map((name) => path.join(directory, name));
    } catch {
      return [];
    }
  };
  const files = list(root).flatMap((directory) => list(path.join(directory, 'lib')));
  return NVIDIA_LIBRARIES.flatMap((name) => files.filter((file) => path.basename(file).startsWith(`${name}.so.`)));
}

/**
 * OpenMP's threads spin for milliseconds at every barrier unless told otherwise, which costs a factor of ten wherever the
 * event loop or another process wants a core. The runtime reads the variable as it is mapped; children do not inherit it.
 */
function withShortSpins(map) {
  const unset = process.env.GOMP_SPINCOUNT === undefined && process.env.OMP_WAIT_POLICY === undefined;
  if (unset) process.env.GOMP_SPINCOUNT = '1000';
  try {
    map();
  } finally {
    if (unset) delete process.env.GOMP_SPINCOUNT;
  }
}

function mapLibtorch(directory) {
  withShortSpins(() => {
    preload(path.join(directory, 'lib', 'libc10.so'));
    preload(path.join(directory, 'lib', 'libtorch_cpu.so'));
  });
}

/** @type {import('./index').mapCuda} */
function mapCuda(directory) {
  preload('libcuda.so.1');
  mapLibtorch(directory);
  for (const file of nvidiaLibraries(directory)) {
    try {
      preload(file);
    } catch {
      // Best effort: libtorch_cuda has its own search path and reports what it misses.
    }
  }
  preload(path.join(directory, 'lib', 'libtorch_cuda.so'));
  preload(cudaLibraryPath());
}

/** @type {import('./index').load} */
function load({ directory }) {
  mapLibtorch(directory);
  return nodeGypBuild(packageRoot);
}

/** @type {import('./index').addonPath} */
function addonPath() {
  try {
    return nodeGypBuild.resolve(packageRoot);
  } catch {
    return undefined;
  }
}

/** @type {import('./index').cudaLibraryPath} */
function cudaLibraryPath() {
  const addon = addonPath();
  const file = addon && path.join(path.dirname(addon), 'libzero_rl_cuda.so');
  return file && existsSync(file) ? file : undefined;
}

module.exports = { load, mapCuda, addonPath, cudaLibraryPath, preload };
