/** What the tests on a CUDA device share. They run what `npm run build` and `npm run build:cuda` made. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
export const { Policy } = require('../../dist/index.js');

/** Why there is no device, as node:test takes it: false where there is one. */
export function skipReason() {
  try {
    require('../../dist/libtorch/load-cuda.js').loadCuda();
    return false;
  } catch (error) {
    return error.message;
  }
}

/** A model large enough that grouped heads, splits of keys and several buckets occur; small enough for the CPU. */
export const config = {
  architecture: 'qwen2',
  vocabSize: 4099,
  hiddenSize: 256,
  intermediateSize: 640,
  layers: 3,
  heads: 14,
  kvHeads: 2,
  headDim: 64,
  maxPositions: 2048,
  rmsNormEps: 1e-6,
  tieWordEmbeddings: true,
  attentionBias: true,
  outputBias: false,
  mlpBias: false,
  qkNorm: false,
  rope: { theta: 10_000, scaling: null },
};

export const create = (options, changes = {}) =>
  Policy.create({ ...config, ...changes }, { seed: 5, std: 0.05, ...options });

export const prompts = Array.from({ length: 24 }, (_, i) =>
  Array.from({ length: 1 + 17 * i }, (_, j) => (31 * i + 7 * j + 2) % config.vocabSize),
);

export const child = (name) => fileURLToPath(new URL(`./children/${name}`, import.meta.url));

export function meanDifference(actual, expected) {
  const differences = expected.flatMap((values, i) => Array.from(values, (value, t) => Math.abs(value - actual[i][t])));
  return differences.reduce((sum, value) => sum + value, 0) / differences.length;
}
