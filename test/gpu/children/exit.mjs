/** Leaves the process in one of several ways while tensors on the device live: `exit.mjs WAY`. */
import { setImmediate } from 'node:timers';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { create, prompts } from '../support.mjs';

const way = isMainThread ? process.argv[2] : workerData;
const policy = isMainThread && way.startsWith('worker') ? null : await create({ device: 'cuda', dtype: 'bfloat16' });
const work = () => policy.sample(prompts, { n: 64, maxTokens: 1024, stopTokens: [] });
const worker = (name) => new Worker(fileURLToPath(import.meta.url), { workerData: name });

switch (way) {
  case 'normal':
    await policy.sample(prompts, { maxTokens: 8 });
    break;
  case 'disposed':
    await policy.sample(prompts, { maxTokens: 8 });
    policy.dispose();
    break;
  case 'exit-while-busy':
    void work();
    setImmediate(() => process.exit(0));
    break;
  case 'throw':
    await policy.sample(prompts, { maxTokens: 8 });
    setImmediate(() => {
      throw new Error('uncaught');
    });
    break;
  case 'signal-while-busy':
    void work();
    setImmediate(() => process.kill(process.pid, 'SIGTERM'));
    break;
  case 'worker-ends':
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve, reject) => worker('normal').on('exit', resolve).on('error', reject));
    }
    break;
  case 'worker-terminated-while-busy': {
    const busy = worker('busy');
    await new Promise((resolve) => busy.once('message', resolve));
    await busy.terminate();
    break;
  }
  case 'busy':
    void work().catch(() => undefined);
    setImmediate(() => parentPort.postMessage('busy'));
    break;
}
