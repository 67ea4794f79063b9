/** The parts that layers consist of, with the names that Hugging Face checkpoints give them. */
import type { NativeBlock, NativeDecoder } from '../../../binding/native';
import type { ModelConfig } from '../model-config';

type Role = NativeBlock['role'];

/** Tensors of a layer that are stored as one matrix or vector, one after the other. */
export type Block = Omit<NativeBlock, 'layer'>;

/** What the tensors of a layer do not say, and its tensors. */
export type DecoderLayer = NativeDecoder['layers'][number] & { blocks: Block[] };

export function normBlock(role: Role, name: string, size: number): Block {
  return { role, tensors: [{ name: `${name}.weight`, shape: [size] }] };
}

/** Projections of `[name, outputs]` from the same inputs as one block, and their biases as another. */
function linearBlocks(
  [role, biasRole]: [Role, Role],
  prefix: string,
  projections: readonly (readonly [string, number])[],
  inputs: number,
  bias: boolean,
): Block[] {
  const weights = projections.map(([name, outputs]) => ({
    name: `${prefix}.${name}.weight`,
    shape: [outputs, inputs],
  }));
  const biases = projections.map(([name, outputs]) => ({ name: `${prefix}.${name}.bias`, shape: [outputs] }));
  return [{ role, tensors: weights }, ...(bias ? [{ role: biasRole, tensors: biases }] : [])];
}

/** Grouped-query attention: projections with their biases, and norms of queries and keys. */
export function attentionBlocks(config: ModelConfig, prefix: string, qkNorm: DecoderLayer['qkNorm']): Block[] {
  const { hiddenSize, headDim, attentionBias, outputBias } = config;
  const [queries, keys] = [config.heads * headDim, config.kvHeads * headDim];
  const norm = (role: Role, name: string, width: number) =>
    normBlock(role, `${prefix}.${name}`, qkNorm === 'head' ? headDim : width);
  const projections = [
    ['q_proj', queries],
    ['k_proj', keys],
    ['v_proj', keys],
  ] as const;
  return [
    ...linearBlocks(['qkv', 'qkvBias'], prefix, projections, hiddenSize, attentionBias),
    ...(qkNorm === 'none' ? [] : [norm('queryNorm', 'q_norm', queries), norm('keyNorm', 'k_norm', keys)]),
    ...linearBlocks(['attentionOutput', 'attentionOutputBias'], prefix, [['o_proj', hiddenSize]], queries, outputBias),
  ];
}

/** down(silu(gate) · up) */
export function mlpBlocks({ hiddenSize, intermediateSize, mlpBias }: ModelConfig, prefix: string): Block[] {
  const projections = [
    ['gate_proj', intermediateSize],
    ['up_proj', intermediateSize],
  ] as const;
  return [
    ...linearBlocks(['gateUp', 'gateUpBias'], prefix, projections, hiddenSize, mlpBias),
    ...linearBlocks(['down', 'downBias'], prefix, [['down_proj', hiddenSize]], intermediateSize, mlpBias),
  ];
}

export const layerPrefix = (index: number): string => `model.layers.${index}`;

/** Norms before attention and before the MLP, as in Llama: x += attention(norm(x)), x += mlp(norm(x)). */
export function preNormLayer(
  config: ModelConfig,
  index: number,
  { rotary = true, qkNorm = 'none' }: Partial<Omit<DecoderLayer, 'blocks'>> = {},
): DecoderLayer {
  const prefix = layerPrefix(index);
  return {
    rotary,
    qkNorm,
    blocks: [
      normBlock('attentionNorm', `${prefix}.input_layernorm`, config.hiddenSize),
      ...attentionBlocks(config, `${prefix}.self_attn`, qkNorm),
      normBlock('mlpNorm', `${prefix}.post_attention_layernorm`, config.hiddenSize),
      ...mlpBlocks(config, `${prefix}.mlp`),
    ],
  };
}
