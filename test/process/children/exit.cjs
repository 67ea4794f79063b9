/** Ends in the way and the state that the arguments name: `<normal|exit|throw|wait> <idle|busy|disposed>`. */
const { loadNative } = require('../../../dist/libtorch/load.js');
const { createPolicy, compute, startEndlessWork } = require('./policy.cjs');

const [ending, state] = process.argv.slice(2);

async function main() {
  loadNative().reportExit();
  const policy = await createPolicy();
  await compute(policy);
  if (state === 'disposed') policy.dispose();
  if (state === 'busy') globalThis.stream = await startEndlessWork(policy);
  console.log('ready');
  if (ending === 'exit') process.exit(7);
  if (ending === 'throw') {
    setImmediate(() => {
      throw new Error('thrown on purpose');
    });
  }
  if (ending === 'wait') setInterval(() => {}, 1000);
}

void main();
