/** OLMo-2: norms after attention and MLP instead of before them; norms of all queries together, and of all keys. */
import type { Family } from './family';
import { attentionBlocks, layerPrefix, mlpBlocks, normBlock } from './layers';

export const olmo2: Family = {
  causalLmClass: 'Olmo2ForCausalLM',
  defaults: {
    kvHeads: null,
    headDim: null,
    maxPositions: 2048,
    rmsNormEps: 1e-5,
    tieWordEmbeddings: false,
    ropeTheta: 10_000,
  },
  readFeatures: (keys) => {
    if (keys.has('clip_qkv')) throw keys.notImplemented('clip_qkv', 'use an OLMo-2, whose queries and keys are normed');
    const attentionBias = keys.boolean('attention_bias');
    return { attentionBias, outputBias: attentionBias, mlpBias: false, qkNorm: true };
  },
  writeFeatures: ({ attentionBias }) => ({ attention_bias: attentionBias }),
  layer: (config, index) => {
    const prefix = layerPrefix(index);
    return {
      rotary: true,
      qkNorm: 'projection',
      blocks: [
        ...attentionBlocks(config, `${prefix}.self_attn`, 'projection'),
        normBlock('attentionOutputNorm', `${prefix}.post_attention_layernorm`, config.hiddenSize),
        ...mlpBlocks(config, `${prefix}.mlp`),
        normBlock('mlpOutputNorm', `${prefix}.post_feedforward_layernorm`, config.hiddenSize),
      ],
    };
  },
};
