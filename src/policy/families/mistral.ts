/** Mistral: a Llama without biases whose layers may all have a window. */
import type { Family } from './family';
import { preNormLayer } from './layers';

export const mistral: Family = {
  causalLmClass: 'MistralForCausalLM',
  defaults: {
    kvHeads: 8,
    headDim: null,
    maxPositions: 131_072,
    rmsNormEps: 1e-6,
    tieWordEmbeddings: false,
    ropeTheta: 10_000,
  },
  readFeatures: () => ({ attentionBias: false, outputBias: false, mlpBias: false, qkNorm: false }),
  writeFeatures: () => ({}),
  window: {
    // Files that lack the key have a window; those of models without one have null.
    read: (keys) => (keys.source.sliding_window === null ? null : keys.integer('sliding_window', 4096)),
    off: { sliding_window: null },
  },
  layer: (config, index) => preNormLayer(config, index),
};
