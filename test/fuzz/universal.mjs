#!/usr/bin/env node
// Looks for answers that equal golds which differ from each other: universal answers, and failures of transitivity.
//
//   npm run build && node test/fuzz/universal.mjs --seconds 600 --seed 1
//
//   --seconds N    how long to look (600); --golds N in the pool (5000); --seed N (1); --dist DIR the build to try (dist/)
//   --first        stop at the first finding
//
// Prints each finding as a line of JSON and ends with 1 where there is any.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadTypescript } from './load-typescript.mjs';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    golds: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    first: { type: 'boolean', default: false },
    dist: { type: 'string', default: fileURLToPath(new URL('../../dist', import.meta.url)) },
  },
});
const [seconds, count, seed] = [options.seconds, options.golds, options.seed].map(Number);
if (![seconds, count, seed].every(Number.isFinite)) {
  console.error('Expected numbers for --seconds, --golds and --seed');
  process.exit(2);
}
const { goldPool, searchUniversal } = loadTypescript('../support/universal-answers/search.ts');
const verifier = createRequire(import.meta.url)(join(resolve(options.dist), 'verifier/index.js'));

const golds = goldPool(seed, count);
const start = performance.now();
const passed = () => (performance.now() - start) / 1000;
let answers = 0;
const more = (tried) => {
  answers = tried;
  return passed() < seconds;
};
let found = 0;
for (const violation of searchUniversal(verifier, golds, seed, more)) {
  found++;
  console.log(JSON.stringify({ ...violation, seconds: Number(passed().toFixed(1)) }));
  if (options.first) break;
}
console.error(`${answers} answers on ${golds.length} golds in ${passed().toFixed(0)} s: ${found} findings`);
process.exitCode = found > 0 ? 1 : 0;
