/** What config.json of each family means: the published files, and keys that are missing, null or of another family. */
import type { JsonObject } from '../../../src/json-object';
import { FAMILIES, type Architecture } from '../../../src/policy/families/families';
import { decoderDescription, parameterShapes } from '../../../src/policy/decoder-description';
import { configToHuggingFace } from '../../../src/policy/hugging-face-config';
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

/** As published for OLMo-2-0425-1B. */
const OLMO2_1B: JsonObject = {
  architectures: ['Olmo2ForCausalLM'],
  attention_bias: false,
  attention_dropout: 0.0,
  eos_token_id: 100257,
  hidden_act: 'silu',
  hidden_size: 2048,
  initializer_range: 0.02,
  intermediate_size: 8192,
  max_position_embeddings: 4096,
  model_type: 'olmo2',
  num_attention_heads: 16,
  num_hidden_layers: 16,
  num_key_value_heads: 16,
  pad_token_id: 100277,
  rms_norm_eps: 1e-6,
  rope_scaling: null,
  rope_theta: 500000,
  tie_word_embeddings: false,
  torch_dtype: 'float32',
  use_cache: true,
  vocab_size: 100352,
};

/** As published for SmolLM3-3B: it says nothing of tied embeddings. */
const SMOLLM3_3B: JsonObject = {
  architectures: ['SmolLM3ForCausalLM'],
  attention_bias: false,
  attention_dropout: 0.0,
  eos_token_id: 128012,
  hidden_act: 'silu',
  hidden_size: 2048,
  initializer_range: 0.02,
  intermediate_size: 11008,
  layer_types: Array(36).fill('full_attention'),
  max_position_embeddings: 65536,
  max_window_layers: 28,
  mlp_bias: false,
  model_type: 'smollm3',
  no_rope_layer_interval: 4,
  no_rope_layers: Array.from({ length: 36 }, (_, layer) => Number(layer % 4 !== 3)),
  num_attention_heads: 16,
  num_hidden_layers: 36,
  num_key_value_heads: 4,
  pad_token_id: 128004,
  pretraining_tp: 2,
  rms_norm_eps: 1e-6,
  rope_scaling: null,
  rope_theta: 5000000.0,
  sliding_window: null,
  torch_dtype: 'bfloat16',
  use_cache: false,
  use_sliding_window: false,
  vocab_size: 128256,
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
    olmo2: { ...llamaLike, qkNorm: true, kvHeads: 32, headDim: 32, maxPositions: 2048, rmsNormEps: 1e-5 },
    smollm3: {
      ...llamaLike,
      nopeLayers: [3, 7, 11, 15, 19, 23, 27],
      kvHeads: 4,
      headDim: 32,
      maxPositions: 32_768,
      rmsNormEps: 1e-6,
    },
  };
  const thetas: Partial<Record<Architecture, number>> = { smollm3: 2_000_000 };
  const tied: Architecture[] = ['smollm3'];

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

describe('OLMo-2', () => {
  test('norms after attention and MLP, none before, and of whole projections', () => {
    const config = parseModelConfig(OLMO2_1B);
    expect(config).toMatchObject({ qkNorm: true, kvHeads: 16, headDim: 128, maxPositions: 4096, rmsNormEps: 1e-6 });
    expect(config).toMatchObject({ attentionBias: false, tieWordEmbeddings: false, rope: { theta: 500000 } });
    const shapes = shapesOf(parseModelConfig({ ...OLMO2_1B, num_key_value_heads: 4 }));
    const layer = 'model.layers.15';
    expect(shapes.get(`${layer}.self_attn.q_norm.weight`)).toEqual([2048]);
    expect(shapes.get(`${layer}.self_attn.k_norm.weight`)).toEqual([512]);
    expect(shapes.get(`${layer}.post_attention_layernorm.weight`)).toEqual([2048]);
    expect(shapes.get(`${layer}.post_feedforward_layernorm.weight`)).toEqual([2048]);
    expect(shapes.has(`${layer}.input_layernorm.weight`)).toBe(false);
    expect(shapes.size).toBe(3 + 16 * 11);
    const { layers, blocks } = decoderDescription(config, false);
    expect(layers[15]).toEqual({ rotary: true, qkNorm: 'projection' });
    expect(blocks.filter(({ layer: at }) => at === 0).map(({ role }) => role)).toEqual([
      'qkv',
      'queryNorm',
      'keyNorm',
      'attentionOutput',
      'attentionOutputNorm',
      'gateUp',
      'down',
      'mlpOutputNorm',
    ]);
  });

  test('biases of attention, of all four projections', () => {
    const config = parseModelConfig({ ...OLMO2_1B, attention_bias: true });
    expect(config).toMatchObject({ attentionBias: true, outputBias: true });
    expect(shapesOf(config).get('model.layers.0.self_attn.o_proj.bias')).toEqual([2048]);
  });

  test.each<[string, JsonObject, RegExp]>([
    ['clipped projections', { clip_qkv: 8 }, /clip_qkv is not implemented/],
    ['the windows of OLMo-3', { layer_types: ['sliding_attention'] }, /layer type "sliding_attention"/],
    ['a bias that is a text', { attention_bias: 'no' }, /true or false for attention_bias/],
    ['OLMo-3', { model_type: 'olmo3' }, /model_type "olmo3".*olmo2/],
  ])('refuses %s by name', async (_, change, pattern) => {
    await expectFailure(() => parseModelConfig({ ...OLMO2_1B, ...change }), pattern);
  });
});

