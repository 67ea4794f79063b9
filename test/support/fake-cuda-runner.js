/** A child process of its own: libtorch asks once whether there is a CUDA device. */
module.exports = class FakeCudaRunner extends require('./one-worker-runner') {};
