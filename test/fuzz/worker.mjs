// A process that judges inputs for verifier.mjs. It says before every input which one comes, in a file that the parent reads
// when the process hangs or dies.
import { openSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { BATCH, batch, cases } from './inputs.mjs';
import { createChecks } from './checks.mjs';

const [dist, progressFile, seed] = process.argv.slice(2);
const verifier = createRequire(import.meta.url)(join(dist, 'verifier/index.js'));
const checks = createChecks(verifier);
const progress = openSync(progressFile, 'w');

/** Candidates for the slowest verdicts that one batch reports. */
const SLOWEST = 3;
/** Every so many inputs are judged again at the end of their batch, after unrelated ones. */
const REPEATED = 10;
/** Golds that the verifier remembers: so many small ones push all others out. */
const CACHE = 4096;

function announce(at) {
  writeSync(progress, String(at).padStart(12), 0);
}

/** Heap in use without what the cache of golds holds, in bytes. */
function heap() {
  for (let number = 0; number < CACHE; number++) verifier.verify(`${number}`, '');
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

function judgeBatch(number, from) {
  const inputs = batch(seed, number);
  const verdicts = new Map();
  const counts = {};
  const findings = [];
  const slowest = [];
  for (let at = from; at < BATCH; at++) {
    const input = inputs[at];
    announce(at);
    const thrown = checks.guarded(() => {
      const { verdict, ms } = checks.judge(input);
      counts[verdict.reason] = (counts[verdict.reason] ?? 0) + 1;
      slowest.push({ at, ms });
      if (at % REPEATED === 0) verdicts.set(at, checks.shown(verdict));
      findings.push(...checks.findings(input, verdict, number + at).map((finding) => ({ ...finding, at })));
      return [];
    });
    findings.push(...thrown.map((finding) => ({ ...finding, at })));
  }
  for (const [at, first] of verdicts) {
    announce(at);
    const again = checks.shown(checks.judge(inputs[at]).verdict);
    if (again !== first) findings.push({ kind: 'nondeterministic', detail: `${first}, then ${again}`, at });
  }
  slowest.sort((a, b) => b.ms - a.ms);
  return {
    counts,
    findings,
    judged: BATCH - from,
    slowest: slowest.slice(0, SLOWEST),
    rss: process.resourceUsage().maxRSS * 1024,
  };
}

/** Everything wrong with one input, for the shrinker. */
function judgeOne(input) {
  const thrown = checks.guarded(() => {
    const { verdict } = checks.judge(input);
    return checks.findings(input, verdict);
  });
  return { findings: thrown };
}

let warm = false;

/** Lets the code be compiled, once. */
function warmUp() {
  if (warm) return;
  warm = true;
  for (const { gold, completion } of cases) checks.guarded(() => [checks.judge({ gold, completion })]);
}

/** CPU milliseconds of single verdicts; blanks at the end of the gold keep it out of the cache. */
function time(input, times) {
  warmUp();
  return Array.from({ length: times }, (_, at) => {
    const gold = input.gold + ' '.repeat(at + 1);
    const before = process.cpuUsage();
    checks.guarded(() => [checks.judge({ ...input, gold })]);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
}

process.on('message', (task) => {
  const answer = () => {
    switch (task.kind) {
      case 'batch':
        return judgeBatch(task.number, task.from);
      case 'heap':
        return { heap: heap() };
      case 'one':
        return judgeOne(task.input);
      default:
        return { times: time(task.input, task.times) };
    }
  };
  process.send(answer());
});
process.send('ready');