describe('SmolLM3', () => {
  const every4th = [3, 7, 11, 15, 19, 23, 27, 31, 35];
  const rotating = (source: JsonObject) =>
    decoderDescription(parseModelConfig(source), false).layers.map(({ rotary }) => rotary);

  test('every fourth layer does not rotate, and embeddings are tied unless the file says otherwise', () => {
    const config = parseModelConfig(SMOLLM3_3B);
    expect(config).toMatchObject({ nopeLayers: every4th, tieWordEmbeddings: true, headDim: 128, maxPositions: 65536 });
    expect(rotating(SMOLLM3_3B).flatMap((rotary, layer) => (rotary ? [] : [layer]))).toEqual(every4th);
    expect(parseModelConfig({ ...SMOLLM3_3B, tie_word_embeddings: false }).tieWordEmbeddings).toBe(false);
  });

  test('the list wins over the interval, which counts where there is none', () => {
    const read = (change: JsonObject) => parseModelConfig({ ...SMOLLM3_3B, ...change }).nopeLayers;
    expect(read({ no_rope_layers: null })).toEqual(every4th);
    expect(read({ no_rope_layers: undefined, no_rope_layer_interval: 12 })).toEqual([11, 23, 35]);
    const list = Array(36).fill(1);
    expect(read({ no_rope_layers: list })).toEqual([]);
    expect(read({ no_rope_layers: [0, ...list] })).toEqual([0]);
  });

  test('what is saved has the list, whatever the file it came from had', () => {
    const config = parseModelConfig({ ...SMOLLM3_3B, no_rope_layers: null, no_rope_layer_interval: 9 });
    const written = configToHuggingFace(config, 'bfloat16', SMOLLM3_3B);
    expect(written.no_rope_layers).toEqual(Array.from({ length: 36 }, (_, layer) => Number(layer % 9 !== 8)));
    expect(parseModelConfig(written)).toEqual(config);
  });

  test('a model made without a file may leave the layers out', () => {
    const { nopeLayers, ...rest } = parseModelConfig(SMOLLM3_3B);
    expect(parseModelConfig(configToHuggingFace(rest, 'float32')).nopeLayers).toEqual(nopeLayers);
  });

  test('windows are those of layers that do not rotate, unless layer_types says which', () => {
    const context = (change: JsonObject) =>
      parseModelConfig({ ...SMOLLM3_3B, layer_types: null, use_sliding_window: true, ...change }).maxPositions;
    expect(context({})).toBe(65536);
    expect(context({ sliding_window: 512 })).toBe(512);
    expect(context({ sliding_window: 512, no_rope_layers: Array(36).fill(1) })).toBe(65536);
    expect(context({ sliding_window: 512, layer_types: Array(36).fill('full_attention') })).toBe(65536);
    expect(context({ sliding_window: 512, use_sliding_window: false })).toBe(65536);
  });

  test.each<[string, JsonObject, RegExp]>([
    ['a list that is too short', { no_rope_layers: [1, 1, 1, 0] }, /0 or 1 for each of 36 layers/],
    ['a list of other numbers', { no_rope_layers: Array(36).fill(2) }, /0 or 1 for each of 36 layers/],
    [
      'an interval of nothing',
      { no_rope_layers: null, no_rope_layer_interval: 0 },
      /no_rope_layer_interval but found 0/,
    ],
    ['YaRN', { rope_scaling: { rope_type: 'yarn', factor: 2 } }, /rope type "yarn"/],
  ])('refuses %s by name', async (_, change, pattern) => {
    await expectFailure(() => parseModelConfig({ ...SMOLLM3_3B, ...change }), pattern);
  });

  test.each<[string, Partial<ModelConfig>]>([
    ['layers that there are not', { nopeLayers: [36] }],
    ['layers that are no list', { nopeLayers: 3 as unknown as number[] }],
    ['another family', { nopeLayers: [3], architecture: 'llama' }],
  ])('refuses to make %s', async (_, change) => {
    const config = { ...parseModelConfig(SMOLLM3_3B), ...change };
    await expectFailure(() => configToHuggingFace(config, 'float32'), /nopeLayers/, 'ERR_ZERO_RL_CONFIG');
  });
});
