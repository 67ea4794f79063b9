/**
 * All rows of the table of a CUDA device, and the tests on it: `node bench/gpu/run.mjs [--seconds 540]`. Writes
 * bench/results/gpu.json after every row, so that a run that is cut keeps what it has. What does not fit in the time is
 * listed as left out. A machine without Node takes the whole folder with it: a build of node (the one file bin/node), the
 * package after `npm run build` and `npm run build:cuda`, and its node_modules; libtorch is that of the machine's Python, or
 * of ZERO_RL_LIBTORCH.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '540' } } });
const deadline = performance.now() + 1000 * Number(values.seconds);
const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const results = { date: new Date().toISOString(), device: null, rows: [], peers: [], failed: {}, leftOut: [] };
const save = () => writeFileSync(file('../results/gpu.json'), `${JSON.stringify(results, null, 2)}\n`);

/** Standard output of a command that ends in time, else null. */
function run(name, command, args) {
  const left = deadline - performance.now();
  if (left < 10_000) {
    results.leftOut.push(name);
    return null;
  }
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: left });
  if (status !== 0) results.failed[name] = (error?.message ?? stderr).trim().split('\n').slice(-3).join('\n');
  return status === 0 ? stdout : null;
}

results.device =
  run('nvidia-smi', 'nvidia-smi', ['--query-gpu=name,driver_version', '--format=csv,noheader'])?.trim() ?? null;
const tests = run('tests', process.execPath, ['--test', '--test-reporter=tap', file('../../test/gpu/')]);
results.tests =
  tests === null
    ? null
    : Object.fromEntries([...tests.matchAll(/^# (pass|fail|skipped) (\d+)$/gm)].map(([, k, v]) => [k, Number(v)]));
save();
const names = run('rows', process.execPath, [file('row.mjs')]) ?? '';
for (const name of names.split('\n').filter(Boolean)) {
  const row = run(name, process.execPath, [file('row.mjs'), name]);
  if (row !== null) results.rows.push(JSON.parse(row));
  save();
}
const peers = run('peers', process.env.PYTHON ?? 'python3', [file('transformers_peer.py')]);
if (peers !== null)
  results.peers = peers
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
save();
process.stdout.write(`${JSON.stringify(results)}\n`);
