#!/usr/bin/env node
// Fuzzes the math verifier: generated answers, labelled cases and token soup, mutated, in worker processes with a watchdog.
//
//   npm run build && node test/fuzz/verifier.mjs --inputs 1000000 --minutes 20 --seed 1 --json fuzz.json
//
//   --inputs N     inputs to judge (100000); --minutes M ends earlier (20)
//   --seed N       the inputs of a seed are the same on every machine (1)
//   --workers N    processes (one per core)
//   --dist DIR     the build to fuzz (dist/)
//   --json OUT     write the report to a file, with every finding and its minimal input
//
// Looks for: errors thrown, hangs and crashes, unsound verdicts (a reason outside the list, a null without a gold at fault),
// verdicts over 100 ms of CPU time (each of three more times, alone), other verdicts for the same input, verdicts that change between
// equal and different with neutral white space, `$` or `\left`, asymmetry, and a heap that grows. Ends with 1 when it finds any.
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Lost, Worker } from './crew.mjs';
import { BATCH, batch } from './inputs.mjs';
import { shrink } from './shrink.mjs';

const { values: options } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    minutes: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
    dist: { type: 'string', default: fileURLToPath(new URL('../../dist', import.meta.url)) },
    json: { type: 'string' },
  },
});
const [inputs, minutes, seed, workers] = [options.inputs, options.minutes, options.seed, options.workers].map(Number);
if (![inputs, minutes, seed, workers].every((value) => Number.isFinite(value)) || inputs < 1 || workers < 1) {
  console.error('Expected numbers for --inputs, --minutes, --seed and --workers');
  process.exit(2);
}
const dist = resolve(options.dist);

const SLOW_MS = 100;
const SLOWEST = 10;
/** Heaps measured by each worker over the run. */
const HEAPS = 12;
const GROWTH_MIB = 16;
/** Findings of one kind that are shrunk and listed; the others are counted. */
const LISTED = 12;
/** Hangs and crashes after which the run ends: each takes a while. */
const MOST_LOST = 10;
const MIB = 2 ** 20;

const start = performance.now();
const end = start + minutes * 60_000;
const batches = Math.ceil(inputs / BATCH);
const report = {
  seed,
  dist,
  inputs: 0,
  complete: false,
  seconds: 0,
  verdicts: {},
  peakRssMiB: 0,
  heaps: [],
  counts: {},
  slowest: [],
  findings: [],
};
const found = [];
let candidates = [];
let next = 0;
let lost = 0;

const share = () => Math.max(report.inputs / inputs, (performance.now() - start) / (end - start));

async function runBatch(worker, number) {
  for (let from = 0; from < BATCH && lost < MOST_LOST;) {
    try {
      const answer = await worker.run({ kind: 'batch', number, from });
      report.inputs += answer.judged;
      report.peakRssMiB = Math.max(report.peakRssMiB, Math.round(answer.rss / MIB));
      for (const [reason, count] of Object.entries(answer.counts))
        report.verdicts[reason] = (report.verdicts[reason] ?? 0) + count;
      found.push(...answer.findings.map((finding) => ({ ...finding, number })));
      candidates.push(...answer.slowest.map(({ at, ms }) => ({ number, at, ms })));
      if (candidates.length > 1000) candidates = candidates.sort((a, b) => b.ms - a.ms).slice(0, 60);
      return;
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      lost++;
      found.push({ kind: error.kind, detail: `the process was lost over this input`, number, at: error.at });
      report.inputs += error.at + 1 - from;
      from = error.at + 1;
    }
  }
}

