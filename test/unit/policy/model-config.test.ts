import { parameterShapes } from '../../../src/policy/decoder-description';
import { configToHuggingFace } from '../../../src/policy/hugging-face-config';
import type { JsonObject } from '../../../src/json-object';
import { parseEndTokens, parseModelConfig } from '../../../src/policy/model-config';
import { expectFailure, TINY_LLAMA } from './model-folder';

/** As published for Qwen2.5-0.5B, by transformers 4. */
const QWEN2_5: JsonObject = {
  architectures: ['Qwen2ForCausalLM'],
  attention_dropout: 0.0,
  eos_token_id: 151643,
  hidden_act: 'silu',
  hidden_size: 896,
  intermediate_size: 4864,
  max_position_embeddings: 32768,
  max_window_layers: 24,
  model_type: 'qwen2',
  num_attention_heads: 14,
  num_hidden_layers: 24,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 1000000.0,
  sliding_window: 32768,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  use_sliding_window: false,
  vocab_size: 151936,
};

/** A Qwen3 as transformers 5 writes it. */
const QWEN3: JsonObject = {
  architectures: ['Qwen3ForCausalLM'],
  attention_bias: false,
  dtype: 'bfloat16',
  head_dim: 128,
  hidden_act: 'silu',
  hidden_size: 1024,
  intermediate_size: 3072,
  layer_types: ['full_attention', 'full_attention'],
  max_position_embeddings: 40960,
  model_type: 'qwen3',
  num_attention_heads: 16,
  num_hidden_layers: 2,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-6,
  rope_parameters: { rope_theta: 1000000, rope_type: 'default' },
  sliding_window: null,
  tie_word_embeddings: true,
  use_sliding_window: false,
  vocab_size: 151936,
};

const LLAMA3_SCALING = {
  factor: 32.0,
  high_freq_factor: 4.0,
  low_freq_factor: 1.0,
  original_max_position_embeddings: 8192,
  rope_type: 'llama3',
};

