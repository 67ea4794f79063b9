/** Compares operators of devices with their twins: JSON cases in, differences out. Maps CUDA when told so. */
const { readFileSync } = require('node:fs');
const { loadNative } = require('../../dist/libtorch/load.js');

async function main() {
  if (process.argv[2] === 'cuda') require('../../dist/libtorch/load-cuda.js').loadCuda();
  const binding = loadNative();
  const results = [];
  for (const request of JSON.parse(readFileSync(0, 'utf8'))) {
    results.push(await binding.compareOperator({ seed: 7, samples: 0, seconds: 0, compare: true, ...request }));
  }
  console.log(JSON.stringify({ operators: binding.operatorsFor('cpu'), results }));
}

void main();
