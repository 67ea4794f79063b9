/** What the engine needs to know of a decoder, from its configuration. */
import type { NativeBlock, NativeDecoder } from '../../binding/native';
import { familyOf } from './families/families';
import type { ModelConfig } from './model-config';

/** Name (as in Hugging Face checkpoints) and shape of one parameter. */
export type ParameterShape = NativeBlock['tensors'][number];

/** A critic's head, in place of `lm_head.weight`. */
export const VALUE_HEAD = 'value_head.weight';

export function decoderDescription(config: ModelConfig, valueHead: boolean): NativeDecoder {
  const { vocabSize, hiddenSize, intermediateSize, heads, kvHeads, headDim, maxPositions, rmsNormEps, rope } = config;
  const family = familyOf(config.architecture);
  const layers = Array.from({ length: config.layers }, (_, index) => family.layer(config, index));
  const block = (role: NativeBlock['role'], name: string, ...shape: number[]): NativeBlock => ({
    role,
    layer: -1,
    tensors: [{ name, shape }],
  });
  const ownHead = valueHead || !config.tieWordEmbeddings;
  const head = valueHead
    ? block('head', VALUE_HEAD, 1, hiddenSize)
    : block('head', 'lm_head.weight', vocabSize, hiddenSize);
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
    layers: layers.map(({ rotary, qkNorm }) => ({ rotary, qkNorm })),
    blocks: [
      block('embedding', 'model.embed_tokens.weight', vocabSize, hiddenSize),
      ...layers.flatMap(({ blocks }, layer) => blocks.map((part) => ({ ...part, layer }))),
      block('finalNorm', 'model.norm.weight', hiddenSize),
      ...(ownHead ? [head] : []),
    ],
  };
}

/** Every parameter in the order in which they are stored; `valueHead`: of a critic. */
export function parameterShapes(config: ModelConfig, valueHead = false): ParameterShape[] {
  return decoderDescription(config, valueHead).blocks.flatMap(({ tensors }) => tensors);
}
