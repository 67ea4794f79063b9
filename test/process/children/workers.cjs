/** Loads the addon in worker threads as the argument says, and prints `done` when the main thread still computes. */
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { loadNative } = require('../../../dist/libtorch/load.js');
const { createPolicy, compute, startEndlessWork } = require('./policy.cjs');

async function inWorker() {
  if (workerData === 'queued') {
    // Behind the endless work of the main thread.
    void loadNative().poolFailure(1, -1);
    return parentPort.postMessage(null);
  }
  const policy = await createPolicy();
  const value = await compute(policy);
  if (workerData === 'busy') globalThis.stream = await startEndlessWork(policy);
  parentPort.postMessage(value);
}

/** The worker's first message, with the worker. */
function start(state) {
  const worker = new Worker(__filename, { workerData: state });
  return new Promise((resolve, reject) => {
    worker.once('message', (value) => resolve({ worker, value }));
    worker.once('error', reject);
  });
}

const ended = (worker) => new Promise((resolve) => worker.once('exit', resolve));

const scenarios = {
  async successive() {
    const values = [];
    for (let i = 0; i < 3; i++) {
      const { worker, value } = await start('idle');
      await ended(worker);
      values.push(value);
    }
    return values;
  },
  async concurrent() {
    const started = await Promise.all([start('idle'), start('idle')]);
    return started.map(({ value }) => value);
  },
  async terminate() {
    const values = [];
    for (let i = 0; i < 2; i++) {
      const { worker, value } = await start('busy');
      await worker.terminate();
      values.push(value);
    }
    return values;
  },
  async queued() {
    const policy = await createPolicy();
    const expected = await compute(policy);
    const stream = await startEndlessWork(policy);
    const { worker } = await start('queued');
    await worker.terminate();
    await stream.return();
    return [expected];
  },
  async exitQueued() {
    globalThis.stream = await startEndlessWork(await createPolicy());
    await start('queued');
    process.exit(7);
  },
  async exit() {
    const { worker, value } = await start('busy');
    worker.unref();
    process.exitCode = 7;
    setImmediate(() => process.exit());
    return [value];
  },
};

async function main() {
  const values = await scenarios[process.argv[2]]();
  const policy = await createPolicy();
  const expected = await compute(policy);
  console.log(values.every((value) => value === expected) ? 'done' : `differs: ${values.join(' ')} ${expected}`);
}

if (isMainThread) void main();
else void inWorker();
