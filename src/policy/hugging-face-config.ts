/** The way back from ModelConfig: a config.json that transformers 4 and 5 load as the same model. */
import { ZeroRlError } from '../errors';
import type { JsonObject } from '../json-object';
import { ConfigKeys } from './config-keys';
import { familyOf } from './families/families';
import type { Family } from './families/family';
import { readContext, type ModelConfig } from './model-config';
import { ropeToHuggingFace } from './rope-config';

/**
 * @param dtype of the weights that are saved beside it
 * @param extra keys to keep from the config.json that the model came from; the model's own keys win
 * @throws ZeroRlError ERR_ZERO_RL_CONFIG when the architecture has no such bias, norm or layer
 */
export function configToHuggingFace(
  config: ModelConfig,
  dtype: 'float32' | 'bfloat16' | 'float16',
  extra: JsonObject = {},
): JsonObject {
  const family = familyOf(config.architecture);
  const kept = { ...extra };
  // At the top level it would override the one written in the scaling.
  delete kept.original_max_position_embeddings;
  return {
    ...kept,
    architectures: [family.causalLmClass],
    model_type: config.architecture,
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    hidden_act: 'silu',
    ...contextToHuggingFace(config, family, extra),
    rms_norm_eps: config.rmsNormEps,
    tie_word_embeddings: config.tieWordEmbeddings,
    ...featuresToHuggingFace(config, family),
    ...ropeToHuggingFace(config.rope),
    torch_dtype: dtype,
    dtype,
  };
}

/** A window that limits the context stays as the file has it. */
function contextToHuggingFace(config: ModelConfig, family: Family, extra: JsonObject): JsonObject {
  const keys = new ConfigKeys(extra, 'config.json');
  if (keys.has('max_position_embeddings') && readContext(keys, family, config.layers) === config.maxPositions)
    return {};
  return { max_position_embeddings: config.maxPositions, ...family.window?.off };
}

function featuresToHuggingFace(config: ModelConfig, family: Family): JsonObject {
  const written = family.writeFeatures(config);
  const read = family.readFeatures(new ConfigKeys(written, 'config'), config.layers);
  const features = ['attentionBias', 'outputBias', 'mlpBias', 'qkNorm', 'nopeLayers'] as const;
  const other = features.find(
    (name) => config[name] !== undefined && JSON.stringify(config[name]) !== JSON.stringify(read[name]),
  );
  if (other === undefined) return written;
  const [has, given] = [read[other] ?? null, config[other]].map((value) => JSON.stringify(value));
  throw new ZeroRlError(
    'ERR_ZERO_RL_CONFIG',
    `A model of architecture ${config.architecture} with these settings has ${other} ${has}, not ${given}; change the configuration.`,
  );
}
