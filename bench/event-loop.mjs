#!/usr/bin/env node
/**
 * How late a 10 ms timer fires while a model of the shape of SmolLM2-135M, with random weights, is trained: samples of 512
 * tokens, scored and stepped on by `train`, its rollouts written token by token. Prints JSON.
 * Run after `npm run setup`: node bench/event-loop.mjs [--steps 2] [--prompts 4] [--samples 8] [--tokens 512]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Policy, train } from '../dist/index.js';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '2' },
    prompts: { type: 'string', default: '4' },
    samples: { type: 'string', default: '8' },
    tokens: { type: 'string', default: '512' },
  },
});
const [steps, prompts, samples, maxTokens] = ['steps', 'prompts', 'samples', 'tokens'].map((key) =>
  Number(values[key]),
);

const shape = {
  architecture: 'llama',
  vocabSize: 49_152,
  hiddenSize: 576,
  intermediateSize: 1536,
  layers: 30,
  heads: 9,
  kvHeads: 3,
  headDim: 64,
  maxPositions: 8192,
  rmsNormEps: 1e-5,
  tieWordEmbeddings: true,
  attentionBias: false,
  outputBias: false,
  mlpBias: false,
  qkNorm: false,
  rope: { theta: 100_000, scaling: null },
};

/** Delays of the timer by what was going on. */
const delays = [];
let expected = performance.now() + 10;
const tick = () => {
  const now = performance.now();
  delays.push(Math.max(0, now - expected));
  expected = now + 10;
  timer = setTimeout(tick, 10);
};

const folder = mkdtempSync(join(tmpdir(), 'zero-rl-event-loop-'));
let timer;
try {
  const model = join(folder, 'model');
  const policy = await Policy.create(shape, {
    device: 'cpu',
    tokenizerFrom: new URL('../models/arithmetic-1m', import.meta.url).pathname,
  });
  await policy.save(model);
  policy.dispose();
  expected = performance.now() + 10;
  timer = setTimeout(tick, 10);
  const run = train(
    {
      model,
      data: { train: 'arithmetic', count: 100 },
      kl: { measure: true },
      rollout: { promptsPerStep: prompts, samplesPerPrompt: samples, maxTokens, stopTokens: [] },
      preview: { prompts: 0 },
      evaluation: { problems: 1 },
      steps,
      output: join(folder, 'runs'),
    },
    { reward: ({ index }) => index % 2 },
  );
  for await (const { step } of run) process.stderr.write(`step ${step}\n`);
} finally {
  clearTimeout(timer);
  rmSync(folder, { recursive: true, force: true });
}

delays.sort((a, b) => a - b);
const quantile = (q) => Number(delays[Math.min(delays.length - 1, Math.floor(q * delays.length))].toFixed(2));
console.log(
  JSON.stringify({
    timers: delays.length,
    steps,
    tokensPerStep: prompts * samples * maxTokens,
    delayMs: { median: quantile(0.5), p99: quantile(0.99), max: quantile(1) },
  }),
);
