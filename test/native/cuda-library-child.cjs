/** Lists the operators that have kernels for a device, before and after the CUDA library is mapped. */
const { preload } = require('../../binding/index.js');
const { loadNative } = require('../../dist/libtorch/load.js');

const binding = loadNative();
const before = binding.operatorsFor('cuda');
preload(process.argv[2]);
console.log(
  JSON.stringify({ before, cuda: binding.operatorsFor('cuda').sort(), cpu: binding.operatorsFor('cpu').sort() }),
);
