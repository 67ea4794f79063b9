#!/usr/bin/env node
/**
 * What the turns of an episode cost: ten turns of 64 new tokens after a prompt of 512, each continuing the turn before, against
 * one response of the same tokens. Run after `npm run setup`:
 *
 *   node bench/multi-turn.mjs --model <folder> [--episodes 8] [--turns 10] [--tokens 64] [--prompt 512] [--runs 5]
 *
 * Prints the best time of either, their ratio, and the tokens of contexts that the turns computed and found cached.
 */
import { parseArgs } from 'node:util';
import { Policy } from '../dist/index.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    episodes: { type: 'string', default: '8' },
    turns: { type: 'string', default: '10' },
    tokens: { type: 'string', default: '64' },
    prompt: { type: 'string', default: '512' },
    runs: { type: 'string', default: '5' },
    threads: { type: 'string' },
  },
});
const [episodes, turns, tokens, prompt, runs] = ['episodes', 'turns', 'tokens', 'prompt', 'runs'].map((key) =>
  Number(values[key]),
);
const policy = await Policy.load(values.model, {
  device: 'cpu',
  ...(values.threads === undefined ? {} : { threads: Number(values.threads) }),
});

/** Prompts that no run before has seen. */
const promptsOf = (run) =>
  Array.from({ length: episodes }, (_, episode) =>
    Int32Array.from(
      { length: prompt },
      (_, t) => (run * 7919 + episode * 131 + t * 29 + t * t * (run % 13)) % policy.config.vocabSize,
    ),
  );
const common = { stopTokens: [], temperature: 1 };

async function inOneGo(run) {
  await policy.sample(promptsOf(2 * run), { ...common, maxTokens: turns * tokens, seed: run });
}

async function inTurns(run) {
  let contexts = promptsOf(2 * run + 1);
  const counts = { computed: 0, cached: 0 };
  for (let turn = 0; turn < turns; turn++) {
    const rollouts = await policy.sample(contexts, { ...common, maxTokens: tokens, seed: 1000 * run + turn });
    contexts = rollouts.map((rollout) => Int32Array.from([...contexts[rollout.prompt], ...rollout.tokens]));
    counts.computed += policy.lastSampleStats.promptTokens;
    counts.cached += policy.lastSampleStats.cachedTokens;
  }
  return counts;
}

const seconds = async (work) => {
  const start = process.hrtime.bigint();
  const result = await work();
  return [Number(process.hrtime.bigint() - start) / 1e9, result];
};

const best = { once: Infinity, turns: Infinity };
let counts;
for (let run = 0; run < runs; run++) {
  const [once] = await seconds(() => inOneGo(run));
  const [together, counted] = await seconds(() => inTurns(run));
  best.once = Math.min(best.once, once);
  best.turns = Math.min(best.turns, together);
  counts = counted;
}
policy.dispose();
console.log(`one response of ${turns * tokens} tokens: ${best.once.toFixed(3)} s`);
console.log(`${turns} turns of ${tokens} tokens: ${best.turns.toFixed(3)} s, ${(best.turns / best.once).toFixed(2)}x`);
console.log(`contexts of the turns: ${counts.computed} tokens computed, ${counts.cached} cached`);
