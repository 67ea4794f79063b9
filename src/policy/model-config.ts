/**
 * config.json of every family of families/families.ts as one normalised type. Both generations are read: `rope_theta`,
 * `rope_scaling` and `torch_dtype` of transformers 4, `rope_parameters` and `dtype` of transformers 5. Keys that are
 * missing get the defaults of transformers 5; the five sizes that make a model have no default here. What the engine
 * does not implement is refused by name rather than computed wrongly.
 */
import { isJsonObject, type JsonObject } from '../json-object';
import { checkpointError, quote } from './checkpoint-file';
import { ConfigKeys } from './config-keys';
import { ARCHITECTURES, FAMILIES, type Architecture } from './families/families';
import type { Family } from './families/family';
import { parseRope, type RopeConfig } from './rope-config';

export interface ModelConfig {
  /** `model_type` of config.json. */
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
  /** Most tokens of a sequence: no more than the window of layers that have one. */
  maxPositions: number;
  rmsNormEps: number;
  tieWordEmbeddings: boolean;
  /** Biases of the query, key and value projections. */
  attentionBias: boolean;
  /** Bias of the attention's output projection. */
  outputBias: boolean;
  mlpBias: boolean;
  /** RMSNorm of queries and keys: over each head in Qwen3, over all heads together in OLMo-2. */
  qkNorm: boolean;
  /** Layers, from 0, without rotary embedding; SmolLM3 only, default every fourth. */
  nopeLayers?: readonly number[];
  rope: RopeConfig;
}

const MAX_HEADS = 65_536;
const MAX_LAYERS = 4_096;
const MIN_HEAD_DIM = 16;

/**
 * @param source the parsed config.json
 * @param file its path, for messages
 * @throws ZeroRlError ERR_ZERO_RL_CHECKPOINT naming the key that is wrong or the feature that is not implemented
 */
export function parseModelConfig(source: JsonObject, file = 'config.json'): ModelConfig {
  const keys = new ConfigKeys(source, file);
  const architecture = parseArchitecture(source, file);
  const family: Family = FAMILIES[architecture];
  const { defaults } = family;

  const hiddenSize = keys.integer('hidden_size', null);
  const heads = keys.integer('num_attention_heads', null, MAX_HEADS);
  const missingKvHeads = source.num_key_value_heads === null ? heads : (defaults.kvHeads ?? heads);
  const kvHeads = keys.integer('num_key_value_heads', missingKvHeads, MAX_HEADS);
  if (heads % kvHeads !== 0) {
    throw checkpointError(
      `${file}: num_attention_heads ${heads} is not a multiple of num_key_value_heads ${kvHeads}; correct the file.`,
    );
  }
  const layers = keys.integer('num_hidden_layers', null, MAX_LAYERS);
  refuseUnsupported(keys, family, layers);
  return {
    architecture,
    vocabSize: keys.integer('vocab_size', null),
    hiddenSize,
    intermediateSize: keys.integer('intermediate_size', null),
    layers,
    heads,
    kvHeads,
    headDim: parseHeadDim(keys, defaults.headDim, hiddenSize, heads),
    maxPositions: readContext(keys, family, layers),
    rmsNormEps: keys.positive('rms_norm_eps', defaults.rmsNormEps),
    tieWordEmbeddings: keys.boolean('tie_word_embeddings', defaults.tieWordEmbeddings),
    ...family.readFeatures(keys, layers),
    rope: parseRope(source, defaults.ropeTheta, readPositions(keys, family), file),
  };
}

const readPositions = (keys: ConfigKeys, { defaults }: Family): number =>
  keys.integer('max_position_embeddings', defaults.maxPositions);

/** Tokens up to which attention over all of them is what the model computes, windows or not. */
export function readContext(keys: ConfigKeys, family: Family, layers: number): number {
  return Math.min(readPositions(keys, family), family.window?.read(keys, layers) ?? Infinity);
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
  if (typeof type !== 'string' || !Object.hasOwn(FAMILIES, type)) {
    const found = type === undefined ? 'has no model_type' : `has model_type ${quote(type)}`;
    throw checkpointError(
      `${file} ${found}, which is not implemented; use a model of type ${ARCHITECTURES.join(', ')}.`,
    );
  }
  const architecture = type as Architecture;
  const classes = source.architectures ?? [];
  const expected = FAMILIES[architecture].causalLmClass;
  if (!Array.isArray(classes) || (classes.length > 0 && !classes.includes(expected))) {
    throw checkpointError(
      `${file} has architectures ${quote(classes)}, which is not implemented for model_type ${type}; use a ${expected}.`,
    );
  }
  return architecture;
}

function refuseUnsupported(keys: ConfigKeys, family: Family, layers: number): void {
  const { source } = keys;
  const activation = source.hidden_act ?? 'silu';
  if (activation !== 'silu' && activation !== 'swish') {
    throw keys.notImplemented(`hidden_act ${quote(activation)}`, 'use a model with silu');
  }
  if (source.quantization_config != null) {
    const method = isJsonObject(source.quantization_config) ? source.quantization_config.quant_method : undefined;
    const name = typeof method === 'string' ? ` (${method})` : '';
    throw keys.notImplemented(
      `quantization_config${name}`,
      'use the float32, bfloat16 or float16 weights of this model',
    );
  }
  if (source.per_layer_config != null) {
    throw keys.notImplemented('per_layer_config', 'use a model whose layers are all alike');
  }
  const windowed = family.window !== undefined && family.window.read(keys, layers) !== null;
  const other = (keys.list('layer_types') ?? []).find(
    (type) => type !== 'full_attention' && !(windowed && type === 'sliding_attention'),
  );
  if (other !== undefined) {
    throw keys.notImplemented(`layer type ${quote(other)}`, 'use a model with full attention');
  }
  if (family.window === undefined && keys.boolean('use_sliding_window') && source.sliding_window !== null) {
    throw keys.notImplemented(
      'use_sliding_window true',
      'use a model with full attention, or set it to false where no sequence is longer than the window',
    );
  }
}

function parseHeadDim(keys: ConfigKeys, missing: number | null, hidden: number, heads: number): number {
  const { file } = keys;
  if (missing === null && !keys.has('head_dim') && hidden % heads !== 0) {
    throw checkpointError(
      `${file}: hidden_size ${hidden} is not a multiple of num_attention_heads ${heads} and there is no head_dim; correct the file.`,
    );
  }
  const headDim = keys.integer('head_dim', missing ?? hidden / heads, MAX_HEADS);
  if (headDim < MIN_HEAD_DIM || headDim % 2 !== 0) {
    throw checkpointError(
      `${file}: a head dimension of ${headDim} is not implemented; use a model with an even one of at least ${MIN_HEAD_DIM}.`,
    );
  }
  return headDim;
}
