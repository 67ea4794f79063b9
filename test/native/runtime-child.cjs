/** Lets one of the engine's threads run out of memory, each in turn, and says what the caller sees and that work goes on. */
const { loadNative } = require('../../dist/libtorch/load.js');

async function main() {
  const { poolFailure } = loadNative();
  const seen = [];
  for (const failing of [0, 1, 2]) {
    await poolFailure(3, failing).catch(({ code, message }) => seen.push(`${code}: ${message}`));
    seen.push(await poolFailure(3, -1));
  }
  console.log(JSON.stringify(seen));
}

void main();
