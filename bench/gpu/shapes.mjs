/** The shapes of Qwen2.5 that the device is measured on, with random weights: time does not depend on their values. */
const qwen = (fields) => ({
  architecture: 'qwen2',
  vocabSize: 151_936,
  maxPositions: 32_768,
  rmsNormEps: 1e-6,
  attentionBias: true,
  outputBias: false,
  mlpBias: false,
  qkNorm: false,
  rope: { theta: 1_000_000, scaling: null },
  ...fields,
});

export const shapes = {
  '0.5b': qwen({
    hiddenSize: 896,
    intermediateSize: 4864,
    layers: 24,
    heads: 14,
    kvHeads: 2,
    headDim: 64,
    tieWordEmbeddings: true,
  }),
  '1.5b': qwen({
    hiddenSize: 1536,
    intermediateSize: 8960,
    layers: 28,
    heads: 12,
    kvHeads: 2,
    headDim: 128,
    tieWordEmbeddings: true,
  }),
  '7b': qwen({
    vocabSize: 152_064,
    hiddenSize: 3584,
    intermediateSize: 18_944,
    layers: 28,
    heads: 28,
    kvHeads: 4,
    headDim: 128,
    tieWordEmbeddings: false,
  }),
};

/** Weights in products per token, those of the head included. */
export function productWeights(shape) {
  const query = shape.heads * shape.headDim;
  const keys = shape.kvHeads * shape.headDim;
  const layer = shape.hiddenSize * (2 * query + 2 * keys + 3 * shape.intermediateSize);
  return shape.layers * layer + shape.vocabSize * shape.hiddenSize;
}

/** Bytes of a token's keys and values in bfloat16. */
export const cacheBytes = (shape) => 4 * shape.layers * shape.kvHeads * shape.headDim;

/** Seconds of one decode step at the ceilings: products, caches, and logits in float32 written and read once. */
export function decodeFloor(shape, batch, context, { copy, product }) {
  const weights = productWeights(shape);
  return (
    Math.max((2 * weights) / copy, (2 * weights * batch) / product) +
    (batch * context * cacheBytes(shape)) / copy +
    (8 * batch * shape.vocabSize) / copy
  );
}

/** FLOP of a forward pass over sequences of this length, per token: causal attention on average. */
export const forwardFlops = (shape, length) =>
  2 * productWeights(shape) + 2 * shape.layers * shape.heads * shape.headDim * length;
