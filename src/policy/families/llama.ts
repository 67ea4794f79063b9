/** Llama 3.x, and what is built like it. */
import type { Family } from './family';
import { preNormLayer } from './layers';

export const llama: Family = {
  causalLmClass: 'LlamaForCausalLM',
  defaults: {
    kvHeads: null,
    headDim: null,
    maxPositions: 2048,
    rmsNormEps: 1e-6,
    tieWordEmbeddings: false,
    ropeTheta: 10_000,
  },
  readFeatures: (keys) => {
    const attentionBias = keys.boolean('attention_bias');
    return { attentionBias, outputBias: attentionBias, mlpBias: keys.boolean('mlp_bias'), qkNorm: false };
  },
  writeFeatures: ({ attentionBias, mlpBias }) => ({ attention_bias: attentionBias, mlp_bias: mlpBias }),
  layer: (config, index) => preNormLayer(config, index),
};
