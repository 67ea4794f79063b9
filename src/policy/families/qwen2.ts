/** Qwen2 and Qwen2.5: biases of queries, keys and values. */
import type { ConfigKeys } from '../config-keys';
import type { Family } from './family';
import { preNormLayer } from './layers';

/** Of Qwen2 and Qwen3: the last layers have a window, or those that layer_types names. */
export const qwenWindow: Family['window'] = {
  read: (keys: ConfigKeys, layers: number) => {
    const windowed = keys.list('layer_types')?.includes('sliding_attention') ?? layers > firstWindowed(keys);
    if (!keys.boolean('use_sliding_window') || keys.source.sliding_window === null || !windowed) return null;
    return keys.integer('sliding_window', 4096);
  },
  off: { use_sliding_window: false },
};

function firstWindowed(keys: ConfigKeys): number {
  return keys.source.max_window_layers === 0 ? 0 : keys.integer('max_window_layers', 28);
}

export const qwen2: Family = {
  causalLmClass: 'Qwen2ForCausalLM',
  defaults: {
    kvHeads: 32,
    headDim: null,
    maxPositions: 32_768,
    rmsNormEps: 1e-6,
    tieWordEmbeddings: false,
    ropeTheta: 10_000,
  },
  readFeatures: () => ({ attentionBias: true, outputBias: false, mlpBias: false, qkNorm: false }),
  writeFeatures: () => ({}),
  window: qwenWindow,
  layer: (config, index) => preNormLayer(config, index),
};
