// One measuring process of bench/verifier.mjs: verifies every case of one file, first in a warm-up pass that reports
// each verdict as a JSON line, then in timed passes, and reports their rates at the end. A case that hangs leaves its
// line out, so the parent knows which one to skip.
import { createRequire } from 'node:module';
import { writeSync } from 'node:fs';
import { readCases } from '../test/verifier-cases/read.mjs';

const [module, file, repeat, skipped] = process.argv.slice(2);
const { verify } = createRequire(import.meta.url)(module);
const skip = new Set(JSON.parse(skipped));
const cases = readCases(file).filter((row) => row.label !== 'wrong' && !skip.has(row.id));
const emit = (message) => writeSync(1, JSON.stringify(message) + '\n');

function judge(row) {
  const start = performance.now();
  try {
    const { correct, reason, extracted } = verify(row.gold, row.completion);
    return { correct, reason, extracted: extracted?.slice(0, 200), ms: performance.now() - start };
  } catch (error) {
    return { correct: false, reason: `threw ${error?.name}`, ms: performance.now() - start };
  }
}

const first = cases.map((row) => {
  emit({ started: row.id });
  const verdict = judge(row);
  emit({ id: row.id, ...verdict });
  return verdict;
});

emit({ warm: true });
// V8 compiles hot code late: a short file is run again until that has happened. Python has no such phase.
const warmUntil = performance.now() + 3000;
for (let pass = 0; pass < 30 && performance.now() < warmUntil; pass++) {
  cases.forEach(judge);
  emit({ warm: true });
}
const rates = [];
const times = {};
const unstable = new Set();
for (let pass = 0; pass < Number(repeat); pass++) {
  const start = performance.now();
  const verdicts = cases.map(judge);
  rates.push((cases.length / (performance.now() - start)) * 1000);
  emit({ warm: true });
  verdicts.forEach((verdict, i) => {
    (times[cases[i].id] ??= []).push(verdict.ms);
    const same = verdict.correct === first[i].correct && verdict.reason === first[i].reason;
    if (!same) unstable.add(cases[i].id);
  });
}
emit({ rates, times, unstable: [...unstable], peakRssMiB: process.resourceUsage().maxRSS / 1024 });
