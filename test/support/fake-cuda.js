/** Before the suites of the project `fake-cuda`: policies on the CPU run on a CUDA device that is none (test/fake-cuda). */
const path = require('node:path');
const { preload } = require('../../binding/index.js');
const { loadNative } = require('../../dist/libtorch/load.js');

loadNative();
preload(path.join(__dirname, '..', '..', 'build', 'fake-cuda', 'Release', 'libzero_rl_fake_cuda.so'));
process.env.ZERO_RL_TEST_DEVICE_ENGINE = 'cuda:0';
