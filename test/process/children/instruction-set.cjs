/** Prints the instruction set in force and what a policy computes with it: log-probs, and again after two steps. */
const { Policy } = require('../../../dist/index.js');
const { loadNative } = require('../../../dist/libtorch/load.js');

const config = {
  architecture: 'qwen3',
  vocabSize: 61,
  hiddenSize: 48,
  intermediateSize: 80,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 18,
  maxPositions: 128,
  rmsNormEps: 1e-6,
  tieWordEmbeddings: false,
  attentionBias: true,
  outputBias: true,
  mlpBias: false,
  qkNorm: true,
  rope: { theta: 10000, scaling: null },
};

async function main() {
  const policy = await Policy.create(config, { seed: 9, std: 0.2, dtype: process.argv[2], threads: 2, device: 'cpu' });
  const sequences = Array.from({ length: 5 }, (_, i) => ({
    tokens: Int32Array.from({ length: 7 + 9 * i }, (_, t) => (i * 13 + t * 7) % 61),
    promptLength: 1 + i,
  }));
  const score = async () => (await policy.logProbs(sequences)).flatMap((row) => Array.from(row));
  const before = await score();
  for (let step = 0; step < 2; step++) {
    await policy.step(
      sequences.map((sequence, i) => ({ ...sequence, advantages: i - 1.5 })),
      { learningRate: 1e-3, eps: 1e-3 },
    );
  }
  console.log(JSON.stringify({ name: loadNative().instructionSet, before, after: await score() }));
  policy.dispose();
}

void main();
