/**
 * Computes golden cases with 1 to 4 threads: `golden.cjs JOBS` with a JSON file of
 *   { logits: [{ folder, sequences, temperatures }], steps: [{ folder, batches, options, steps, output }] }
 * Prints { instructionSet, results: [{ threads, logits: [log-probs per temperature and sequence], steps: [{ stats of each,
 * folder with the weights afterwards }] }] }; that folder is `output` with the threads behind it. Uses the compiled
 * package.
 */
const { readFileSync } = require('node:fs');
const { Policy } = require('../../../dist/index.js');
const { loadNative } = require('../../../dist/libtorch/load.js');

const jobs = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const load = (folder, threads) => Policy.load(folder, { device: 'cpu', dtype: 'float32', threads });
const plain = (rows) => rows.map((row) => Array.from(row));

async function score({ folder, sequences, temperatures }, threads) {
  const policy = await load(folder, threads);
  const results = [];
  for (const temperature of temperatures) results.push(plain(await policy.logProbs(sequences, { temperature })));
  policy.dispose();
  return results;
}

const asTraining = (batch) =>
  batch.map(({ advantages, mask, ...rest }) => ({
    ...rest,
    advantages: typeof advantages === 'number' ? advantages : Float32Array.from(advantages),
    ...(mask === undefined ? {} : { mask: Uint8Array.from(mask) }),
  }));

async function train({ folder, batches, options, steps, output }, threads) {
  const policy = await load(folder, threads);
  const stats = [];
  for (let step = 0; step < steps; step++)
    stats.push(await policy.step(asTraining(batches[step % batches.length]), options));
  const saved = `${output}-${threads}`;
  await policy.save(saved);
  policy.dispose();
  return { stats, saved };
}

async function main() {
  const results = [];
  for (const threads of [1, 2, 3, 4]) {
    const logits = [];
    for (const job of jobs.logits) logits.push(await score(job, threads));
    const steps = [];
    for (const job of jobs.steps) steps.push(await train(job, threads));
    results.push({ threads, logits, steps });
  }
  console.log(JSON.stringify({ instructionSet: loadNative().instructionSet, results }));
}

void main();
