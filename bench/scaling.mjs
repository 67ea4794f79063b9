#!/usr/bin/env node
/**
 * How time and memory grow along one axis at a time around the two shapes: batch, length, vocabulary and threads. Every
 * point is a process of its own (`zero-rl bench`). Each is compared with the point before it: `cost` is the growth of the
 * time over the growth of its lower bound (the roofline measured in the point's process), so that 1 is as it should be, less
 * is fixed cost shared out, and more than --cliff is reported and fails the script. Run after `npm run setup`:
 *
 *   node bench/models/make-random.mjs --shape small --output SMALL
 *   node bench/models/make-random.mjs --shape qwen2.5-0.5b --dtype bfloat16 --output LARGE
 *   node bench/scaling.mjs --small SMALL [--large LARGE] [--dtype float32] [--output FILE] [--only TEXT] [--cliff 2]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Policy } from '../dist/index.js';

const repository = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    small: { type: 'string' },
    large: { type: 'string' },
    dtype: { type: 'string' },
    output: { type: 'string' },
    only: { type: 'string', default: '' },
    cliff: { type: 'string', default: '2' },
  },
});
if (!values.small && !values.large) {
  process.stderr.write(
    'usage: node bench/scaling.mjs --small FOLDER [--large FOLDER] [--dtype NAME] [--output FILE]\n',
  );
  process.exit(2);
}
const threads = Math.min(2, availableParallelism());
const range = (values, point) => values.map((value) => ({ value, ...point(value) }));

/** Points of an axis; the first is where it starts. */
function smallAxes() {
  const batches = [1, 4, 16, 64, 256, 1024];
  const lengths = [32, 128, 512, 2048, 8192];
  // Longer sequences in smaller batches: the tokens stay the same as far as they can.
  const batchAt = (length) => Math.max(1, Math.min(64, 16_384 / length));
  return [
    ...['sample', 'logprobs', 'step'].map((task) => ({
      name: `small/${task}/batch`,
      points: range(batches, (batch) => ({ task, batch, group: Math.min(8, batch), prompt: 32, tokens: 64 })),
    })),
    {
      name: 'small/sample/length',
      points: range(lengths, (length) => ({ task: 'sample', batch: 4, prompt: length - 16, tokens: 16 })),
    },
    {
      name: 'small/sample/new tokens',
      points: range([32, 128, 512, 2048], (tokens) => ({ task: 'sample', batch: 8, prompt: 32, tokens })),
    },
    ...['logprobs', 'step'].map((task) => ({
      name: `small/${task}/length`,
      points: range(lengths, (length) => ({ task, batch: batchAt(length), prompt: 16, tokens: length - 16 })),
    })),
    ...['sample', 'logprobs', 'step'].map((task) => ({
      name: `small/${task}/vocabulary`,
      points: range([256, 4096, 32_768, 151_936], (vocabulary) => ({
        task,
        vocabulary,
        batch: 16,
        prompt: 32,
        tokens: 32,
      })),
    })),
    ...['sample', 'logprobs', 'step'].map((task) => ({
      name: `small/${task}/threads`,
      points: range([1, 2], (count) => ({ task, threads: count, batch: 64, group: 8, prompt: 32, tokens: 64 })),
    })),
  ];
}

function largeAxes() {
  return [
    {
      name: 'large/sample/batch',
      points: range([1, 8, 32], (batch) => ({ task: 'sample', batch, prompt: 32, tokens: 16 })),
    },
    {
      name: 'large/sample/length',
      points: range([32, 256, 2048], (length) => ({ task: 'sample', batch: 2, prompt: length - 8, tokens: 8 })),
    },
    {
      name: 'large/logprobs/length',
      points: range([128, 512, 2048], (length) => ({ task: 'logprobs', batch: 1, prompt: 16, tokens: length - 16 })),
    },
    {
      name: 'large/step/batch',
      points: range([1, 4], (batch) => ({ task: 'step', batch, prompt: 16, tokens: 112 })),
    },
    {
      name: 'large/logprobs/threads',
      points: range([1, 2], (count) => ({ task: 'logprobs', threads: count, batch: 1, prompt: 16, tokens: 240 })),
    },
  ];
}

