/**
 * config.json of Qwen2/Qwen2.5, Qwen3 and Llama 3.x as one normalised type. Both generations are read: `rope_theta`,
 * `rope_scaling` and `torch_dtype` of transformers 4, `rope_parameters` and `dtype` of transformers 5. Keys that are
 * missing get the defaults of transformers 5; the five sizes that make a model have no default here. What the engine
 * does not implement is refused by name rather than computed wrongly.
 */
import { isJsonObject, type JsonObject } from '../json-object';
import { checkpointError, quote } from './checkpoint-file';
import { parseRope, type RopeConfig } from './rope-config';

export type Architecture = 'qwen2' | 'qwen3' | 'llama';

export interface ModelConfig {
  architecture: Architecture;
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  layers: number;
  /** Query heads. */
  heads: number;
  /** Key and value heads, a divisor of `heads`. */
  kvHeads: number;
  /** Even, at least 16; need not be hiddenSize / heads. */
  headDim: number;
  maxPositions: number;
  rmsNormEps: number;
  tieWordEmbeddings: boolean;
  /** Biases of the query, key and value projections. */
  attentionBias: boolean;
  /** Bias of the attention's output projection. */
  outputBias: boolean;
  mlpBias: boolean;
  /** RMSNorm over each head of queries and keys (Qwen3). */
  qkNorm: boolean;
  rope: RopeConfig;
}

/** Class names of transformers, as in `architectures`. */
export const CAUSAL_LM_CLASSES: Record<Architecture, string> = {
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
  llama: 'LlamaForCausalLM',
};

const MAX_SIZE = 2 ** 31 - 1;
const MAX_HEADS = 65_536;
const MAX_LAYERS = 4_096;
const MIN_HEAD_DIM = 16;

/**
 * @param source the parsed config.json
 * @param file its path, for messages
 * @throws ZeroRlError ERR_ZERO_RL_CHECKPOINT naming the key that is wrong or the feature that is not implemented
 */
export function parseModelConfig(source: JsonObject, file = 'config.json'): ModelConfig {
  const architecture = parseArchitecture(source, file);
  refuseUnsupported(source, file);
  const integer = (key: string, fallback: number | null, maximum = MAX_SIZE) =>
    readInteger(source, key, fallback, maximum, file);

  const hiddenSize = integer('hidden_size', null);
  const heads = integer('num_attention_heads', null, MAX_HEADS);
  // Qwen configurations without the key mean 32 in transformers; an explicit null means as many as query heads.
  const kvHeads = integer(
    'num_key_value_heads',
    architecture === 'llama' || source.num_key_value_heads === null ? heads : 32,
    MAX_HEADS,
  );
  if (heads % kvHeads !== 0) {
    throw checkpointError(
      `${file}: num_attention_heads ${heads} is not a multiple of num_key_value_heads ${kvHeads}; correct the file.`,
    );
  }
  const headDim = parseHeadDim(source, architecture, hiddenSize, heads, file);
  const maxPositions = integer('max_position_embeddings', architecture === 'llama' ? 2048 : 32_768);
  const attentionBias = architecture !== 'qwen2' && readBoolean(source, 'attention_bias', file);
  return {
    architecture,
    vocabSize: integer('vocab_size', null),
    hiddenSize,
    intermediateSize: integer('intermediate_size', null),
    layers: integer('num_hidden_layers', null, MAX_LAYERS),
    heads,
    kvHeads,
    headDim,
    maxPositions,
    rmsNormEps: readPositive(source, 'rms_norm_eps', 1e-6, file),
    tieWordEmbeddings: readBoolean(source, 'tie_word_embeddings', file),
    attentionBias: architecture === 'qwen2' || attentionBias,
    outputBias: attentionBias,
    mlpBias: architecture === 'llama' && readBoolean(source, 'mlp_bias', file),
    qkNorm: architecture === 'qwen3',
    rope: parseRope(source, maxPositions, file),
  };
}

/**
 * End tokens of a folder: generation_config.json's `eos_token_id` (a number or a list), else config.json's; empty when
 * neither has one.
 */
export function parseEndTokens(config: JsonObject, generationConfig: JsonObject | null, vocabSize: number): number[] {
  const source = generationConfig?.eos_token_id != null ? generationConfig : config;
  const file = source === config ? 'config.json' : 'generation_config.json';
  const value = source.eos_token_id ?? [];
  const tokens: unknown[] = Array.isArray(value) ? value : [value];
  for (const token of tokens) {
    if (!Number.isInteger(token) || (token as number) < 0 || (token as number) >= vocabSize) {
      throw checkpointError(
        `${file}: eos_token_id ${quote(token)} is not a token id below the vocabulary size ${vocabSize}; correct the file.`,
      );
    }
  }
  return [...new Set(tokens as number[])];
}

