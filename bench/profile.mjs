#!/usr/bin/env node
// What `zero-rl profile` accounts for on the shortened demo, and what taking a profile costs: training seconds of runs with
// and without it, in turn. Prints JSON. Run after `npm run setup`: node bench/profile.mjs [steps] [pairs]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [steps = '30', pairs = '3'] = process.argv.slice(2);
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'zero-rl-profile-'));
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** Training seconds of the run, and the summary of the profile where one was taken. */
function demo(name, profiled) {
  const output = join(scratch, name);
  const summary = join(scratch, `${name}.json`);
  const trace = join(scratch, `${name}.trace.json`);
  const train = ['train', 'recipes/demo.yaml', '--set', `steps=${steps}`, '--set', `output=${output}`];
  const parameters = profiled ? ['profile', '--output', trace, '--summary', summary, '--', ...train] : train;
  const { status, stderr } = spawnSync(process.execPath, [main, ...parameters], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const [run] = readdirSync(output);
  return {
    seconds: read(join(output, run, 'summary.json')).seconds.training,
    summary: profiled ? read(summary) : null,
    trace: profiled ? read(trace).traceEvents.length : 0,
  };
}

const median = (values) => [...values].sort((a, b) => a - b)[(values.length - 1) >> 1];
const round = (value) => Number(value.toFixed(4));
try {
  const off = [];
  const on = [];
  let last;
  for (let pair = 0; pair < Number(pairs); pair++) {
    off.push(demo(`off-${pair}`, false).seconds);
    last = demo(`on-${pair}`, true);
    on.push(last.seconds);
  }
  const { wall, kernelShare, seconds, droppedEvents, phases } = last.summary;
  console.log(
    JSON.stringify(
      {
        steps: Number(steps),
        wall: {
          seconds: round(seconds),
          accounted: round(wall.accounted),
          idle: round(wall.idle),
          other: round(wall.other),
        },
        kernelShareOfEngine: round(kernelShare),
        droppedEvents,
        traceEvents: last.trace,
        phases: Object.fromEntries(phases.map((phase) => [phase.name, round(phase.seconds)])),
        trainingSeconds: { off: off.map(round), on: on.map(round) },
        overhead: round(median(on) / median(off) - 1),
      },
      null,
      1,
    ),
  );
} finally {
  rmSync(scratch, { recursive: true });
}
