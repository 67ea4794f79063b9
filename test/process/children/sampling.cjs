/**
 * Completions whose contexts are cached, computed in chunks, taken from them for want of memory, or drawn in company, against
 * those of a policy of its own and against scoring, in the instruction set that ZERO_RL_ISA names. Prints what differs.
 */
const { Policy } = require('../../../dist/index.js');
const { loadNative } = require('../../../dist/libtorch/load.js');

const config = {
  architecture: 'qwen2',
  vocabSize: 211,
  hiddenSize: 40,
  intermediateSize: 56,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 18,
  maxPositions: 3000,
  rmsNormEps: 1e-6,
  tieWordEmbeddings: true,
  attentionBias: true,
  outputBias: false,
  mlpBias: false,
  qkNorm: false,
  rope: { theta: 10_000, scaling: null },
};
const create = (options) => Policy.create(config, { device: 'cpu', seed: 3, std: 0.2, threads: 2, ...options });
const tokensOf = (key, length) =>
  Int32Array.from({ length }, (_, t) => (key * 131 + t * 29 + key * t) % config.vocabSize);

/** Completions in full, so that equal texts are equal bits. */
const bitsOf = (rollouts) =>
  JSON.stringify(
    rollouts.map(({ tokens, logProbs }) => [[...tokens], [...new Uint32Array(Float32Array.from(logProbs).buffer)]]),
  );

async function main() {
  const prompts = [1, 31, 32, 33, 65, 100].map((length, i) => tokensOf(i + 1, length));
  const long = tokensOf(9, 2500);
  const options = { n: 3, maxTokens: 70, stopTokens: [5], seed: 4 };
  const own = await create({ threads: 1 });
  const expected = bitsOf(await own.sample(prompts, options));
  const expectedLong = bitsOf(await own.sample([long], options));
  const differing = [];
  const check = (name, rollouts, wanted = expected) => {
    if (bitsOf(rollouts) !== wanted) differing.push(name);
  };

  const policy = await create();
  const [first, chunked] = await Promise.all([policy.sample(prompts, options), policy.sample([long], options)]);
  check('in company', first);
  check('in chunks', chunked, expectedLong);
  check('cached', await policy.sample(prompts, options));
  if (policy.lastSampleStats.promptTokens !== prompts.length) differing.push('not cached');
  const whole = (context, { tokens }) => ({
    tokens: Int32Array.from([...context, ...tokens]),
    promptLength: context.length,
  });
  const scored = await policy.logProbs([
    ...first.map((rollout) => whole(prompts[rollout.prompt], rollout)),
    ...chunked.map((rollout) => whole(long, rollout)),
  ]);
  check(
    'scored',
    [...first, ...chunked].map(({ tokens }, i) => ({ tokens, logProbs: scored[i] })),
    bitsOf([...first, ...chunked]),
  );
  const small = await create({ memoryMiB: 1 });
  const many = { ...options, n: 12, maxTokens: 200, stopTokens: [] };
  check('preempted', await small.sample(prompts, many), bitsOf(await own.sample(prompts, many)));
  const { promptTokens, cachedTokens } = small.lastSampleStats;
  if (promptTokens + cachedTokens <= prompts.reduce((sum, { length }) => sum + length, 0))
    differing.push('not preempted');
  for (const each of [own, policy, small]) each.dispose();
  console.log(JSON.stringify({ instructionSet: loadNative().instructionSet, differing }));
}

void main();
