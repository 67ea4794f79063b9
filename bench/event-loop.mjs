#!/usr/bin/env node
// How late a 10 ms timer fires while the engine samples and trains. Prints JSON.
// Run after `npm run setup`: node bench/event-loop.mjs [seconds]
import { Policy } from '../dist/index.js';

const seconds = Number(process.argv[2] ?? 20);
const policy = await Policy.load(new URL('../models/arithmetic-1m', import.meta.url).pathname);
const prompts = Array.from({ length: 32 }, (_, i) => Int32Array.from({ length: 20 }, (_, j) => 5 + ((i + j) % 20)));

const delays = [];
let expected = performance.now() + 10;
const tick = () => {
  const now = performance.now();
  delays.push(Math.max(0, now - expected));
  expected = now + 10;
  timer = setTimeout(tick, 10);
};
let timer = setTimeout(tick, 10);

const end = performance.now() + seconds * 1000;
let steps = 0;
while (performance.now() < end) {
  const rollouts = await policy.sample(prompts, { n: 8, maxTokens: 64, seed: steps });
  await policy.step(
    rollouts.map((rollout, i) => ({
      tokens: Int32Array.from([...prompts[rollout.prompt], ...rollout.tokens]),
      promptLength: prompts[rollout.prompt].length,
      advantages: i % 2 === 0 ? 1 : -1,
    })),
    { learningRate: 1e-6 },
  );
  steps++;
}
clearTimeout(timer);
policy.dispose();

delays.sort((a, b) => a - b);
const quantile = (q) => Number(delays[Math.min(delays.length - 1, Math.floor(q * delays.length))].toFixed(2));
console.log(
  JSON.stringify({
    timers: delays.length,
    steps,
    delayMs: { median: quantile(0.5), p99: quantile(0.99), max: quantile(1) },
  }),
);