const temporary = mkdtempSync(path.join(tmpdir(), 'zero-rl-scaling-'));

/** The small model with another vocabulary. */
async function withVocabulary(vocabSize) {
  const folder = path.join(temporary, `vocabulary-${vocabSize}`);
  const policy = await Policy.load(values.small, { device: 'cpu' });
  const config = { ...policy.config, vocabSize };
  policy.dispose();
  const other = await Policy.create(config, { seed: 1, device: 'cpu' });
  await other.save(folder, { dtype: 'F32' });
  other.dispose();
  return folder;
}

function measure(model, dtype, point) {
  const options = {
    model,
    dtype,
    task: point.task,
    batch: point.batch,
    group: point.group ?? 1,
    prompt: point.prompt,
    tokens: point.tokens,
    threads: point.threads ?? threads,
    runs: 1,
  };
  const parameters = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawnSync(
    process.execPath,
    [path.join(repository, 'dist/cli/main.js'), 'bench', ...parameters, '--quick', '--json'],
    { encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  if (child.status !== 0) throw new Error(`${parameters.join(' ')}\n${child.stderr}`);
  const { seconds, tokensPerSecond, peakRssMiB, roofline } = JSON.parse(child.stdout);
  return { seconds, tokensPerSecond, peakRssMiB, boundSeconds: roofline.boundSeconds, fraction: roofline.fraction };
}

const axes = [
  ...(values.small ? smallAxes().map((axis) => ({ ...axis, model: values.small, dtype: 'float32' })) : []),
  ...(values.large ? largeAxes().map((axis) => ({ ...axis, model: values.large, dtype: 'bfloat16' })) : []),
].filter(({ name }) => name.includes(values.only));

const started = performance.now();
const measured = [];
const cliffs = [];
try {
  const vocabularies = new Map();
  for (const axis of axes) {
    const dtype = values.dtype ?? axis.dtype;
    process.stdout.write(`${axis.name} (${dtype})\n`);
    let previous = null;
    for (const point of axis.points) {
      let { model } = axis;
      if (point.vocabulary !== undefined) {
        if (!vocabularies.has(point.vocabulary))
          vocabularies.set(point.vocabulary, await withVocabulary(point.vocabulary));
        model = vocabularies.get(point.vocabulary);
      }
      const result = measure(model, dtype, point);
      // More threads do the same work: what grows is the number of them.
      const growth = previous && result.seconds / previous.seconds;
      const expected = previous && result.boundSeconds / previous.boundSeconds;
      const cost = growth && growth / expected;
      measured.push({ axis: axis.name, dtype, ...point, ...result, cost });
      if (cost > Number(values.cliff)) cliffs.push(`${axis.name} at ${point.value}: ${cost.toFixed(2)}`);
      process.stdout.write(
        `  ${String(point.value).padStart(7)} ${result.seconds.toFixed(4).padStart(10)} s ` +
          `${result.tokensPerSecond.toFixed(0).padStart(8)} tokens/s ${result.peakRssMiB.toFixed(0).padStart(6)} MiB ` +
          `${(100 * result.fraction).toFixed(1).padStart(5)} % of roofline${cost ? `  cost ${cost.toFixed(2)}` : ''}\n`,
      );
      previous = result;
    }
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
const minutes = (performance.now() - started) / 60_000;
process.stdout.write(`${measured.length} points in ${minutes.toFixed(1)} min; `);
process.stdout.write(cliffs.length > 0 ? `cliffs:\n  ${cliffs.join('\n  ')}\n` : 'no cliff\n');
if (values.output) {
  const { version } = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8'));
  const machine = `${cpus()[0].model}, ${availableParallelism()} processors`;
  writeFileSync(values.output, `${JSON.stringify({ version, machine, minutes, points: measured }, null, 1)}\n`);
}
process.exitCode = cliffs.length > 0 ? 1 : 0;