function parseArchitecture(source: JsonObject, file: string): Architecture {
  const type = source.model_type;
  if (typeof type !== 'string' || !Object.hasOwn(CAUSAL_LM_CLASSES, type)) {
    const found = type === undefined ? 'has no model_type' : `has model_type ${quote(type)}`;
    throw checkpointError(
      `${file} ${found}, which is not implemented; use a model of type ${Object.keys(CAUSAL_LM_CLASSES).join(', ')}.`,
    );
  }
  const architecture = type as Architecture;
  const classes = source.architectures ?? [];
  const expected = CAUSAL_LM_CLASSES[architecture];
  if (!Array.isArray(classes) || (classes.length > 0 && !classes.includes(expected))) {
    throw checkpointError(
      `${file} has architectures ${quote(classes)}, which is not implemented for model_type ${type}; use a ${expected}.`,
    );
  }
  return architecture;
}

function refuseUnsupported(source: JsonObject, file: string): void {
  const refuse = (what: string, hint: string) => {
    throw checkpointError(`${file}: ${what} is not implemented; ${hint}.`);
  };
  const activation = source.hidden_act ?? 'silu';
  if (activation !== 'silu' && activation !== 'swish') {
    refuse(`hidden_act ${quote(activation)}`, 'use a model with silu');
  }
  if (source.quantization_config != null) {
    const method = isJsonObject(source.quantization_config) ? source.quantization_config.quant_method : undefined;
    const name = typeof method === 'string' ? ` (${method})` : '';
    refuse(`quantization_config${name}`, 'use the float32, bfloat16 or float16 weights of this model');
  }
  if (source.per_layer_config != null) refuse('per_layer_config', 'use a model whose layers are all alike');
  const types = source.layer_types ?? [];
  if (!Array.isArray(types)) throw checkpointError(`${file}: layer_types is not a list; correct the file.`);
  const other: unknown = types.find((type) => type !== 'full_attention');
  if (other !== undefined) refuse(`layer type ${quote(other)}`, 'use a model with full attention');
  if (readBoolean(source, 'use_sliding_window', file) && source.sliding_window !== null) {
    refuse(
      'use_sliding_window true',
      'use a model with full attention, or set it to false where no sequence is longer than the window',
    );
  }
}

function parseHeadDim(
  source: JsonObject,
  architecture: Architecture,
  hidden: number,
  heads: number,
  file: string,
): number {
  let headDim: number;
  if (source.head_dim != null) headDim = readInteger(source, 'head_dim', null, MAX_HEADS, file);
  else if (architecture === 'qwen3') headDim = 128;
  else if (hidden % heads === 0) headDim = hidden / heads;
  else {
    throw checkpointError(
      `${file}: hidden_size ${hidden} is not a multiple of num_attention_heads ${heads} and there is no head_dim; correct the file.`,
    );
  }
  if (headDim < MIN_HEAD_DIM || headDim % 2 !== 0) {
    throw checkpointError(
      `${file}: a head dimension of ${headDim} is not implemented; use a model with an even one of at least ${MIN_HEAD_DIM}.`,
    );
  }
  return headDim;
}

function readInteger(source: JsonObject, key: string, fallback: number | null, maximum: number, file: string): number {
  const value = source[key] ?? fallback;
  if (value === null) throw checkpointError(`${file} lacks ${key}; add it.`);
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > maximum) {
    throw checkpointError(
      `${file}: expected an integer between 1 and ${maximum} for ${key} but found ${quote(value)}; correct the file.`,
    );
  }
  return value;
}

function readPositive(source: JsonObject, key: string, fallback: number, file: string): number {
  const value = source[key] ?? fallback;
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    throw checkpointError(
      `${file}: expected a positive number for ${key} but found ${quote(value)}; correct the file.`,
    );
  }
  return value;
}

function readBoolean(source: JsonObject, key: string, file: string): boolean {
  const value = source[key] ?? false;
  if (typeof value !== 'boolean') {
    throw checkpointError(`${file}: expected true or false for ${key} but found ${quote(value)}; correct the file.`);
  }
  return value;
}
