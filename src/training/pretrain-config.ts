/** The configuration of `zero-rl pretrain`: every key, its check and its default. */
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { ConfigKeys } from '../policy/config-keys';
import { ARCHITECTURES, FAMILIES } from '../policy/families/families';
import type { ModelConfig } from '../policy/model-config';
import { betas, count, fraction, mebibytes, positiveInteger } from './config-numbers';

const path = z.string().min(1);

const corpusSchema = z
  .strictObject({
    /** A generator instead of files. */
    generator: z.enum(['arithmetic']).optional(),
    /** Text files: `.jsonl` with one document a line, or plain text. Relative paths count from the working directory. */
    files: z.array(path).min(1).optional(),
    /** Key of the text in `.jsonl` files. */
    textKey: z.string().min(1).default('text'),
    /** The line between two documents of a plain text file. */
    documentSeparator: z.string().min(1).default('<|endoftext|>'),
    /** About one document of the files in so many is held out. A generator has its own split. */
    heldOutEvery: z.int().min(2).default(64),
    /** Held-out documents that the loss is measured on. */
    heldOutDocuments: positiveInteger.default(256),
  })
  .refine(
    ({ generator, files }) => (generator === undefined) !== (files === undefined),
    'Expected either generator or files',
  );

const modelSchema = z.strictObject({
  architecture: z.enum(ARCHITECTURES).default('qwen2'),
  hiddenSize: positiveInteger,
  intermediateSize: positiveInteger,
  layers: positiveInteger,
  heads: positiveInteger,
  /** Default `heads`. */
  kvHeads: positiveInteger.optional(),
  /** Default hiddenSize / heads. */
  headDim: positiveInteger.optional(),
  maxPositions: positiveInteger.default(512),
  ropeTheta: z.number().positive().default(10_000),
  rmsNormEps: z.number().positive().default(1e-6),
  tieWordEmbeddings: z.boolean().default(true),
  /** Standard deviation of the random weights. */
  initStd: z.number().positive().default(0.02),
});

const learningRateSchema = z.strictObject({
  peak: z.number().positive().default(1e-3),
  /** Steps over which it rises from 0. */
  warmupSteps: count.default(100),
  /** Share of the peak left at the last step; it falls by a cosine. */
  finalShare: fraction.default(0.1),
});

const optimizerSchema = z.strictObject({
  betas: betas.default([0.9, 0.95]),
  eps: z.number().positive().default(1e-8),
  weightDecay: z.number().min(0).default(0),
  /** Gradients are scaled down to this global norm; 0 does not clip. */
  maxGradNorm: z.number().min(0).default(1),
  memoryBudgetMiB: mebibytes.optional(),
});

export const pretrainSchema = z.strictObject({
  /** Folder of the finished model, its earlier checkpoints and the log. */
  output: path,
  /** Key of all randomness: weights, documents and their order. */
  seed: count.default(0),
  corpus: corpusSchema,
  /** Folder with a tokenizer.json. Default: one token per byte of the corpus. */
  tokenizer: path.optional(),
  /** The token that begins and separates documents, where `tokenizer` is given. */
  separator: z.string().min(1).default('<|endoftext|>'),
  model: modelSchema,
  steps: positiveInteger,
  documentsPerStep: positiveInteger.default(64),
  learningRate: learningRateSchema.prefault({}),
  optimizer: optimizerSchema.prefault({}),
  /** Steps whose weights are kept under `checkpoints/step-N`. */
  checkpoints: z.array(positiveInteger).default([]),
  /** Element type of saved weights. */
  saveDtype: z.enum(['float32', 'bfloat16']).default('bfloat16'),
  /** Steps between measurements of the held-out loss. */
  evaluateEvery: positiveInteger.default(250),
  /** Steps between saves of the state from which `--resume` goes on. */
  saveEvery: positiveInteger.default(500),
});

/** A config with every key present. */
export type PretrainConfig = z.output<typeof pretrainSchema>;
export type PretrainConfigInput = z.input<typeof pretrainSchema>;
export type CorpusConfig = PretrainConfig['corpus'];

/** The model that a config describes; `Policy.create` checks it further. */
export function modelConfig({ model }: PretrainConfig, vocabSize: number): ModelConfig {
  const { architecture, heads, layers } = model;
  return {
    architecture,
    vocabSize,
    hiddenSize: model.hiddenSize,
    intermediateSize: model.intermediateSize,
    layers,
    heads,
    kvHeads: model.kvHeads ?? heads,
    headDim: model.headDim ?? Math.floor(model.hiddenSize / heads),
    maxPositions: model.maxPositions,
    rmsNormEps: model.rmsNormEps,
    tieWordEmbeddings: model.tieWordEmbeddings,
    ...FAMILIES[architecture].readFeatures(new ConfigKeys({}, 'config'), layers),
    rope: { theta: model.ropeTheta, scaling: null },
  };
}

/** Learning rate of step `step` (from 1): linear warm-up, then a cosine down to `finalShare` of the peak. */
export function pretrainLearningRate({ learningRate, steps }: PretrainConfig, step: number): number {
  const { peak, finalShare, warmupSteps } = learningRate;
  if (step <= warmupSteps) return (peak * step) / warmupSteps;
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, steps - warmupSteps));
  return peak * (finalShare + (1 - finalShare) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}

/** Makes the paths of a config absolute. */
export function resolvePretrainPaths(config: PretrainConfig): PretrainConfig {
  const { corpus, tokenizer } = config;
  return {
    ...config,
    output: resolve(config.output),
    corpus: { ...corpus, ...(corpus.files ? { files: corpus.files.map((file) => resolve(file)) } : {}) },
    ...(tokenizer === undefined ? {} : { tokenizer: resolve(tokenizer) }),
  };
}

/** Where the weights of a step are kept. */
export function checkpointFolder(config: PretrainConfig, step: number): string {
  return join(config.output, 'checkpoints', `step-${step}`);
}
