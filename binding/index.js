'use strict';
/**
 * Loads the addon: first libtorch by path, so that the dynamic linker finds its libraries by name when the addon, which
 * has no RPATH, asks for them; then the addon itself. Knows nothing about where libtorch comes from: see src/libtorch.
 */
const { existsSync, readdirSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const nodeGypBuild = require('node-gyp-build');

// glibc's flag: the library stays mapped after Node closes its handle.
const RTLD_NODELETE = 0x1000;
const FLAGS = os.constants.dlopen.RTLD_NOW | RTLD_NODELETE;

// The order matters: a library comes after those that it must not pick up from elsewhere on the system.
const NVIDIA_LIBRARIES = ['libcudart', 'libnvJitLink', 'libcublasLt', 'libcublas', 'libcusparse', 'libcudnn'];

/** The package, where a caller does not say where it is: bundlers put this file elsewhere, and ES modules have no __dirname. */
const packageAbove = () => path.join(__dirname, '..');

/** Maps a shared library for the rest of the process. Node refuses it as "no addon" after it has been mapped. */
function preload(file) {
  try {
    process.dlopen({ exports: {} }, file, FLAGS);
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
 * @returns what takes the variable away again
 */
function setShortSpins() {
  const unset = process.env.GOMP_SPINCOUNT === undefined && process.env.OMP_WAIT_POLICY === undefined;
  if (!unset) return () => {};
  process.env.GOMP_SPINCOUNT = '1000';
  return () => delete process.env.GOMP_SPINCOUNT;
}

const libtorchFiles = (directory) => ['libc10.so', 'libtorch_cpu.so'].map((name) => path.join(directory, 'lib', name));

function mapLibtorch(directory) {
  const restore = setShortSpins();
  try {
    libtorchFiles(directory).forEach(preload);
  } finally {
    restore();
  }
}

/** @type {import('./index').mapCuda} */
function mapCuda(directory, root) {
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
  preload(cudaLibraryPath(root));
}

// Run as text, since a bundle has no file for it. What cannot be mapped is said by those who map it again.
const MAPPER = `
  const { files, flags } = require('node:worker_threads').workerData;
  for (const file of files) {
    try {
      process.dlopen({ exports: {} }, file, flags);
    } catch {}
  }
`;

/** @type {import('./index').mapInBackground} */
function mapInBackground({ directory, cuda }) {
  const libtorch = libtorchFiles(directory);
  const files = cuda
    ? ['libcuda.so.1', ...libtorch, ...nvidiaLibraries(directory), path.join(directory, 'lib', 'libtorch_cuda.so')]
    : libtorch;
  return new Promise((resolve) => {
    const restore = setShortSpins();
    const done = () => {
      restore();
      resolve();
    };
    try {
      const workerData = { files, flags: FLAGS };
      const worker = new Worker(MAPPER, { eval: true, workerData, execArgv: [], stdin: false });
      worker.once('error', done).once('exit', done);
    } catch {
      // A process that may start no threads of Node maps on its own.
      done();
    }
  });
}

/** @type {import('./index').load} */
function load({ directory, root = packageAbove() }) {
  mapLibtorch(directory);
  return nodeGypBuild(root);
}

/** @type {import('./index').addonPath} */
function addonPath(root = packageAbove()) {
  try {
    return nodeGypBuild.resolve(root);
  } catch {
    return undefined;
  }
}

/** @type {import('./index').cudaLibraryPath} */
function cudaLibraryPath(root) {
  const addon = addonPath(root);
  const file = addon && path.join(path.dirname(addon), 'libzero_rl_cuda.so');
  return file && existsSync(file) ? file : undefined;
}

module.exports = { load, mapCuda, mapInBackground, addonPath, cudaLibraryPath, preload };
