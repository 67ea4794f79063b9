/** SmolLM3: a Llama whose every fourth layer, or those that a list names, do not rotate queries and keys. */
import type { ConfigKeys } from '../config-keys';
import type { Family } from './family';
import { preNormLayer } from './layers';

/** Despite its name `no_rope_layers` has 1 for a layer that rotates and 0 for one that does not. */
function readNopeLayers(keys: ConfigKeys, layers: number): number[] {
  const list = keys.list('no_rope_layers');
  const interval = keys.integer('no_rope_layer_interval', 4);
  const flags = list ?? Array.from({ length: layers }, (_, index) => Number((index + 1) % interval !== 0));
  if (flags.length < layers || flags.some((flag) => flag !== 0 && flag !== 1)) {
    throw keys.wrong('no_rope_layers', `a list with 0 or 1 for each of ${layers} layers`, list);
  }
  return flags.slice(0, layers).flatMap((flag, index) => (flag === 0 ? [index] : []));
}

function rotatingFlags(nopeLayers: readonly number[], layers: number): number[] {
  const unrotated = new Set(Array.isArray(nopeLayers) ? nopeLayers : []);
  return Array.from({ length: layers }, (_, index) => Number(!unrotated.has(index)));
}

export const smollm3: Family = {
  causalLmClass: 'SmolLM3ForCausalLM',
  defaults: {
    kvHeads: 4,
    headDim: null,
    maxPositions: 32_768,
    rmsNormEps: 1e-6,
    tieWordEmbeddings: true,
    ropeTheta: 2_000_000,
  },
  readFeatures: (keys, layers) => {
    const attentionBias = keys.boolean('attention_bias');
    return {
      attentionBias,
      outputBias: attentionBias,
      mlpBias: keys.boolean('mlp_bias'),
      qkNorm: false,
      nopeLayers: readNopeLayers(keys, layers),
    };
  },
  writeFeatures: ({ attentionBias, mlpBias, layers, nopeLayers }) => ({
    attention_bias: attentionBias,
    mlp_bias: mlpBias,
    ...(nopeLayers === undefined ? {} : { no_rope_layers: rotatingFlags(nopeLayers, layers) }),
  }),
  window: {
    // Where layer_types does not say otherwise, the layers that do not rotate have it.
    read: (keys, layers) => {
      const windowed =
        keys.list('layer_types')?.includes('sliding_attention') ?? readNopeLayers(keys, layers).length > 0;
      if (!keys.boolean('use_sliding_window') || !keys.has('sliding_window') || !windowed) return null;
      return keys.integer('sliding_window', null);
    },
    off: { use_sliding_window: false },
  },
  layer: (config, index) => preNormLayer(config, index, { rotary: !config.nopeLayers?.includes(index) }),
};
