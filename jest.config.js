/**
 * One project per tier: unit needs no addon, native loads it, process starts child processes, browser drives Chromium; device
 * runs the operators of devices on the CPU, through tests of its own and those of test/native that say what an engine computes;
 * fake-cuda runs it on a CUDA device that is none, where `npm run build:fake-cuda` has made one.
 */
const { existsSync } = require('node:fs');
const path = require('node:path');

// Tests run in child processes, which take these flags over: user code named in a config is loaded by import().
process.env.NODE_OPTIONS = '--experimental-vm-modules --disable-warning=ExperimentalWarning';

const transform = { '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.json', transpilation: true, diagnostics: false }] };

const PROPERTY_SEED = '<rootDir>/test/support/property-seed.js';

const project = (name, extra = {}) => ({
  displayName: name,
  testEnvironment: 'node',
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/build/', '<rootDir>/runs/', '<rootDir>/.setup/'],
  setupFiles: [PROPERTY_SEED],
  moduleNameMapper: { '^zero-rl$': '<rootDir>/src/index.ts' },
  transform,
  ...extra,
});

const oneWorker = { runner: '<rootDir>/test/support/one-worker-runner.js' };

const ENGINE_TESTS =
  'exact-savings,golden-{logits,objectives,save,steps,truncation},master-weights,multi-turn,policy-{save,stream},sampling-*';

const onDevice = {
  ...oneWorker,
  testMatch: [`<rootDir>/test/native/{${ENGINE_TESTS}}.test.ts`, '<rootDir>/test/device/**/*.test.ts'],
  setupFiles: [PROPERTY_SEED, '<rootDir>/test/support/device-engine.js'],
};

const onFakeCuda = {
  runner: '<rootDir>/test/support/fake-cuda-runner.js',
  setupFiles: [PROPERTY_SEED, '<rootDir>/test/support/fake-cuda.js'],
};
const hasFakeCuda = existsSync(path.join(__dirname, 'build', 'fake-cuda', 'Release', 'libzero_rl_fake_cuda.so'));

module.exports = {
  // A memory limit makes jest use child processes even where one worker would do.
  workerIdleMemoryLimit: '2GB',
  maxWorkers: '100%',
  testTimeout: 60_000,
  projects: [
    project('unit'),
    project('native', oneWorker),
    project('device', onDevice),
    ...(hasFakeCuda ? [project('fake-cuda', onFakeCuda)] : []),
    project('process', oneWorker),
    project('browser', oneWorker),
  ],
};