describe('parseModelConfig', () => {
  test('Qwen2.5: biases of q, k, v only, and a window that is switched off', () => {
    expect(parseModelConfig(QWEN2_5)).toEqual({
      architecture: 'qwen2',
      vocabSize: 151936,
      hiddenSize: 896,
      intermediateSize: 4864,
      layers: 24,
      heads: 14,
      kvHeads: 2,
      headDim: 64,
      maxPositions: 32768,
      rmsNormEps: 1e-6,
      tieWordEmbeddings: true,
      attentionBias: true,
      outputBias: false,
      mlpBias: false,
      qkNorm: false,
      rope: { theta: 1e6, scaling: null },
    });
  });

  test('Qwen3 of transformers 5: norms of queries and keys, an explicit head dimension', () => {
    expect(parseModelConfig(QWEN3)).toMatchObject({
      architecture: 'qwen3',
      headDim: 128,
      qkNorm: true,
      attentionBias: false,
      rope: { theta: 1e6, scaling: null },
    });
    expect(parseModelConfig({ ...QWEN3, attention_bias: true })).toMatchObject({
      attentionBias: true,
      outputBias: true,
    });
  });

  test('Llama 3 scaling reads the same in both generations', () => {
    const four = { ...TINY_LLAMA, rope_scaling: LLAMA3_SCALING };
    const { rope_theta: theta, ...rest } = TINY_LLAMA;
    const five = { ...rest, rope_parameters: { ...LLAMA3_SCALING, rope_theta: theta } };
    const expected = {
      theta: 500000,
      scaling: { type: 'llama3', factor: 32, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 },
    };
    expect(parseModelConfig(four).rope).toEqual(expected);
    expect(parseModelConfig(five).rope).toEqual(expected);
  });

  test('linear scaling under the older key "type"', () => {
    const rope = parseModelConfig({ ...TINY_LLAMA, rope_scaling: { type: 'linear', factor: 2 } }).rope;
    expect(rope).toEqual({ theta: 500000, scaling: { type: 'linear', factor: 2 } });
  });

  test('missing keys get the defaults of transformers', () => {
    const bare = {
      model_type: 'llama',
      vocab_size: 7,
      hidden_size: 64,
      intermediate_size: 8,
      num_hidden_layers: 1,
      num_attention_heads: 4,
    };
    expect(parseModelConfig(bare)).toMatchObject({
      kvHeads: 4,
      headDim: 16,
      maxPositions: 2048,
      rmsNormEps: 1e-6,
      tieWordEmbeddings: false,
      attentionBias: false,
      rope: { theta: 10000, scaling: null },
    });
    expect(parseModelConfig({ ...bare, model_type: 'qwen3', num_attention_heads: 32 })).toMatchObject({
      kvHeads: 32,
      headDim: 128,
      maxPositions: 32768,
    });
  });

  test.each<[string, JsonObject, RegExp]>([
    ['another model', { model_type: 'gemma3_text' }, /model_type "gemma3_text".*qwen2, qwen3, llama, mistral/],
    ['OLMo-1', { model_type: 'olmo' }, /model_type "olmo"/],
    ['no model type', { model_type: undefined }, /has no model_type/],
    ['a name of Object.prototype', { model_type: 'constructor' }, /model_type "constructor"/],
    ['another head', { architectures: ['LlamaForSequenceClassification'] }, /LlamaForSequenceClassification/],
    ['yarn', { rope_scaling: { rope_type: 'yarn', factor: 4 } }, /rope type "yarn"/],
    ['dynamic', { rope_scaling: { type: 'dynamic', factor: 4 } }, /rope type "dynamic"/],
    ['longrope', { rope_parameters: { rope_type: 'longrope' } }, /rope type "longrope"/],
    [
      'rope per layer type',
      { rope_parameters: { full_attention: { rope_theta: 1 } } },
      /per layer type \(full_attention\)/,
    ],
    ['partial rotary', { partial_rotary_factor: 0.5 }, /partial_rotary_factor 0\.5/],
    [
      'partial rotary of transformers 5',
      { rope_parameters: { partial_rotary_factor: 0.25 } },
      /partial_rotary_factor 0\.25/,
    ],
    [
      'incomplete llama3 scaling',
      { rope_scaling: { ...LLAMA3_SCALING, factor: undefined } },
      /rope_scaling\.factor but found nothing/,
    ],
    [
      'equal frequency factors',
      { rope_scaling: { ...LLAMA3_SCALING, low_freq_factor: 4 } },
      /high_freq_factor 4 is not above/,
    ],
    ['a window in force', { use_sliding_window: true, sliding_window: 4096 }, /use_sliding_window true/],
    ['sliding layers', { layer_types: ['full_attention', 'sliding_attention'] }, /layer type "sliding_attention"/],
    ['another activation', { hidden_act: 'gelu' }, /hidden_act "gelu"/],
    ['quantized weights', { quantization_config: { quant_method: 'gptq' } }, /quantization_config \(gptq\)/],
    ['a small head', { head_dim: 8 }, /head dimension of 8/],
    ['an odd head', { head_dim: 17 }, /head dimension of 17/],
    [
      'heads that do not group',
      { num_attention_heads: 4, num_key_value_heads: 3, head_dim: 16 },
      /4 is not a multiple of num_key_value_heads 3/,
    ],
    [
      'no head dimension to be had',
      { num_attention_heads: 3, num_key_value_heads: 3 },
      /hidden_size 32 is not a multiple/,
    ],
    ['a missing size', { vocab_size: undefined }, /lacks vocab_size/],
    ['a size that is a text', { hidden_size: '32' }, /for hidden_size but found "32"/],
    ['a negative size', { num_hidden_layers: -1 }, /for num_hidden_layers but found -1/],
    ['layers without end', { num_hidden_layers: 1e9 }, /between 1 and 4096 for num_hidden_layers/],
    ['a zero epsilon', { rms_norm_eps: 0 }, /positive number for rms_norm_eps/],
    ['a tie that is a text', { tie_word_embeddings: 'yes' }, /true or false for tie_word_embeddings/],
  ])('refuses %s by name', async (_, change, pattern) => {
    await expectFailure(() => parseModelConfig({ ...TINY_LLAMA, ...change }, 'some/config.json'), pattern);
    await expectFailure(
      () => parseModelConfig({ ...TINY_LLAMA, ...change }, 'some/config.json'),
      /^some\/config\.json/,
    );
  });
});

