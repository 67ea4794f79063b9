/** The way back from ModelConfig: a config.json that transformers 4 and 5 load as the same model, and its parameters. */
import { ZeroRlError } from '../errors';
import type { JsonObject } from '../json-object';
import { CAUSAL_LM_CLASSES, type ModelConfig } from './model-config';
import { ropeToHuggingFace } from './rope-config';

/** Name (as in Hugging Face checkpoints) and shape of one parameter. */
export interface ParameterShape {
  name: string;
  shape: number[];
}

/**
 * @param dtype of the weights that are saved beside it
 * @param extra keys to keep from the config.json that the model came from; the model's own keys win
 * @throws ZeroRlError ERR_ZERO_RL_CONFIG when the architecture has no such bias or norm
 */
export function configToHuggingFace(
  config: ModelConfig,
  dtype: 'float32' | 'bfloat16' | 'float16',
  extra: JsonObject = {},
): JsonObject {
  checkExpressible(config);
  const { architecture } = config;
  const kept = { ...extra };
  // At the top level it would override the one written in the scaling.
  delete kept.original_max_position_embeddings;
  return {
    ...kept,
    architectures: [CAUSAL_LM_CLASSES[architecture]],
    model_type: architecture,
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    hidden_act: 'silu',
    max_position_embeddings: config.maxPositions,
    rms_norm_eps: config.rmsNormEps,
    tie_word_embeddings: config.tieWordEmbeddings,
    ...(architecture === 'qwen2' ? {} : { attention_bias: config.attentionBias }),
    ...(architecture === 'llama' ? { mlp_bias: config.mlpBias } : {}),
    ...ropeToHuggingFace(config.rope),
    torch_dtype: dtype,
    dtype,
  };
}

/** A critic's head, in place of `lm_head.weight`. */
export const VALUE_HEAD = 'value_head.weight';

/**
 * Every parameter in the order of the network; `lm_head.weight` only when it is not tied to the embedding, `valueHead`
 * instead for a critic.
 */
export function parameterShapes(config: ModelConfig, valueHead = false): ParameterShape[] {
  const { hiddenSize, intermediateSize, headDim, attentionBias, outputBias, mlpBias } = config;
  const queries = config.heads * headDim;
  const keys = config.kvHeads * headDim;
  const result: ParameterShape[] = [];
  const add = (name: string, ...shape: number[]) => result.push({ name, shape });
  const linear = (name: string, outputs: number, inputs: number, bias: boolean) => {
    add(`${name}.weight`, outputs, inputs);
    if (bias) add(`${name}.bias`, outputs);
  };
  add('model.embed_tokens.weight', config.vocabSize, hiddenSize);
  for (let layer = 0; layer < config.layers; layer += 1) {
    const prefix = `model.layers.${layer}`;
    add(`${prefix}.input_layernorm.weight`, hiddenSize);
    linear(`${prefix}.self_attn.q_proj`, queries, hiddenSize, attentionBias);
    linear(`${prefix}.self_attn.k_proj`, keys, hiddenSize, attentionBias);
    linear(`${prefix}.self_attn.v_proj`, keys, hiddenSize, attentionBias);
    if (config.qkNorm) {
      add(`${prefix}.self_attn.q_norm.weight`, headDim);
      add(`${prefix}.self_attn.k_norm.weight`, headDim);
    }
    linear(`${prefix}.self_attn.o_proj`, hiddenSize, queries, outputBias);
    add(`${prefix}.post_attention_layernorm.weight`, hiddenSize);
    linear(`${prefix}.mlp.gate_proj`, intermediateSize, hiddenSize, mlpBias);
    linear(`${prefix}.mlp.up_proj`, intermediateSize, hiddenSize, mlpBias);
    linear(`${prefix}.mlp.down_proj`, hiddenSize, intermediateSize, mlpBias);
  }
  add('model.norm.weight', hiddenSize);
  if (valueHead) add(VALUE_HEAD, 1, hiddenSize);
  else if (!config.tieWordEmbeddings) add('lm_head.weight', config.vocabSize, hiddenSize);
  return result;
}

function checkExpressible(config: ModelConfig): void {
  const { architecture, attentionBias, outputBias, mlpBias, qkNorm } = config;
  const problem =
    architecture === 'qwen2' && (!attentionBias || outputBias)
      ? 'attentionBias true and outputBias false'
      : architecture !== 'qwen2' && attentionBias !== outputBias
        ? 'outputBias equal to attentionBias'
        : architecture !== 'llama' && mlpBias
          ? 'mlpBias false'
          : qkNorm !== (architecture === 'qwen3')
            ? `qkNorm ${String(architecture === 'qwen3')}`
            : null;
  if (problem !== null) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_CONFIG',
      `A model of architecture ${architecture} needs ${problem}; change the configuration.`,
    );
  }
}
