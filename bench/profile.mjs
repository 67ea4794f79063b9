#!/usr/bin/env node
// What `zero-rl profile` accounts for on the shortened demo, and what taking a profile costs: the same samples and steps of the
// demo's model with the recorder on and off in turn, on one thread, in processor time, which other programs change
// least. Prints JSON. Run after `npm run setup`: node bench/profile.mjs [steps] [rounds] [options of train, e.g. --threads 1]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadNative } from '../dist/libtorch/load.js';
import { Policy } from '../dist/index.js';

const [steps = '30', rounds = '15', ...options] = process.argv.slice(2);
const root = fileURLToPath(new URL('..', import.meta.url));
const round = (value) => Number(value.toFixed(4));
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

function demo() {
  const scratch = mkdtempSync(join(tmpdir(), 'zero-rl-profile-'));
  const file = (name) => join(scratch, name);
  const own = ['profile', '--output', file('trace.json'), '--summary', file('summary.json'), '--'];
  const settings = ['--set', `steps=${steps}`, '--set', `output=${file('runs')}`];
  const train = ['train', 'recipes/demo.yaml', ...settings, ...options];
  try {
    const main = join(root, 'dist/cli/main.js');
    const { status, stderr } = spawnSync(process.execPath, [main, ...own, ...train], { cwd: root, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    const { wall, kernelShare, seconds, threads, droppedEvents, phases, sections } = JSON.parse(
      readFileSync(file('summary.json'), 'utf8'),
    );
    const trace = JSON.parse(readFileSync(file('trace.json'), 'utf8'));
    return {
      steps: Number(steps),
      threads,
      seconds: round(seconds),
      wall: Object.fromEntries(Object.entries(wall).map(([name, share]) => [name, round(share)])),
      kernelShareOfEngine: round(kernelShare),
      traceEvents: trace.traceEvents.length,
      droppedEvents,
      phases: Object.fromEntries(phases.map((phase) => [phase.name, round(phase.seconds)])),
      sections: Object.fromEntries(sections.map((section) => [section.name, round(section.ownSeconds)])),
    };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Processor seconds of a step as the demo's, with as many kernels in the trace as `zero-rl profile` keeps. */
async function overhead() {
  const { profile } = loadNative();
  const policy = await Policy.load(join(root, 'models/arithmetic-1m'), { threads: 1 });
  const prompts = Array.from({ length: 32 }, (_, i) => Int32Array.from({ length: 20 }, (_, j) => 5 + ((i + j) % 20)));
  const work = async () => {
    const start = process.cpuUsage();
    const rollouts = await policy.sample(prompts, { n: 8, maxTokens: 64, stopTokens: [], seed: 0 });
    const sequences = rollouts.map(({ prompt, tokens }, i) => ({
      tokens: Int32Array.from([...prompts[prompt], ...tokens]),
      promptLength: prompts[prompt].length,
      advantages: i % 2 === 0 ? 1 : -1,
    }));
    await policy.step(sequences, { learningRate: 0 });
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  };
  await work();
  const pairs = [];
  for (let i = 0; i < Number(rounds); i++) {
    const off = await work();
    profile.start(500);
    const on = await work();
    profile.stop();
    profile.drain();
    pairs.push({ off, on, ratio: on / off });
  }
  policy.dispose();
  const of = (name) => pairs.map((pair) => pair[name]);
  return {
    rounds: pairs.length,
    secondsOff: round(median(of('off'))),
    secondsOn: round(median(of('on'))),
    overhead: round(median(of('ratio')) - 1),
    overheadOfLeast: round(Math.min(...of('on')) / Math.min(...of('off')) - 1),
  };
}

console.log(JSON.stringify({ demo: demo(), cost: await overhead() }, null, 1));
