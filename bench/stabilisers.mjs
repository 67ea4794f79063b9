/**
 * The demo's task with and without the stabilisers of docs/training.md: 40 steps each of recipes/demo.yaml, one seed. Prints JSON
 * and writes bench/results/stabilisers.json. `node bench/stabilisers.mjs` after `npm run setup`; `--steps N` for others.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const { train } = require('../dist/index.js');
const { readYamlFile, applyAssignments } = require('../dist/training/load-config.js');
const { packageVersion } = require('../dist/libtorch/pin.js');

const { values } = parseArgs({ options: { steps: { type: 'string', default: '40' } } });
const base = readYamlFile(join(root, 'recipes/demo.yaml'));
base.model = join(root, base.model);
const scratch = mkdtempSync(join(tmpdir(), 'zero-rl-stabilisers-'));

/** Two passes over each batch, so that ratios leave 1 and the clip has something to clip. */
const twoPasses = ['optimizer.objective=ppo', 'optimizer.epochs=2'];
const runs = [
  { name: 'as it is', set: [] },
  { name: 'moving average 0.9', set: ['ema.decay=0.9'] },
  { name: 'dynamic sampling, 3 rounds', set: ['rollout.dynamicSampling.rounds=3'] },
  { name: 'two passes, clip 0.2', set: twoPasses },
  { name: 'two passes, clip-higher 0.28', set: [...twoPasses, 'optimizer.clip.high=0.28'] },
];

const mean = (numbers) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
const total = (numbers) => numbers.reduce((sum, value) => sum + value, 0);
const heldOut = (evaluation) => evaluation && { accuracy: evaluation.accuracy, interval: evaluation.interval };

async function measure({ name, set }) {
  const common = [
    `steps=${values.steps}`,
    `output=${join(scratch, 'runs')}`,
    'checkpoint.every=0',
    'preview.prompts=0',
  ];
  const steps = [];
  for await (const step of train(applyAssignments(base, [...common, ...set]))) steps.push(step);
  const { samplesPerPrompt } = base.rollout;
  const tail = steps.slice(-5);
  const last = steps.at(-1);
  process.stderr.write(`${name}: held out ${last.evaluation.accuracy.toFixed(3)}\n`);
  return {
    name,
    set,
    heldOut: heldOut(last.evaluation),
    ...(last.emaEvaluation ? { heldOutOfAverage: heldOut(last.emaEvaluation) } : {}),
    rewardOfLast5: mean(tail.map(({ rewardMean }) => rewardMean)),
    entropyOfLast5: mean(tail.map(({ entropy }) => entropy)),
    usableGroups: total(steps.map(({ usableGroups }) => usableGroups)),
    groupsTrained: total(steps.map(({ groups }) => groups)),
    samplesDrawn: samplesPerPrompt * total(steps.map(({ sampledGroups }) => sampledGroups)),
    tokensDrawn: total(steps.map(({ sampledTokens }) => sampledTokens)),
    clipFraction: mean(steps.map(({ clipFraction }) => clipFraction)),
  };
}

try {
  const results = [];
  for (const run of runs) results.push(await measure(run));
  const report = {
    version: packageVersion,
    machine: { processor: cpus()[0]?.model ?? 'unknown', node: process.versions.node },
    steps: Number(values.steps),
    runs: results,
  };
  mkdirSync(join(root, 'bench/results'), { recursive: true });
  writeFileSync(join(root, 'bench/results/stabilisers.json'), `${JSON.stringify(report, null, 2)}\n`);
  console.log(JSON.stringify(report));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
