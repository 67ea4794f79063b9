/** What config.json of each family means: the published files, and keys that are missing, null or of another family. */
import type { JsonObject } from '../../../src/json-object';
import { FAMILIES, type Architecture } from '../../../src/policy/families/families';
import { configToHuggingFace } from '../../../src/policy/hugging-face-config';
import { parameterShapes } from '../../../src/policy/decoder-description';
import { parseModelConfig, type ModelConfig } from '../../../src/policy/model-config';
import { expectFailure, TINY_LLAMA } from './model-folder';

/** As published for Mistral-7B-v0.1. */
const MISTRAL_7B: JsonObject = {
  architectures: ['MistralForCausalLM'],
  bos_token_id: 1,
  eos_token_id: 2,
  hidden_act: 'silu',
  hidden_size: 4096,
  initializer_range: 0.02,
  intermediate_size: 14336,
  max_position_embeddings: 32768,
  model_type: 'mistral',
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-5,
  rope_theta: 10000.0,
  sliding_window: 4096,
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
  use_cache: true,
  vocab_size: 32000,
};

/** v0.3 has no window and another theta. */
const MISTRAL_7B_V3: JsonObject = { ...MISTRAL_7B, rope_theta: 1e6, sliding_window: null, vocab_size: 32768 };

/** Mistral-Nemo-Base-2407: 32 heads of 128 on a hidden size of 5120. */
const MISTRAL_NEMO: JsonObject = {
  ...MISTRAL_7B_V3,
  head_dim: 128,
  hidden_size: 5120,
  max_position_embeddings: 131072,
  num_hidden_layers: 40,
  vocab_size: 131072,
};

/** The sizes without which there is no model. */
const bare = (architecture: Architecture): JsonObject => ({
  model_type: architecture,
  vocab_size: 7,
  hidden_size: 1024,
  intermediate_size: 8,
  num_hidden_layers: 30,
  num_attention_heads: 32,
});

const shapesOf = (config: ModelConfig) => new Map(parameterShapes(config).map(({ name, shape }) => [name, shape]));

describe('keys that are missing get the defaults of the class of transformers', () => {
  const llamaLike = { attentionBias: false, outputBias: false, mlpBias: false, qkNorm: false };
  const expected: Record<Architecture, Partial<ModelConfig>> = {
    qwen2: { ...llamaLike, attentionBias: true, kvHeads: 32, headDim: 32, maxPositions: 32_768, rmsNormEps: 1e-6 },
    qwen3: { ...llamaLike, qkNorm: true, kvHeads: 32, headDim: 128, maxPositions: 32_768, rmsNormEps: 1e-6 },
    llama: { ...llamaLike, kvHeads: 32, headDim: 32, maxPositions: 2048, rmsNormEps: 1e-6 },
    mistral: { ...llamaLike, kvHeads: 8, headDim: 32, maxPositions: 4096, rmsNormEps: 1e-6 },
  };
  const thetas: Partial<Record<Architecture, number>> = {};
  const tied: Architecture[] = [];

  test.each(Object.keys(FAMILIES) as Architecture[])('%s', (architecture) => {
    const config = parseModelConfig(bare(architecture));
    expect(config).toMatchObject({
      ...expected[architecture],
      tieWordEmbeddings: tied.includes(architecture),
      rope: { theta: thetas[architecture] ?? 10_000, scaling: null },
    });
    // Null stands for the value that follows from the other keys, or for the default.
    const nulls = { num_key_value_heads: null, head_dim: null, rms_norm_eps: null, rope_scaling: null };
    expect(parseModelConfig({ ...bare(architecture), ...nulls })).toEqual({ ...config, kvHeads: 32 });
  });
});

describe('every family', () => {
  test.each(Object.keys(FAMILIES) as Architecture[])(
    '%s: what is written reads back as the same model',
    (architecture) => {
      const config = parseModelConfig({ ...bare(architecture), num_key_value_heads: 4, head_dim: 16, rope_theta: 7 });
      expect(parseModelConfig(configToHuggingFace(config, 'float32'))).toEqual(config);
      expect(configToHuggingFace(config, 'float32').architectures).toEqual([FAMILIES[architecture].causalLmClass]);
    },
  );

  test('an architecture that there is not is refused by name', async () => {
    const config = { ...parseModelConfig(TINY_LLAMA), architecture: 'toString' as Architecture };
    await expectFailure(() => configToHuggingFace(config, 'float32'), /"toString".*mistral/, 'ERR_ZERO_RL_CONFIG');
  });
});

