/** A tiny random policy and work that would take hours, for the child programs. Uses the compiled package. */
const { Policy } = require('../../../dist/index.js');

const CONFIG = {
  architecture: 'qwen2',
  vocabSize: 64,
  hiddenSize: 32,
  intermediateSize: 64,
  layers: 2,
  heads: 2,
  kvHeads: 1,
  headDim: 16,
  maxPositions: 512,
  rmsNormEps: 1e-6,
  tieWordEmbeddings: true,
  attentionBias: true,
  outputBias: false,
  mlpBias: false,
  qkNorm: false,
  rope: { theta: 10000, scaling: null },
};

const createPolicy = () => Policy.create(CONFIG, { device: 'cpu', threads: 2 });

/** The sum of a few log-probs: proof that the engine computes. */
async function compute(policy) {
  const [logProbs] = await policy.logProbs([{ tokens: Int32Array.of(1, 2, 3, 4), promptLength: 1 }]);
  return logProbs.reduce((sum, value) => sum + value, 0);
}

/** Resolves as soon as the engine is in the middle of the work, which goes on. */
async function startEndlessWork(policy) {
  const prompts = Array.from({ length: 10_000 }, () => Int32Array.of(1, 2, 3));
  const stream = policy.stream(prompts, { n: 64, maxTokens: 400, maxBatch: 8, stopTokens: [0, 1, 2, 3, 4, 5, 6, 7] });
  await stream.next();
  return stream;
}

module.exports = { createPolicy, compute, startEndlessWork };
