#!/usr/bin/env node
/**
 * The comparison's node-llama-cpp side: sampling through the package's public API.
 *
 *   UV_THREADPOOL_SIZE=1 node llama_peer.mjs '{"package": FOLDER, "file": FILE.gguf, "batch": 8, "group": 4, "prompt": 32,
 *     "tokens": 32, "threads": 2, "vocabulary": 256, "flashAttention": true, "cacheType": "F16"}'
 *
 * Reads "run" and "end" from standard input, a line each; answers each with a line of JSON. All sequences lie in one
 * context and their generators step together, so that every decode is one batch: left to run freely on Node's thread
 * pool the batches break up and it is many times slower. Temperature 1; topK null skips the sorting that 0 asks for.
 * The package keeps at most 256 sequences in a context; more run in turns.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const MOST_SEQUENCES = 256;
const options = JSON.parse(process.argv[2]);
const { batch, group, prompt, tokens, threads, vocabulary } = options;
const entry = path.join(options.package, 'node_modules/node-llama-cpp');
const { getLlama } = await import(pathToFileURL(path.join(entry, 'dist/index.js')).href);
const version = JSON.parse(readFileSync(path.join(entry, 'package.json'), 'utf8')).version;

const llama = await getLlama({
  gpu: false,
  build: 'never',
  logger: (level, text) => (level === 'error' || level === 'fatal') && process.stderr.write(`${text}\n`),
  maxThreads: threads,
});
const model = await llama.loadModel({ modelPath: options.file, gpuLayers: 0 });
const sequences = Math.min(batch, MOST_SEQUENCES);
const context = await model.createContext({
  sequences,
  contextSize: prompt + tokens,
  batchSize: Math.max(512, sequences),
  threads: { ideal: threads, min: threads },
  flashAttention: options.flashAttention,
  experimentalKvCacheKeyType: options.cacheType,
  experimentalKvCacheValueType: options.cacheType,
  batching: { dispatchSchedule: 'nextCycle' },
});
const slots = Array.from({ length: sequences }, () => context.getSequence());

let state = 1;
const randomToken = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) % vocabulary;
const prompts = Array.from({ length: batch / group }, () => Array.from({ length: prompt }, randomToken));

async function sampleRows(rows, seed) {
  const generators = rows.map((row, i) =>
    slots[i].evaluate(prompts[Math.floor(row / group)], {
      temperature: 1,
      topK: null,
      topP: 1,
      minP: 0,
      seed: seed + row,
      repeatPenalty: false,
      yieldEogToken: true,
    }),
  );
  let drawn = 0;
  for (let token = 0; token < tokens; token++) {
    const results = await Promise.all(generators.map((generator) => generator.next()));
    drawn += results.filter(({ done }) => !done).length;
  }
  await Promise.all(generators.map((generator) => generator.return()));
  await Promise.all(rows.map((_, i) => slots[i].clearHistory()));
  if (drawn !== rows.length * tokens) throw new Error(`${drawn} of ${rows.length * tokens} tokens were drawn`);
}

async function run(seed) {
  const rows = Array.from({ length: batch }, (_, i) => i);
  for (let first = 0; first < batch; first += sequences) await sampleRows(rows.slice(first, first + sequences), seed);
}

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
answer({ ready: `node-llama-cpp ${version}` });
let runs = 0;
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === 'end') break;
  const start = performance.now();
  await run(1 + runs++ * batch);
  answer({ seconds: (performance.now() - start) / 1000 });
}
const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
answer({ peakRssMiB: Number(peak?.[1]) / 1024 });
process.exit(0);
