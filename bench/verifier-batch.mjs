#!/usr/bin/env node
// How late a timer of the main thread fires while verifyBatch checks many completions, and the verdicts per second with one
// worker and with two. Prints JSON. Run after `npx tsc -p tsconfig.build.json`:
//   node bench/verifier-batch.mjs [cases.jsonl] [least number of cases]
// Lines are {gold, completion} (or {gold, pred}); without a file, generated answers that are long, deep or costly.
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { VerifierPool, verify } from '../dist/index.js';

const [file, least = '20000'] = process.argv.slice(2);

function readCases() {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => {
    const { gold, completion, pred } = JSON.parse(line);
    return { gold: String(gold), completion: String(completion ?? pred) };
  });
}

/** What costs a verifier without limits its time: towers, digits, depth, length, unclosed boxes. */
function hostileCases() {
  const box = (answer) => `so the answer is \\boxed{${answer}}.`;
  const answers = [
    '9^{9^{9^9}}',
    '1000000000!',
    '7'.repeat(100_000),
    `${'\\frac{1}{'.repeat(5_000)}2${'}'.repeat(5_000)}`,
    `${'('.repeat(50_000)}1${')'.repeat(50_000)}`,
    '(x+1)^{500}-(x-1)^{500}',
    Array.from({ length: 5_000 }, (_, i) => 5_000 - i).join(', '),
    '\\sqrt{'.repeat(10_000),
    `${'1+'.repeat(50_000)}1`,
    '2^{-99999999999}',
  ];
  const texts = [
    '\\boxed{'.repeat(100_000),
    '</think>'.repeat(50_000),
    '$'.repeat(200_000),
    'answer is '.repeat(50_000),
  ];
  const plain = Array.from({ length: 40 }, (_, i) => ({ gold: `\\frac{${i}}{7}`, completion: box(`${i}/7`) }));
  return [
    ...answers.map((answer) => ({ gold: '2^{100}', completion: box(answer) })),
    ...texts.map((completion) => ({ gold: '12', completion })),
    { gold: '12', completion: `${'a long working. '.repeat(1_000_000)}\\boxed{12}` },
    ...plain,
  ];
}

const rows = file === undefined ? hostileCases() : readCases();
const wanted = file === undefined ? 1 : Math.ceil(Number(least) / rows.length);
const cases = Array.from({ length: wanted }, () => rows).flat();
const characters = cases.reduce((sum, { gold, completion }) => sum + gold.length + completion.length, 0);
const round = (value) => Number(value.toPrecision(4));
const RESOLUTION_MS = 1;

async function measure(workers) {
  const pool = new VerifierPool({ workers });
  await pool.verify(cases.slice(0, 64 * workers));
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const start = performance.now();
  const verdicts = await pool.verify(cases);
  const seconds = (performance.now() - start) / 1000;
  delay.disable();
  await pool.dispose();
  const reasons = {};
  for (const { reason } of verdicts) reasons[reason] = (reasons[reason] ?? 0) + 1;
  return {
    workers,
    seconds: round(seconds),
    perSecond: round(cases.length / seconds),
    slowestVerdictMs: round(verdicts.reduce((most, { ms }) => Math.max(most, ms), 0)),
    delayMs: {
      p99: round(delay.percentile(99) / 1e6 - RESOLUTION_MS),
      max: round(delay.max / 1e6 - RESOLUTION_MS),
    },
    reasons,
  };
}

for (const { gold, completion } of rows.slice(0, 64)) verify(gold, completion);
const start = performance.now();
for (const { gold, completion } of rows) verify(gold, completion);
const synchronous = round(rows.length / ((performance.now() - start) / 1000));
const runs = [];
for (const workers of [1, 2]) runs.push(await measure(workers));
console.log(JSON.stringify({ cases: cases.length, characters, synchronousPerSecond: synchronous, runs }, null, 2));
