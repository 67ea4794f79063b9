#!/usr/bin/env node
/**
 * Seconds of a step of the demo, by phase: mean over its last steps, when most groups have no spread, and of steps in which no
 * sequence has a gradient (a reward that is the same for all), to see what is left beside their sampling. With --against, another
 * checkout of this package, built, goes on from the same checkpoint, the two by turns.
 * Run after `npm run setup`: node bench/exact-savings.mjs [--against FOLDER] [--from 60] [--to 100] [--chunk 10]
 */
import { fork } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    against: { type: 'string' },
    from: { type: 'string', default: '60' },
    to: { type: 'string', default: '100' },
    chunk: { type: 'string', default: '10' },
    worker: { type: 'string' },
  },
});
const here = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

/** What a child does: `{ package, run, config, until, equalRewards }`; its answer: the seconds of its steps. */
async function work({ package: folder, run, config, until, equalRewards }) {
  const { train } = require(join(folder, 'dist/index.js'));
  const rows = [];
  const options = { ...(run ? { resume: run } : {}), ...(equalRewards ? { reward: () => 0 } : {}) };
  for await (const { step, seconds, usableGroups, groups } of train(config, options)) {
    rows.push({ seconds, usable: usableGroups / groups });
    process.stderr.write(`\r${folder}: step ${step} `);
    if (step === until) break;
  }
  process.send(rows);
}

const inChild = (task) =>
  new Promise((done, failed) => {
    let rows;
    const child = fork(fileURLToPath(import.meta.url), ['--worker', JSON.stringify(task)], { cwd: here });
    child.on('message', (message) => (rows = message));
    child.on('exit', (code) => (code === 0 && rows ? done(rows) : failed(new Error(`A child ended with ${code}`))));
  });

async function measure() {
  const [from, to, chunk] = [values.from, values.to, values.chunk].map(Number);
  const packages = [...(values.against ? [resolve(values.against)] : []), here];
  const folder = mkdtempSync(join(tmpdir(), 'zero-rl-savings-'));
  try {
    const { parse } = require('yaml');
    const demo = parse(readFileSync(join(here, 'recipes/demo.yaml'), 'utf8'));
    const config = {
      ...demo,
      evaluation: { problems: 1, every: 0 },
      preview: { prompts: 0 },
      rollouts: { every: 0 },
      watchdog: { deadGroups: { limit: null } },
    };
    const shared = join(folder, 'shared');
    await inChild({ package: here, config: { ...config, output: shared }, until: from });
    const [name] = readdirSync(shared);
    const runs = packages.map((_, i) => join(folder, `${i}`, name));
    runs.forEach((run) => cpSync(join(shared, name), run, { recursive: true }));
    const later = packages.map(() => []);
    for (let until = from + chunk; until <= to; until += chunk)
      for (const [i, run] of runs.entries())
        later[i].push(...(await inChild({ package: packages[i], run, config: { ...config, output: shared }, until })));
    const none = [];
    for (const [i, run] of runs.entries()) {
      const checkpoints = readdirSync(join(run, 'checkpoints')).filter((entry) => entry.startsWith('step-'));
      const model = join(run, 'checkpoints', checkpoints.sort().at(-1));
      const output = join(folder, `${i}`, 'equal');
      none.push(
        await inChild({ package: packages[i], config: { ...config, model, output }, until: 4, equalRewards: true }),
      );
    }
    const mean = (rows, phase) => rows.reduce((sum, { seconds }) => sum + seconds[phase], 0) / rows.length;
    const row = (what, rows) => ({
      what,
      steps: rows.length,
      ...Object.fromEntries(['total', 'sample', 'verify', 'step'].map((key) => [key, mean(rows, key).toFixed(3)])),
      'groups with a spread': `${Math.round((100 * rows.reduce((sum, { usable }) => sum + usable, 0)) / rows.length)} %`,
    });
    packages.forEach((path, i) => {
      process.stdout.write(`\n${path}, seconds of a step\n`);
      // The first step of a process warms up.
      console.table([row(`demo, steps ${from + 1}-${to}`, later[i]), row('no gradient at all', none[i].slice(1))]);
    });
    if (packages.length === 2)
      console.log(
        `steps ${from + 1}-${to}: ${(mean(later[1], 'total') / mean(later[0], 'total')).toFixed(3)} of before`,
      );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await (values.worker === undefined ? measure() : work(JSON.parse(values.worker)));