describe('Mistral', () => {
  test('v0.3: full attention, a Llama without biases', () => {
    expect(parseModelConfig(MISTRAL_7B_V3)).toEqual({
      architecture: 'mistral',
      vocabSize: 32768,
      hiddenSize: 4096,
      intermediateSize: 14336,
      layers: 32,
      heads: 32,
      kvHeads: 8,
      headDim: 128,
      maxPositions: 32768,
      rmsNormEps: 1e-5,
      tieWordEmbeddings: false,
      attentionBias: false,
      outputBias: false,
      mlpBias: false,
      qkNorm: false,
      rope: { theta: 1e6, scaling: null },
    });
  });

  test('Nemo: heads that are not hidden_size / num_attention_heads wide', () => {
    const shapes = shapesOf(parseModelConfig(MISTRAL_NEMO));
    expect(shapes.get('model.layers.39.self_attn.q_proj.weight')).toEqual([4096, 5120]);
    expect(shapes.get('model.layers.39.self_attn.o_proj.weight')).toEqual([5120, 4096]);
    expect(shapes.get('lm_head.weight')).toEqual([131072, 5120]);
  });

  test('v0.1: the context ends where its window begins to hide tokens, and the file keeps both numbers', () => {
    const config = parseModelConfig(MISTRAL_7B);
    expect(config.maxPositions).toBe(4096);
    expect(configToHuggingFace(config, 'bfloat16', MISTRAL_7B)).toMatchObject({
      max_position_embeddings: 32768,
      sliding_window: 4096,
    });
    expect(parseModelConfig({ ...MISTRAL_7B, sliding_window: 40_000 }).maxPositions).toBe(32768);
    // Positions of the embedding's scaling are not those of the window.
    const scaling = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
    const scaled = parseModelConfig({ ...MISTRAL_7B, rope_scaling: scaling });
    expect(scaled.rope.scaling).toMatchObject({ originalMaxPositions: 32768 });
  });

  test('a model made without a file says that it has no window, which a missing key would not', () => {
    const config = { ...parseModelConfig(MISTRAL_7B_V3), maxPositions: 8192 };
    const written = configToHuggingFace(config, 'float32');
    expect(written).toMatchObject({ sliding_window: null, max_position_embeddings: 8192 });
    expect(parseModelConfig(written)).toEqual(config);
  });

  test.each<[string, JsonObject, RegExp]>([
    ['a window that is a text', { sliding_window: '4096' }, /for sliding_window but found "4096"/],
    [
      'sliding layers without a window',
      { sliding_window: null, layer_types: ['sliding_attention'] },
      /layer type "sliding/,
    ],
    ['chunked layers', { layer_types: ['chunked_attention'] }, /layer type "chunked_attention"/],
    [
      'layer types that are no list',
      { layer_types: 'full_attention' },
      /a list for layer_types but found "full_attention"/,
    ],
  ])('refuses %s by name', async (_, change, pattern) => {
    await expectFailure(() => parseModelConfig({ ...MISTRAL_7B, ...change }), pattern);
  });
});

describe('windows of Qwen', () => {
  const qwen: JsonObject = { ...bare('qwen2'), use_sliding_window: true, max_position_embeddings: 65536 };

  test('limit the context only where a layer has one', () => {
    const context = (change: JsonObject) => parseModelConfig({ ...qwen, ...change }).maxPositions;
    expect(context({})).toBe(4096);
    expect(context({ sliding_window: 8192 })).toBe(8192);
    expect(context({ sliding_window: null })).toBe(65536);
    expect(context({ max_window_layers: 30 })).toBe(65536);
    expect(context({ max_window_layers: 0, sliding_window: 100 })).toBe(100);
    expect(context({ use_sliding_window: false, sliding_window: 8192 })).toBe(65536);
    expect(context({ layer_types: Array(30).fill('full_attention') })).toBe(65536);
    expect(context({ layer_types: ['full_attention', 'sliding_attention'], max_window_layers: 30 })).toBe(4096);
  });

  test('sliding layers that have no window are refused', async () => {
    const wrong = { ...qwen, use_sliding_window: false, layer_types: ['sliding_attention'] };
    await expectFailure(() => parseModelConfig(wrong), /layer type "sliding_attention"/);
  });
});