describe('parseEndTokens', () => {
  test('generation_config.json wins, numbers and lists both count', () => {
    expect(parseEndTokens({ eos_token_id: 3 }, { eos_token_id: [5, 4, 5] }, 10)).toEqual([5, 4]);
    expect(parseEndTokens({ eos_token_id: 3 }, {}, 10)).toEqual([3]);
    expect(parseEndTokens({ eos_token_id: null }, null, 10)).toEqual([]);
  });

  test('an id beyond the vocabulary is refused with its file', async () => {
    await expectFailure(
      () => parseEndTokens({}, { eos_token_id: [10] }, 10),
      /^generation_config\.json: eos_token_id 10/,
    );
    await expectFailure(() => parseEndTokens({ eos_token_id: 'a' }, null, 10), /^config\.json: eos_token_id "a"/);
  });
});

describe('configToHuggingFace', () => {
  const sources = {
    qwen2: QWEN2_5,
    qwen3: QWEN3,
    llama: { ...TINY_LLAMA, attention_bias: true, mlp_bias: true, rope_scaling: LLAMA3_SCALING },
  };

  test.each(Object.entries(sources))('%s reads back as the same model', (_, source) => {
    const config = parseModelConfig(source);
    expect(parseModelConfig(configToHuggingFace(config, 'bfloat16', source))).toEqual(config);
  });

  test('both spellings are written, unknown keys stay, old ones are overridden', () => {
    const config = parseModelConfig(sources.llama);
    const written = configToHuggingFace(config, 'float32', {
      ...sources.llama,
      torch_dtype: 'bfloat16',
      bos_token_id: 1,
      original_max_position_embeddings: 99,
    });
    expect(written).toMatchObject({
      bos_token_id: 1,
      torch_dtype: 'float32',
      dtype: 'float32',
      rope_theta: 500000,
      rope_scaling: LLAMA3_SCALING,
      rope_parameters: { ...LLAMA3_SCALING, rope_theta: 500000 },
    });
    expect(written).not.toHaveProperty('original_max_position_embeddings');
  });

  test('a bias that the architecture does not have is refused', async () => {
    const config = { ...parseModelConfig(QWEN2_5), outputBias: true };
    await expectFailure(
      () => configToHuggingFace(config, 'float32'),
      /qwen2.*outputBias false, not true/,
      'ERR_ZERO_RL_CONFIG',
    );
  });
});

describe('parameterShapes', () => {
  const shapesOf = (source: JsonObject) =>
    new Map(parameterShapes(parseModelConfig(source)).map(({ name, shape }) => [name, shape]));

  test('grouped heads, head dimension apart from hidden / heads, norms of Qwen3', () => {
    const shapes = shapesOf({ ...QWEN3, tie_word_embeddings: false });
    expect(shapes.get('model.layers.1.self_attn.q_proj.weight')).toEqual([2048, 1024]);
    expect(shapes.get('model.layers.1.self_attn.k_proj.weight')).toEqual([1024, 1024]);
    expect(shapes.get('model.layers.1.self_attn.o_proj.weight')).toEqual([1024, 2048]);
    expect(shapes.get('model.layers.1.self_attn.q_norm.weight')).toEqual([128]);
    expect(shapes.get('lm_head.weight')).toEqual([151936, 1024]);
    expect(shapes.has('model.layers.0.self_attn.q_proj.bias')).toBe(false);
  });

  test('biases where the architecture has them, no head when tied', () => {
    const qwen = shapesOf(QWEN2_5);
    expect(qwen.get('model.layers.23.self_attn.v_proj.bias')).toEqual([128]);
    expect(qwen.has('model.layers.23.self_attn.o_proj.bias')).toBe(false);
    expect(qwen.has('lm_head.weight')).toBe(false);
    expect(qwen.size).toBe(2 + 24 * 12);
    const llama = shapesOf({ ...TINY_LLAMA, attention_bias: true, mlp_bias: true });
    expect(llama.get('model.layers.0.self_attn.o_proj.bias')).toEqual([32]);
    expect(llama.get('model.layers.0.mlp.down_proj.bias')).toEqual([32]);
    expect(llama.get('model.layers.0.mlp.up_proj.bias')).toEqual([24]);
  });
});
