/** A decoder as data: what the engine interprets, and what parameters there are, from its configuration. */
import type { NativeBlock, NativeDecoder } from '../../binding/native';
import { FAMILIES } from './families/families';
import { normBlock, type ParameterShape, type Role } from './families/layers';
import type { ModelConfig } from './model-config';

/** A critic's head, in place of `lm_head.weight`. */
export const VALUE_HEAD = 'value_head.weight';

/** A head of the vocabulary only where it is not tied to the embedding; that of a critic with `valueHead`. */
export function decoderDescription(config: ModelConfig, valueHead = false): NativeDecoder {
  const { vocabSize, hiddenSize, intermediateSize, heads, kvHeads, headDim, maxPositions, rmsNormEps, rope } = config;
  const layers = Array.from({ length: config.layers }, (_, index) =>
    FAMILIES[config.architecture].layer(config, index),
  );
  const ofModel = (role: Role, name: string, ...shape: number[]): NativeBlock => ({
    role,
    layer: -1,
    tensors: [{ name, shape }],
  });
  const head = valueHead ? [ofModel('head', VALUE_HEAD, 1, hiddenSize)] : [];
  if (!valueHead && !config.tieWordEmbeddings) head.push(ofModel('head', 'lm_head.weight', vocabSize, hiddenSize));
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
      ofModel('embedding', 'model.embed_tokens.weight', vocabSize, hiddenSize),
      ...layers.flatMap(({ blocks }, layer) => blocks.map((block) => ({ ...block, layer }))),
      { ...normBlock('finalNorm', 'model.norm', hiddenSize), layer: -1 },
      ...head,
    ],
  };
}

/** Every parameter in the order in which they are stored. */
export function parameterShapes(config: ModelConfig, valueHead = false): ParameterShape[] {
  return decoderDescription(config, valueHead).blocks.flatMap(({ tensors }) => tensors);
}
