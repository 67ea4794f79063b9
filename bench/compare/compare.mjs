#!/usr/bin/env node
/**
 * Compares zero-rl with transformers (generate; log-probs and step as TRL computes them) and with node-llama-cpp
 * (sampling) on the same model folders: one process a side, pinned to the same processors, all loaded, run in turn, the
 * order changing from round to round. Prints tokens per second, peak memory, the ratios with their spread and our share
 * of the roofline measured in our process. Run after `npm run setup`:
 *
 *   python3 -m venv VENV && VENV/bin/pip install torch==2.11.0 transformers==5.23.0 trl gguf
 *   (mkdir LLAMA && cd LLAMA && npm init -y && npm install node-llama-cpp@3.22.1)
 *   node bench/models/make-random.mjs --shape small --output SMALL
 *   node bench/models/make-random.mjs --shape qwen2.5-0.5b --dtype bfloat16 --output LARGE
 *   node bench/compare/compare.mjs --small SMALL --large LARGE --python VENV/bin/python --node-llama-cpp LLAMA
 *
 * Each side runs at its best settings: they are looked for on a smaller workload first (rows.mjs lists them) and
 * printed. What is the same for all: weights as they are (no quantisation), temperature 1 without truncation, no end
 * tokens. Ours alone returns the log-probs of what it samples. Leave the machine idle meanwhile.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ratios, rowText, spread } from './report.mjs';
import { creditedTokens, rows } from './rows.mjs';
import { sidesOf, start } from './sides.mjs';
import { tune } from './tune.mjs';

const USAGE = `usage: node bench/compare/compare.mjs [--small FOLDER] [--large FOLDER] [--python PROGRAM] [--node-llama-cpp FOLDER]
  [--rows NAME,...]   ${rows.map(({ name }) => name).join(', ')}
  [--rounds N]        runs of each side that count, in turn (default 7, quick 2)
  [--threads N]       default all processors    [--cpus LIST]  processors of every side (default 0 to threads - 1)
  [--quick]           small workloads, to see that everything works
  [--no-tune]         the first settings of each side
  [--limit SECONDS]   most of one run (default 900)
  [--work FOLDER]     where GGUF files are kept (default a temporary folder)
  [--output FILE]     everything measured, as JSON`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      small: { type: 'string' },
      large: { type: 'string' },
      python: { type: 'string' },
      'node-llama-cpp': { type: 'string' },
      rows: { type: 'string' },
      rounds: { type: 'string' },
      threads: { type: 'string' },
      cpus: { type: 'string' },
      limit: { type: 'string', default: '900' },
      work: { type: 'string' },
      output: { type: 'string' },
      quick: { type: 'boolean', default: false },
      'no-tune': { type: 'boolean', default: false },
    },
  });
  const threads = Number(values.threads ?? availableParallelism());
  const models = { small: values.small, large: values.large };
  const wanted = values.rows?.split(',');
  const unknown = wanted?.find((name) => !rows.some((row) => row.name === name));
  if (unknown !== undefined) throw new Error(`there is no row ${unknown}`);
  const chosen = rows.filter(({ name, model }) => models[model] !== undefined && (wanted?.includes(name) ?? true));
  if (chosen.length === 0) throw new Error('no row has its model; give --small or --large');
  return {
    models,
    chosen,
    rounds: Number(values.rounds ?? (values.quick ? 2 : 7)),
    output: values.output,
    context: {
      threads,
      cpus: values.cpus ?? (threads === 1 ? '0' : `0-${threads - 1}`),
      python: values.python,
      nodeLlamaCpp: values['node-llama-cpp'] && path.resolve(values['node-llama-cpp']),
      quick: values.quick,
      tune: !values['no-tune'],
      limit: Number(values.limit),
      work: values.work ?? mkdtempSync(path.join(tmpdir(), 'zero-rl-compare-')),
    },
  };
}

const tell = (text) => process.stderr.write(`  ${text}\n`);

/** Runs the live sides in turn; a side that fails is out. */
async function alternate(workers, rounds, limit, results) {
  for (let round = -1; round < rounds; round++) {
    const names = Object.keys(workers);
    const shift = Math.max(0, round) % names.length;
    for (const name of [...names.slice(shift), ...names.slice(0, shift)]) {
      try {
        const seconds = await workers[name].run(limit);
        if (round >= 0) results[name].seconds.push(seconds);
      } catch (error) {
        results[name] = { failed: error.message };
        delete workers[name];
      }
    }
  }
}

async function compareRow({ name, model, workload: full, quick }, { models, rounds, context }) {
  const small = { ...full, ...quick };
  const workload = context.quick ? small : full;
  const folder = path.resolve(models[model]);
  const row = { name, workload, sides: {} };
  const workers = {};
  process.stderr.write(`${name}\n`);
  for (const side of sidesOf(workload, context)) {
    try {
      const { settings, tried } = await tune(side, small, folder, context, tell);
      if (settings.chunk === small.batch) settings.chunk = workload.batch;
      row.sides[side] = { settings, tried, seconds: [] };
      workers[side] = await start(side, workload, folder, settings, context);
      row.sides[side].version = workers[side].version;
    } catch (error) {
      row.sides[side] = { failed: error.message };
      delete workers[side];
    }
  }
  await alternate(workers, rounds, context.limit, row.sides);
  for (const [side, worker] of Object.entries(workers)) {
    const { peakRssMiB, roofline } = await worker.end();
    const result = row.sides[side];
    const tokensPerSecond = spread(result.seconds.map((seconds) => creditedTokens(workload) / seconds));
    Object.assign(result, { peakRssMiB, roofline, tokensPerSecond });
  }
  const ours = row.sides['zero-rl'];
  for (const [side, result] of Object.entries(row.sides)) {
    if (side === 'zero-rl' || result.failed || ours.failed) continue;
    result.ratio = ratios(ours.seconds, result.seconds);
    result.memoryRatio = result.peakRssMiB / ours.peakRssMiB;
  }
  return row;
}

let options;
try {
  options = readOptions();
} catch (error) {
  process.stderr.write(`${error.message}\n${USAGE}\n`);
  process.exit(2);
}
const done = [];
for (const row of options.chosen) {
  done.push(await compareRow(row, options));
  process.stdout.write(`${rowText(done.at(-1))}\n\n`);
  if (options.output) {
    const { threads, cpus: list, quick } = options.context;
    const machine = { processor: cpus()[0]?.model ?? 'unknown', threads, cpus: list };
    writeFileSync(
      options.output,
      `${JSON.stringify({ machine, quick, rounds: options.rounds, rows: done }, null, 1)}\n`,
    );
  }
}
const failed = done.flatMap(({ sides }) => Object.values(sides)).filter(({ failed: reason }) => reason !== undefined);
process.exitCode = failed.length > 0 ? 1 : 0;
