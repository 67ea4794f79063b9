/** A tiny random policy, with the trained Qwen2 tokenizer of the fixtures where text is needed. */
import { join } from 'node:path';
import { Policy, type CreateOptions, type ModelConfig } from '../../src';

export const TOKENIZER_FOLDER = join(__dirname, '../fixtures/tokenizers/qwen2');

export const tinyConfig: ModelConfig = {
  architecture: 'qwen2',
  vocabSize: 1300,
  hiddenSize: 32,
  intermediateSize: 48,
  layers: 2,
  heads: 2,
  kvHeads: 1,
  headDim: 16,
  maxPositions: 64,
  rmsNormEps: 1e-6,
  tieWordEmbeddings: true,
  attentionBias: true,
  outputBias: false,
  mlpBias: false,
  qkNorm: false,
  rope: { theta: 10_000, scaling: null },
};

export function createTinyPolicy(options: CreateOptions = {}): Promise<Policy> {
  return Policy.create(tinyConfig, { device: 'cpu', threads: 2, std: 0.2, ...options });
}
