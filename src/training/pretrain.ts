/**
 * Next-token training on the policy's own engine. With every token after the first as response, advantage 1 and the mean
 * over tokens, the policy-gradient loss −A·log p is the cross-entropy of the batch, so no second code path exists.
 *
 * A document is [separator] text [separator]. One longer than the context is cut into pieces that share one token, so
 * each token is predicted once.
 */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ZeroRlError } from '../errors';
import { copyTokenizerFiles } from '../policy/checkpoint-folder';
import { Policy } from '../policy/policy';
import { Tokenizer } from '../policy/tokenizer';
import type { PolicyOptions, TrainingSequence } from '../policy/types';
import { timed, timedSync } from '../profile/spans';
import { checkpointFolder, modelConfig, pretrainLearningRate, type PretrainConfig } from './pretrain-config';
import { openCorpus, type Corpus } from './pretrain-corpus';
import {
  dropState,
  openOutput,
  recordConfig,
  saveState,
  stateFolder,
  trimMetrics,
  writeRecord,
  type PretrainRecord,
} from './pretrain-state';
import { ASCII_BYTES, bytesOf, SEPARATOR, writeByteTokenizer } from './pretrain-tokenizer';

export interface PretrainOptions extends PolicyOptions {
  /** Go on from the state in the output folder. */
  resume?: boolean;
  /** Stops after saving the state; the loop then ends without an error. */
  signal?: AbortSignal;
}

/** One step. */
export interface PretrainMetrics {
  step: number;
  /** Mean cross-entropy of the batch before the update, nats per token. */
  loss: number;
  /** Mean cross-entropy of the held-out documents after the update; null where it was not measured. */
  heldOutLoss: number | null;
  learningRate: number;
  gradNorm: number;
  /** Trained tokens of the batch. */
  tokens: number;
  /** Of the step alone. */
  tokensPerSecond: number;
}

/** Cuts [separator] ids [separator] into sequences of at most `maxPositions` tokens. */
export function documentSequences(ids: Int32Array, separator: number, maxPositions: number): TrainingSequence[] {
  const tokens = Int32Array.of(separator, ...ids, separator);
  const pieces: TrainingSequence[] = [];
  for (let start = 0; start + 1 < tokens.length; start += maxPositions - 1) {
    pieces.push({ tokens: tokens.slice(start, start + maxPositions), promptLength: 1, advantages: 1 });
  }
  return pieces;
}

/** Writes the tokenizer's files into the output folder and reads them back. */
async function prepareTokenizer(config: PretrainConfig, corpus: Corpus): Promise<[Tokenizer, number]> {
  if (config.tokenizer === undefined) {
    const alphabet = corpus.texts === null ? ASCII_BYTES : bytesOf(corpus.texts);
    await writeByteTokenizer(config.output, alphabet, config.model.maxPositions);
  } else {
    await copyTokenizerFiles(config.tokenizer, config.output);
  }
  const tokenizer = await Tokenizer.load(config.output);
  const text = config.tokenizer === undefined ? SEPARATOR : config.separator;
  const separator = tokenizer?.tokenToId(text);
  if (tokenizer === null || separator === undefined) {
    throw new ZeroRlError(
      'ERR_ZERO_RL_CONFIG',
      `The tokenizer of ${config.tokenizer ?? config.output} has no token ${JSON.stringify(text)}; name its end of text in separator.`,
    );
  }
  return [tokenizer, separator];
}

/** Mean cross-entropy in nats per token. */
async function meanLoss(policy: Policy, sequences: readonly TrainingSequence[]): Promise<number> {
  const logProbs = await policy.logProbs(sequences);
  let sum = 0;
  let count = 0;
  for (const values of logProbs) {
    count += values.length;
    for (const value of values) sum -= value;
  }
  return sum / count;
}

/**
 * Trains a model from random weights (or from the saved state) and yields each step's metrics. When it ends, the output
 * folder is a Hugging Face model folder with `checkpoints/`, `metrics.jsonl` and `pretrain.json` beside the weights.
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG`, `ERR_ZERO_RL_DATA`, `ERR_ZERO_RL_OUTPUT`
 */
export async function* pretrain(
  config: PretrainConfig,
  options: PretrainOptions = {},
): AsyncGenerator<PretrainMetrics> {
  const { resume = false, signal, ...engine } = options;
  const corpus = await timed('data', () => openCorpus(config.corpus, config.seed));
  const found = await openOutput(config, resume);
  if (found && found.step >= config.steps) return;
  const [tokenizer, separator] = await prepareTokenizer(config, corpus);
  const encode = (text: string): TrainingSequence[] =>
    documentSequences(tokenizer.encode(text, { addSpecialTokens: false }), separator, config.model.maxPositions);
  const batch = (step: number): TrainingSequence[] =>
    Array.from({ length: config.documentsPerStep }, (_, i) => (step - 1) * config.documentsPerStep + i).flatMap(
      (index) => encode(corpus.document(index)),
    );
  const heldOut = timedSync('data', () => corpus.heldOut(config.corpus.heldOutDocuments).flatMap(encode));

  using policy = await Policy.create(modelConfig(config, tokenizer.vocabSize), {
    ...engine,
    seed: config.seed,
    std: config.model.initStd,
    tokenizerFrom: config.output,
    endTokens: [separator],
  });
  if (found) await policy.loadTrainingState(stateFolder(config, found.step));
  const record: PretrainRecord = found ?? {
    config: recordConfig(config),
    step: 0,
    tokens: 0,
    seconds: 0,
    heldOutLoss: null,
  };
  const metricsFile = join(config.output, 'metrics.jsonl');
  await trimMetrics(metricsFile, record.step);
  const saveDtype = config.saveDtype === 'float32' ? 'F32' : 'BF16';

  let next = batch(record.step + 1);
  while (record.step < config.steps) {
    if (signal?.aborted) {
      await saveState(policy, config, record);
      return;
    }
    const step = record.step + 1;
    const started = performance.now();
    const learningRate = pretrainLearningRate(config, step);
    const running = policy.step(next, {
      ...config.optimizer,
      objective: 'reinforce',
      aggregation: 'token-mean',
      learningRate,
    });
    if (step < config.steps) next = timedSync('data', () => batch(step + 1));
    const stats = await running;
    const seconds = (performance.now() - started) / 1000;
    record.step = step;
    record.tokens += stats.tokens;
    const measure = heldOut.length > 0 && (step % config.evaluateEvery === 0 || step === config.steps);
    if (measure) record.heldOutLoss = await timed('evaluation', () => meanLoss(policy, heldOut));
    if (config.checkpoints.includes(step)) await policy.save(checkpointFolder(config, step), { dtype: saveDtype });
    record.seconds += (performance.now() - started) / 1000;
    const metrics: PretrainMetrics = {
      step,
      loss: stats.loss,
      heldOutLoss: measure ? record.heldOutLoss : null,
      learningRate,
      gradNorm: stats.gradNorm,
      tokens: stats.tokens,
      tokensPerSecond: stats.tokens / seconds,
    };
    await appendFile(metricsFile, `${JSON.stringify(metrics)}\n`);
    if (step % config.saveEvery === 0 && step < config.steps) await saveState(policy, config, record);
    yield metrics;
  }
  await timed('checkpoint', () => policy.save(config.output, { dtype: saveDtype }));
  await writeRecord(config, record);
  await dropState(config);
}
