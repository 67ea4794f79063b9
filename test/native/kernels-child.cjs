/** Compares kernels with their ATen twins in the instruction set that ZERO_RL_ISA names: JSON cases in, differences out. */
const { readFileSync } = require('node:fs');
const { loadNative } = require('../../dist/libtorch/load.js');

async function main() {
  const binding = loadNative();
  const results = [];
  for (const request of JSON.parse(readFileSync(0, 'utf8'))) {
    const run = await binding.runKernel({ seed: 7, samples: 0, seconds: 0, compare: true, ...request });
    results.push(run.differences);
  }
  console.log(JSON.stringify({ instructionSet: binding.instructionSet, results }));
}

void main();
