#!/usr/bin/env node
// How often the verifier agrees with labelled cases, and how fast it is; beside Math-Verify 0.9.0 with --peer.
//
//   npm run build && node bench/verifier.mjs test/verifier-cases/*.jsonl
//
// A file holds JSON lines {id, gold, pred | completion, expected, kind?, label?, alsoAccept?}; long texts may be
// generators (see test/verifier-cases/README.md). Rows with the label `wrong` are left out. Options:
//   --repeat N        timed passes after one warm-up pass (3); the rate printed is their median, with minimum and maximum
//   --verbose         list every disagreement with gold and extracted answer; --kinds agreement by kind
//   --relabel ID=true,ID*=false   correct labels that are known to be wrong
//   --together        report all files but attacks as one set as well
//   --json OUT        write everything to a file
//   --limit-s S       a case that takes longer counts as a hang and as wrong (10)
//   --module PATH     the build to measure (dist/index.js)
//   --peer --python PATH   the same files, passes and core through Math-Verify, with a Python that has it:
//                          python3 -m venv DIR && DIR/bin/pip install math-verify==0.9.0   (DIR outside the clone)
//
// Each file gets a process of its own on one core (taskset, where there is one); reading the file and loading the
// module are not in the times. Attacks (kinds that begin with `attack`) run once in the peer, each in a forked child.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readCases } from '../test/verifier-cases/read.mjs';
import { printRatios, printReport, score } from './verifier-report.mjs';

const { values: options, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    repeat: { type: 'string', default: '3' },
    verbose: { type: 'boolean', default: false },
    kinds: { type: 'boolean', default: false },
    relabel: { type: 'string', default: '' },
    together: { type: 'boolean', default: false },
    json: { type: 'string' },
    'limit-s': { type: 'string', default: '10' },
    module: { type: 'string', default: fileURLToPath(new URL('../dist/index.js', import.meta.url)) },
    peer: { type: 'boolean', default: false },
    python: { type: 'string', default: 'python3' },
  },
});
if (files.length === 0) {
  console.error('Expected at least one file of cases: node bench/verifier.mjs test/verifier-cases/*.jsonl');
  process.exit(2);
}

const local = (path) => fileURLToPath(new URL(path, import.meta.url));
const cores = spawnSync('taskset', ['-pc', String(process.pid)], { encoding: 'utf8' });
const core = cores.status === 0 ? cores.stdout.match(/(\d+)\s*$/)?.[1] : undefined;

/** The lines a command prints, run on one core; killed when no line comes for `silence()` seconds. */
async function* linesOf(command, args, silence) {
  const pinned = core === undefined ? [command, ...args] : ['taskset', '-c', core, command, ...args];
  const child = spawn(pinned[0], pinned.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let timer;
  const watch = () => {
    clearTimeout(timer);
    if (silence) timer = setTimeout(() => child.kill('SIGKILL'), silence() * 1000);
  };
  watch();
  let rest = '';
  child.stdout.setEncoding('utf8');
  for await (const chunk of child.stdout) {
    watch();
    const parts = (rest + chunk).split('\n');
    rest = parts.pop();
    yield* parts;
  }
  clearTimeout(timer);
  await closed;
}

/** Our verdicts and times for one file. A case that hangs or ends the process is skipped in the next attempt. */
async function measure(file) {
  const verdicts = {};
  const skipped = [];
  const limit = Number(options['limit-s']);
  for (;;) {
    let running;
    let summary;
    const args = [local('verifier-child.mjs'), resolve(options.module), file, options.repeat, JSON.stringify(skipped)];
    let warm = false;
    const silence = () => (warm ? 100 * limit : limit); // a timed pass reports only its end
    for await (const line of linesOf(process.execPath, args, silence)) {
      const message = JSON.parse(line);
      if (message.started) running = message.started;
      else if (message.id) {
        verdicts[message.id] = message;
        running = undefined;
      } else if (message.warm) warm = true;
      else summary = message;
    }
    if (summary) return { ...summary, verdicts, skipped };
    if (running === undefined) throw new Error(`The measuring process stopped while it timed ${file}.`);
    verdicts[running] = { correct: false, reason: 'hang or crash', ms: limit * 1000 };
    skipped.push(running);
  }
}

async function measurePeer(file, isolate) {
  const args = [local('peers/math_verify_peer.py'), file, '--repeat', options.repeat, '--limit-s', options['limit-s']];
  let output;
  for await (const line of linesOf(options.python, isolate ? [...args, '--isolate'] : args)) output = line;
  if (output === undefined) {
    console.error('Math-Verify did not run: give --python a Python that has it.');
    process.exit(1);
  }
  return JSON.parse(output);
}

const corrections = options.relabel.split(',').filter(Boolean);
function relabelled(row) {
  for (const correction of corrections) {
    const [name, value] = correction.split('=');
    const fits = name.endsWith('*') ? row.id.startsWith(name.slice(0, -1)) : row.id === name;
    if (fits) return { ...row, expected: JSON.parse(value) };
  }
  return row;
}

console.log(`node ${process.version}, ${core === undefined ? 'not pinned' : `core ${core}`}, ${options.repeat} passes`);
const reports = [];
for (const file of files) {
  const cases = readCases(file)
    .filter((row) => row.label !== 'wrong')
    .map(relabelled);
  const isolate = cases.some((row) => row.kind?.startsWith('attack'));
  const name = basename(file, '.jsonl');
  const ours = score(name, cases, await measure(file));
  printReport('ours', ours, options);
  let peer;
  if (options.peer) {
    peer = score(name, cases, await measurePeer(file, isolate));
    printReport('Math-Verify', peer, options);
    printRatios(ours, peer, isolate);
  }
  reports.push({ file: name, cases, isolate, ours, ...(peer && { peer }) });
}

/** The reports of several files as one; a pass is the sum of the files' passes. */
function together(side) {
  const join = (key) => Object.assign({}, ...plain.map((set) => set[side][key]));
  const times = join('times');
  const passes = Array.from({ length: Number(options.repeat) }, (_, pass) =>
    Object.values(times).reduce((sum, ms) => sum + ms[pass], 0),
  );
  const cases = plain.flatMap((set) => set.cases);
  const rates = passes.map((ms) => (Object.keys(times).length / ms) * 1000);
  return score('all files but attacks', cases, { verdicts: join('verdicts'), times, rates });
}

const plain = reports.filter(({ isolate }) => !isolate);
if (options.together && plain.length > 1) {
  const ours = together('ours');
  printReport('ours', ours, { kinds: options.kinds });
  if (options.peer) {
    const peer = together('peer');
    printReport('Math-Verify', peer, { kinds: options.kinds });
    printRatios(ours, peer, false);
  }
}
for (const report of reports) delete report.cases;
if (options.json) writeFileSync(options.json, JSON.stringify(reports));
