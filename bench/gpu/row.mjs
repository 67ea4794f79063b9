/**
 * One row of the table of a CUDA device: `node bench/gpu/row.mjs NAME` prints it as one JSON object; without a name, the
 * names. Shares are those of ceilings that the same process measures. Needs `npm run build` and `npm run build:cuda`.
 */
import { createRequire } from 'node:module';
import { cacheBytes, decodeFloor, forwardFlops, shapes } from './shapes.mjs';

const require = createRequire(import.meta.url);
const { Policy } = require('../../dist/index.js');
const { loadCuda } = require('../../dist/libtorch/load-cuda.js');
const { loadNative } = require('../../dist/libtorch/load.js');

const tokensOf = (length, seed) =>
  Int32Array.from({ length }, (_, i) => (1_000 + 7_919 * i + 104_729 * seed) % 150_000);

async function withPolicy(shape, options, body) {
  const policy = await Policy.create(shapes[shape], { device: 'cuda', dtype: 'bfloat16', ...options });
  try {
    return await body(policy, shapes[shape]);
  } finally {
    policy.dispose();
  }
}

async function timed(work) {
  const start = performance.now();
  const result = await work();
  return { seconds: (performance.now() - start) / 1000, result };
}

let made = 0;
/** Prompts of these lengths that no call before had, whose keys and values would be cached. */
const fresh = (lengths) => lengths.map((length) => tokensOf(length, made++));
const withStops = (maxTokens, options = {}) => ({ maxTokens, stopTokens: [], ...options });

/** Batch 256 at a context of about 1k: prompts of 768 and 512 new tokens; the prompt pass is taken off by a run of one token. */
const decode = (shape) => (ceilings) =>
  withPolicy(shape, {}, async (policy, config) => {
    const [batch, prompt, tokens] = [256, 768, 512];
    const [lengths, options] = [Array(batch).fill(prompt), withStops(tokens, { maxBatch: batch })];
    await policy.sample(fresh(lengths), options);
    const prompts = [fresh(lengths), fresh(lengths)];
    const first = await timed(() => policy.sample(prompts[0], { ...options, maxTokens: 1 }));
    const all = await timed(() => policy.sample(prompts[1], options));
    const seconds = all.seconds - first.seconds;
    const floor = decodeFloor(config, batch, prompt + tokens / 2, ceilings);
    return {
      tokensPerSecond: (batch * (tokens - 1)) / seconds,
      secondsOfPrompts: first.seconds,
      roofline: (floor * (tokens - 1)) / seconds,
    };
  });

/** 256 prompts of 100 to 1024 tokens, drawn evenly; every completion has the mean length, 562. */
const mixed = (ceilings) =>
  withPolicy('0.5b', {}, async (policy, config) => {
    const lengths = Array.from({ length: 256 }, (_, i) => 100 + ((i * 379) % 925));
    await policy.sample(fresh(lengths), withStops(562));
    const prompts = fresh(lengths);
    const { seconds } = await timed(() => policy.sample(prompts, withStops(562)));
    const floor = 562 * decodeFloor(config, 256, 562 + 281, ceilings);
    return { tokensPerSecond: (256 * 562) / seconds, roofline: floor / seconds };
  });

const sequencesOf = (count, prompt, tokens) =>
  Array.from({ length: count }, (_, i) => ({
    tokens: tokensOf(prompt + tokens, i),
    promptLength: prompt,
    advantages: i % 2 === 0 ? 1 : -1,
  }));

/** 64 sequences of 256 + 768 tokens. */
const pass = (shape, task) => (ceilings) =>
  withPolicy(shape, {}, async (policy, config) => {
    const sequences = sequencesOf(64, 256, 768);
    const run = () =>
      task === 'step'
        ? policy.step(sequences, {})
        : policy.logProbs(sequences.map(({ tokens, promptLength }) => ({ tokens, promptLength })));
    await run();
    const { seconds } = await timed(run);
    const tokens = 64 * 1024;
    const flops = tokens * forwardFlops(config, 1024) * (task === 'step' ? 3 : 1);
    return { tokensPerSecond: tokens / seconds, modelFlopsUtilization: flops / seconds / ceilings.product };
  });

/** Rollout, then one step on its log-probs: prompts x samples, prompt + new tokens. */
const learn = (shape, prompts, n, prompt, tokens, options) => () =>
  withPolicy(shape, options, async (policy) => {
    const round = async (seed) => {
      const asked = fresh(Array(prompts).fill(prompt));
      const sampled = await timed(() => policy.sample(asked, withStops(tokens, { n, seed })));
      const sequences = sampled.result.map(({ prompt: index, sample, tokens: drawn, logProbs }) => ({
        tokens: Int32Array.from([...asked[index], ...drawn]),
        promptLength: prompt,
        advantages: sample % 2 === 0 ? 1 : -1,
        oldLogProbs: logProbs,
      }));
      const stepped = await timed(() => policy.step(sequences, { objective: 'ppo' }));
      return { rollout: sampled.seconds, step: stepped.seconds, logProbDifference: stepped.result.logProbDifference };
    };
    await round(0);
    const seconds = await round(1);
    return { seconds: seconds.rollout + seconds.step, ...seconds, bytesPerCachedToken: cacheBytes(shapes[shape]) };
  });

const rows = {
  'decode-0.5b': decode('0.5b'),
  'decode-1.5b': decode('1.5b'),
  'decode-7b': decode('7b'),
  'mixed-0.5b': mixed,
  'logprobs-0.5b': pass('0.5b', 'logprobs'),
  'logprobs-1.5b': pass('1.5b', 'logprobs'),
  'step-0.5b': pass('0.5b', 'step'),
  'step-1.5b': pass('1.5b', 'step'),
  'rl-0.5b': learn('0.5b', 64, 16, 256, 768, {}),
  'rl-7b': learn('7b', 32, 8, 256, 512, { moments: 'bfloat16' }),
};

const name = process.argv[2];
if (name === undefined) {
  process.stdout.write(`${Object.keys(rows).join('\n')}\n`);
} else if (rows[name] === undefined) {
  process.stderr.write(`Expected one of ${Object.keys(rows).join(', ')} but received ${name}\n`);
  process.exitCode = 2;
} else {
  loadCuda();
  const ceilings = await loadNative().measureDevice('cuda:0');
  process.stdout.write(`${JSON.stringify({ row: name, ...(await rows[name](ceilings)), ceilings })}\n`);
}
