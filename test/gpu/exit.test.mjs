/** A process or worker that ends while tensors on the device live ends as any other does. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { child, skipReason } from './support.mjs';

const skip = skipReason();
const ways = {
  normal: { status: 0 },
  disposed: { status: 0 },
  'exit-while-busy': { status: 0 },
  throw: { status: 1 },
  'signal-while-busy': { signal: 'SIGTERM' },
  'worker-ends': { status: 0 },
  'worker-terminated-while-busy': { status: 0 },
};

for (const [way, { status = null, signal = null }] of Object.entries(ways)) {
  test(way, { skip }, () => {
    const result = spawnSync(process.execPath, [child('exit.mjs'), way], { encoding: 'utf8', timeout: 120_000 });
    assert.equal(result.signal, signal, result.stderr);
    assert.equal(result.status, status, result.stderr);
    if (way !== 'throw') assert.equal(result.stderr, '');
  });
}
