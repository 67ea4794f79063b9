/** Loads the addon in worker threads as the argument says, and prints `done` when the main thread still computes. */
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { createPolicy, compute, startEndlessWork } = require('./policy.cjs');

async function inWorker() {
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
