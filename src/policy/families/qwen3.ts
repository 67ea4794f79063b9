/** Qwen3: norms of each head of queries and keys. */
import type { Family } from './family';
import { preNormLayer } from './layers';
import { qwenWindow } from './qwen2';

export const qwen3: Family = {
  causalLmClass: 'Qwen3ForCausalLM',
  defaults: {
    kvHeads: 32,
    headDim: 128,
    maxPositions: 32_768,
    rmsNormEps: 1e-6,
    tieWordEmbeddings: false,
    ropeTheta: 10_000,
  },
  readFeatures: (keys) => {
    const attentionBias = keys.boolean('attention_bias');
    return { attentionBias, outputBias: attentionBias, mlpBias: false, qkNorm: true };
  },
  writeFeatures: ({ attentionBias }) => ({ attention_bias: attentionBias }),
  window: qwenWindow,
  layer: (config, index) => preNormLayer(config, index, { qkNorm: 'head' }),
};