async function work(worker) {
  let heaps = [];
  let generation = 0;
  for (let measured = 0; next < batches && lost < MOST_LOST && performance.now() < end;) {
    const number = next++;
    await runBatch(worker, number);
    if (worker.generation !== generation) {
      // A new process starts from an empty heap.
      if (heaps.length > 0) report.heaps.push(heaps);
      heaps = [];
      generation = worker.generation;
    }
    if (share() >= (measured + 1) / HEAPS) {
      measured = Math.floor(share() * HEAPS);
      heaps.push((await worker.run({ kind: 'heap' })).heap / MIB);
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${report.inputs} inputs, ${found.length} findings `);
  }
  report.heaps.push(heaps);
}

/** Early and late heap of one process, and what it grew by; the first is left out, since code is still compiled. */
function growth(heaps) {
  if (heaps.length < 6) return null;
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [early, late] = [mean(heaps.slice(1, 3)), mean(heaps.slice(-2))];
  return { earlyMiB: early, lateMiB: late, grownMiB: late - early };
}

const inputOf = ({ number, at }) => batch(seed, number)[at];

/** Long texts by their beginning and length. */
const brief = (text) => (text.length > 2000 ? `${text.slice(0, 300)}... (${text.length} characters)` : text);
const listed = ({ gold, completion, pair }) =>
  pair ? { gold: brief(pair.gold), answer: brief(pair.answer) } : { gold: brief(gold), completion: brief(completion) };

async function timeAlone(worker, input, times) {
  try {
    return (await worker.run({ kind: 'time', input, times })).times;
  } catch (error) {
    if (!(error instanceof Lost)) throw error;
    lost++;
    return [Infinity];
  }
}

/** Whether a smaller input fails like a finding does. */
const failsLike =
  (worker, { kind, variant }) =>
  async (input) => {
    if (kind === 'slow') return Math.min(...(await timeAlone(worker, input, 2))) > SLOW_MS;
    try {
      const { findings } = await worker.run({ kind: 'one', input });
      return findings.some(
        (finding) => finding.kind === kind && finding.variant?.split(' ')[0] === variant?.split(' ')[0],
      );
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      return kind === error.kind;
    }
  };

/** A damaged text may fail these for no reason, so a smaller one would mean nothing; and a hang takes its time. */
const isShrunk = ({ kind, variant }) =>
  kind !== 'nondeterministic' && kind !== 'hang' && !/^(?:operators|brackets|left) /.test(variant ?? '');

async function describe(worker, finding) {
  const input = finding.input ?? inputOf(finding);
  const minimal = isShrunk(finding) ? await shrink(input, failsLike(worker, finding)) : input;
  const { kind, detail, number, at } = finding;
  return { kind, detail, batch: number, at, input: listed(input), minimal: listed(minimal) };
}

const crew = Array.from({ length: workers }, () => new Worker(dist, seed));
try {
  await Promise.all(crew.map(work));
} finally {
  for (const worker of crew) worker.stop();
}
report.complete = report.inputs >= inputs;

const alone = new Worker(dist, seed);
try {
  candidates = candidates.sort((a, b) => b.ms - a.ms).slice(0, 30);
  for (const candidate of candidates) {
    if (lost >= 2 * MOST_LOST) break;
    const input = inputOf(candidate);
    const times = await timeAlone(alone, input, 3);
    if (times.every((ms) => ms > SLOW_MS))
      found.push({ kind: 'slow', detail: `${times.map(Math.round).join(', ')} ms`, ...candidate });
    report.slowest.push({ ms: times.map((ms) => Number(ms.toFixed(1))), ...listed(input) });
  }
  report.slowest = report.slowest.sort((a, b) => Math.min(...b.ms) - Math.min(...a.ms)).slice(0, SLOWEST);

  for (const heaps of report.heaps) {
    const grown = growth(heaps);
    if (grown && grown.grownMiB > GROWTH_MIB)
      report.findings.push({ kind: 'leak', detail: `the heap grew by ${grown.grownMiB.toFixed(1)} MiB` });
  }
  for (const finding of found) {
    const seen = (report.counts[finding.kind] = (report.counts[finding.kind] ?? 0) + 1);
    if (seen <= LISTED) report.findings.push(await describe(alone, finding));
  }
} finally {
  alone.stop();
}
report.heapGrowth = report.heaps.map(growth);
report.heaps = report.heaps.map((heaps) => heaps.map((mib) => Number(mib.toFixed(1))));
report.seconds = Math.round((performance.now() - start) / 1000);

const text = JSON.stringify(report, null, 2);
if (options.json) writeFileSync(options.json, `${text}\n`);
else console.log(text);
const failed = report.findings.length > 0;
console.error(
  `${report.inputs} inputs in ${report.seconds} s${report.complete ? '' : ' (not all)'}, peak RSS ${report.peakRssMiB} MiB: ${failed ? JSON.stringify({ ...report.counts }) : 'nothing found'}`,
);
process.exitCode = failed ? 1 : 0;
