/**
 * How loading bears large data: rows per file in steps that double, so that anything that is not linear shows, and a file of
 * many gigabytes of which most is not used. Each file is loaded in a process of its own, which prints CPU seconds and peak memory
 * (the machine may be busy, so CPU time counts). `node bench/data.mjs [--rows 500000] [--gigabytes 3]` after `npm run build`;
 * writes bench/results/data.json and needs about twice the gigabytes on the disk of the temporary folder.
 */
import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '500000' },
    gigabytes: { type: 'string', default: '3' },
    load: { type: 'string' },
    steps: { type: 'string' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const built = (file) => import(join(root, 'dist', file)).then((module) => module.default ?? module);
const WIDE_BYTES = 22_000;
/** Rows of a row group of a wide file. */
const GROUP = 1000;

const problem = (i) =>
  `Problem ${i}: a train of ${i % 97} cars meets one of ${(i * 7) % 89}; how many cars are there in all?`;
const row = (i) => ({
  id: `row-${i}`,
  problem: problem(i),
  solution: `There are ${i % 97} and ${(i * 7) % 89}, which makes \\boxed{${(i % 97) + ((i * 7) % 89)}}.`.repeat(3),
  answer: String((i % 97) + ((i * 7) % 89)),
});
const wide = (i) => `${i} `.repeat(Math.ceil(WIDE_BYTES / (String(i).length + 1))).slice(0, WIDE_BYTES);

async function writeLines(file, count, make, { open = '', between = '\n', close = '\n' } = {}) {
  const stream = createWriteStream(file);
  stream.write(open);
  for (let i = 0; i < count; i++) {
    const text = (i > 0 ? between : '') + JSON.stringify(make(i));
    if (!stream.write(text)) await new Promise((resolve) => stream.once('drain', resolve));
  }
  stream.end(close);
  await finished(stream);
}

function writeParquet(file, count, make, groupRows) {
  const names = Object.keys(make(0));
  const text = (name) => ({ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' });
  const schema = [{ name: 'root', num_children: names.length }, ...names.map(text)];
  const writer = new ParquetWriter({ writer: fileWriter(file), schema, codec: 'UNCOMPRESSED' });
  for (let first = 0; first < count; first += groupRows) {
    const rows = Array.from({ length: Math.min(groupRows, count - first) }, (_, i) => make(first + i));
    const columnData = names.map((name) => ({ name, data: rows.map((each) => each[name]), encoding: 'PLAIN' }));
    writer.write({ columnData, rowGroupSize: groupRows });
  }
  writer.finish();
}

/** In a process of its own: loads the file as a run with built-in template and reward does. */
async function load(file) {
  const { loadProblems } = await built('data/dataset.js');
  const start = process.cpuUsage();
  const { problems } = await loadProblems([{ source: file }], { count: 1, split: 'train', wholeRows: false });
  const { user, system } = process.cpuUsage(start);
  const peak = process.resourceUsage().maxRSS / 1024;
  return { rows: problems.length, cpuSeconds: (user + system) / 1e6, peakRssMiB: Math.round(peak) };
}

/** CPU seconds of what a run does with many problems before and in its steps. */
async function useProblems(count) {
  const { findLeakage } = await built('data/leakage.js');
  const { problemsOfStep } = await built('data/order.js');
  const problems = Array.from({ length: count }, (_, i) => ({ id: String(i), problem: problem(i), answer: '1' }));
  const timed = (work) => {
    const start = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  };
  const heldOut = problems.splice(0, 1000);
  const leakage = timed(() => findLeakage(problems, heldOut, { ngram: 13, overlap: 0.5 }));
  const STEPS = 20;
  const order = timed(() => {
    for (let step = 0; step < STEPS; step++) problemsOfStep(problems.length, 256, step, 0);
  });
  return { rows: count, leakage, orderPerStep: order / STEPS };
}

function child(...more) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...more], {
    encoding: 'utf8',
  });
  return status === 0 ? JSON.parse(stdout) : { failed: stderr.trim().split('\n').slice(-8).join('\n') };
}

async function main() {
  const rows = Number(flags.rows);
  const folder = mkdtempSync(join(tmpdir(), 'data-bench-'));
  const results = [];
  const measure = async (name, file, write) => {
    await write();
    const megabytes = Math.round(statSync(file).size / 1e6);
    const result = { name, megabytes, ...child('--load', file) };
    rmSync(file);
    results.push(result);
    process.stderr.write(`${JSON.stringify(result)}\n`);
  };
  try {
    for (const count of [rows / 4, rows / 2, rows]) {
      for (const [name, extension, write] of [
        ['JSON Lines', 'jsonl', writeLines],
        ['JSON array', 'json', (...given) => writeLines(...given, { open: '[', between: ',\n', close: ']' })],
        ['Parquet, one row group', 'parquet', (file, n, make) => writeParquet(file, n, make, n)],
      ]) {
        const file = join(folder, `rows.${extension}`);
        await measure(name, file, () => write(file, count, row));
      }
    }
    const gigabytes = Number(flags.gigabytes);
    for (const share of gigabytes > 0 ? [0.5, 1] : []) {
      const count = Math.round((share * gigabytes * 1e9) / (2 * WIDE_BYTES));
      const make = (i) => ({ ...row(i), traceA: wide(i), traceB: wide(i + 1) });
      const [lines, columns] = ['wide.jsonl', 'wide.parquet'].map((name) => join(folder, name));
      await measure('JSON Lines, wide columns unused', lines, () => writeLines(lines, count, make));
      await measure('Parquet, wide columns unused', columns, () => writeParquet(columns, count, make, GROUP));
    }
    for (const count of [rows / 2, rows]) {
      results.push({ name: 'use', ...child('--steps', String(count)) });
      process.stderr.write(`${JSON.stringify(results.at(-1))}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  mkdirSync(join(root, 'bench', 'results'), { recursive: true });
  const report = { cpu: cpus()[0]?.model, node: process.version, results };
  writeFileSync(join(root, 'bench', 'results', 'data.json'), `${JSON.stringify(report, null, 2)}\n`);
}

if (flags.load !== undefined) console.log(JSON.stringify(await load(flags.load)));
else if (flags.steps !== undefined) console.log(JSON.stringify(await useProblems(Number(flags.steps))));
else await main();
