/** What the engine needs to know of a decoder, from its configuration. */
import type { NativeBlock, NativeDecoder } from '../../binding/native';
import { parameterShapes, type ParameterShape, VALUE_HEAD } from './hugging-face-config';
import type { ModelConfig } from './model-config';

type Role = NativeBlock['role'];

/** Tensors of a layer by the ends of their names; those of one role are stored as one. */
const LAYER_ROLES: readonly (readonly [RegExp, Role])[] = [
  [/^input_layernorm\.weight$/, 'attentionNorm'],
  [/^self_attn\.[qkv]_proj\.weight$/, 'qkv'],
  [/^self_attn\.[qkv]_proj\.bias$/, 'qkvBias'],
  [/^self_attn\.q_norm\.weight$/, 'queryNorm'],
  [/^self_attn\.k_norm\.weight$/, 'keyNorm'],
  [/^self_attn\.o_proj\.weight$/, 'attentionOutput'],
  [/^self_attn\.o_proj\.bias$/, 'attentionOutputBias'],
  [/^post_attention_layernorm\.weight$/, 'mlpNorm'],
  [/^mlp\.(?:gate|up)_proj\.weight$/, 'gateUp'],
  [/^mlp\.(?:gate|up)_proj\.bias$/, 'gateUpBias'],
  [/^mlp\.down_proj\.weight$/, 'down'],
  [/^mlp\.down_proj\.bias$/, 'downBias'],
];

const MODEL_ROLES: Readonly<Record<string, Role>> = {
  'model.embed_tokens.weight': 'embedding',
  'model.norm.weight': 'finalNorm',
  'lm_head.weight': 'head',
  [VALUE_HEAD]: 'head',
};

function placeOf({ name }: ParameterShape): { role: Role; layer: number } {
  const inLayer = /^model\.layers\.(\d+)\.(.+)$/.exec(name);
  const role = inLayer === null ? MODEL_ROLES[name] : LAYER_ROLES.find(([end]) => end.test(inLayer[2] as string))?.[1];
  if (role === undefined) throw new Error(`There is no role for the tensor ${name}`);
  return { role, layer: inLayer === null ? -1 : Number(inLayer[1]) };
}

export function decoderDescription(config: ModelConfig, valueHead: boolean): NativeDecoder {
  const blocks: NativeBlock[] = [];
  const byPlace = new Map<string, NativeBlock>();
  for (const tensor of parameterShapes(config, valueHead)) {
    const { role, layer } = placeOf(tensor);
    const place = `${layer}.${role}`;
    let block = byPlace.get(place);
    if (block === undefined) {
      block = { role, layer, tensors: [] };
      byPlace.set(place, block);
      blocks.push(block);
    }
    block.tensors.push(tensor);
  }
  const { vocabSize, hiddenSize, intermediateSize, heads, kvHeads, headDim, maxPositions, rmsNormEps, rope } = config;
  return {
    vocabSize,
    hiddenSize,
    intermediateSize,
    heads,
    kvHeads,
    headDim,
    maxPositions,
    rmsNormEps,
    valueHead,
    rope,
    layers: Array.from({ length: config.layers }, () => ({ rotary: true, qkNorm: config.qkNorm ? 'head' : 'none' })),
    blocks,
  };
}
