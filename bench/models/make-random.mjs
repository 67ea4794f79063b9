#!/usr/bin/env node
/**
 * Writes a model folder of random weights in one of the shapes that the comparisons use, without a tokenizer.
 * Run after `npm run setup`:
 *
 *   node bench/models/make-random.mjs --shape small --output /somewhere/small [--dtype float32] [--seed 0]
 *
 * small          Qwen2, 4.5 million parameters: fits the caches of a processor core
 * qwen2.5-0.5b   the shape of Qwen2.5-0.5B: fits none
 */
import { parseArgs } from 'node:util';
import { Policy } from '../../dist/index.js';

const common = {
  architecture: 'qwen2',
  rmsNormEps: 1e-6,
  tieWordEmbeddings: true,
  attentionBias: true,
  outputBias: false,
  mlpBias: false,
  qkNorm: false,
};

const shapes = {
  small: {
    ...common,
    vocabSize: 256,
    hiddenSize: 256,
    intermediateSize: 704,
    layers: 6,
    heads: 4,
    kvHeads: 2,
    headDim: 64,
    maxPositions: 16384,
    rope: { theta: 10_000, scaling: null },
  },
  'qwen2.5-0.5b': {
    ...common,
    vocabSize: 151_936,
    hiddenSize: 896,
    intermediateSize: 4864,
    layers: 24,
    heads: 14,
    kvHeads: 2,
    headDim: 64,
    maxPositions: 32_768,
    rope: { theta: 1_000_000, scaling: null },
  },
};

const stored = { float32: 'F32', bfloat16: 'BF16' };

const { values } = parseArgs({
  options: {
    shape: { type: 'string' },
    output: { type: 'string' },
    dtype: { type: 'string', default: 'float32' },
    seed: { type: 'string', default: '0' },
  },
});
if (!Object.hasOwn(shapes, values.shape ?? '') || !Object.hasOwn(stored, values.dtype) || !values.output) {
  const usage = `--shape ${Object.keys(shapes).join('|')} --output FOLDER [--dtype float32|bfloat16] [--seed N]`;
  process.stderr.write(`usage: node bench/models/make-random.mjs ${usage}\n`);
  process.exit(2);
}
const policy = await Policy.create(shapes[values.shape], { seed: Number(values.seed), device: 'cpu' });
await policy.save(values.output, { dtype: stored[values.dtype] });
process.stderr.write(`${policy.parameterCount} parameters in ${values.output}\n`);
policy.dispose();
