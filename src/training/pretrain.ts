/**
 * Next-token training on the policy's own engine. With every token after the first as response, advantage 1 and the mean
 * over tokens, the policy-gradient loss −A·log p is the cross-entropy of the batch, so no second code path exists.
 *
 * A document is [separator] text [separator]. One longer than the context is cut into pieces that share one token, so
 * each token is predicted once.
 */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isZeroRlError, ZeroRlError } from '../errors';
import { copyTokenizerFiles } from '../policy/checkpoint-folder';
import { Policy } from '../policy/policy';
import { Tokenizer } from '../policy/tokenizer';
import type { PolicyOptions, TrainingSequence } from '../policy/types';
import { timed, timedSync } from '../profile/spans';
import { writeSums } from './checksums';
import { checkpointFolder, modelConfig, pretrainLearningRate, type PretrainConfig } from './pretrain-config';
import { openCorpus, type Corpus } from './pretrain-corpus';
import {
  dropState,
  lockOutput,
  newestState,
  openOutput,
  recordConfig,
  saveState,
  stateFolder,
  trimMetrics,
  writeRecord,
  type PretrainRecord,
} from './pretrain-state';
import type { RunLock } from './run-lock';
import { ASCII_BYTES, bytesOf, SEPARATOR, writeByteTokenizer } from './pretrain-tokenizer';

export interface PretrainOptions extends PolicyOptions {
  /** Go on from the state in the output folder. */
  resume?: boolean;
  /**
   * Gives up the step under way, unless it has reached the optimizer, or the held-out evaluation, which a resumed run makes
   * then; the state is saved and the loop ends without an error.
   */
  signal?: AbortSignal;
  /** Told of damaged states. Default: nobody is. */
  warn?: (message: string) => void;
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
async function meanLoss(policy: Policy, sequences: readonly TrainingSequence[], signal?: AbortSignal): Promise<number> {
  const logProbs = await policy.logProbs(sequences, { signal });
  let sum = 0;
  let count = 0;
  for (const values of logProbs) {
    count += values.length;
    for (const value of values) sum -= value;
  }
  return sum / count;
}

/** What `work` gives; null where the signal cut it off. */
async function unlessAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (
      signal?.aborted &&
      (error === signal.reason || (isZeroRlError(error) && error.code === 'ERR_ZERO_RL_ABORTED'))
    ) {
      return null;
    }
    throw error;
  }
}

/**
 * Trains a model from random weights (or from the saved state) and yields each step's metrics. When it ends, the output
 * folder is a Hugging Face model folder with `checkpoints/`, `metrics.jsonl` and `pretrain.json` beside the weights.
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG`, `ERR_ZERO_RL_DATA`, `ERR_ZERO_RL_OUTPUT` (also when another process
 *   writes the output), `ERR_ZERO_RL_CHECKPOINT` when every saved state is damaged
 */
export async function* pretrain(
  config: PretrainConfig,
  options: PretrainOptions = {},
): AsyncGenerator<PretrainMetrics> {
  const { resume = false, signal, warn = () => undefined } = options;
  const lock = await unlessAborted(signal, lockOutput(config, resume, { warn, signal }));
  if (lock === null) return;
  try {
    yield* pretrainLocked(config, { ...options, resume, warn }, lock);
  } finally {
    lock.release();
  }
}

async function* pretrainLocked(
  config: PretrainConfig,
  { resume, signal, warn, ...engine }: PretrainOptions & Required<Pick<PretrainOptions, 'resume' | 'warn'>>,
  lock: RunLock,
): AsyncGenerator<PretrainMetrics> {
  const corpus = await timed('data', () => openCorpus(config.corpus, config.seed));
  const recorded = await openOutput(config, resume);
  if (recorded && recorded.step >= config.steps && !recorded.unfinished) return;
  const found = recorded && (await newestState(config, recorded, warn));
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
  await trimMetrics(metricsFile, record.unfinished ? record.step - 1 : record.step);
  const saveDtype = config.saveDtype === 'float32' ? 'F32' : 'BF16';

  let next = record.step < config.steps ? batch(record.step + 1) : [];
  while (record.unfinished !== undefined || record.step < config.steps) {
    lock.check();
    const started = performance.now();
    if (record.unfinished === undefined) {
      const step = record.step + 1;
      const learningRate = pretrainLearningRate(config, step);
      const running = unlessAborted(
        signal,
        policy.step(next, {
          ...config.optimizer,
          objective: 'reinforce',
          aggregation: 'token-mean',
          learningRate,
          signal,
        }),
      );
      if (step < config.steps) next = timedSync('data', () => batch(step + 1));
      const stats = await running;
      if (stats === null) {
        await saveState(policy, config, record);
        return;
      }
      record.step = step;
      record.tokens += stats.tokens;
      record.unfinished = {
        step,
        loss: stats.loss,
        heldOutLoss: null,
        learningRate,
        gradNorm: stats.gradNorm,
        tokens: stats.tokens,
        tokensPerSecond: stats.tokens / ((performance.now() - started) / 1000),
      };
    }
    const metrics: PretrainMetrics = record.unfinished;
    const { step } = metrics;
    if (heldOut.length > 0 && (step % config.evaluateEvery === 0 || step === config.steps)) {
      const loss = await unlessAborted(
        signal,
        timed('evaluation', () => meanLoss(policy, heldOut, signal)),
      );
      if (loss === null) {
        record.seconds += (performance.now() - started) / 1000;
        await saveState(policy, config, record);
        return;
      }
      metrics.heldOutLoss = record.heldOutLoss = loss;
    }
    lock.check();
    if (config.checkpoints.includes(step)) {
      await policy.save(checkpointFolder(config, step), { dtype: saveDtype });
      await writeSums(checkpointFolder(config, step));
    }
    record.seconds += (performance.now() - started) / 1000;
    delete record.unfinished;
    await appendFile(metricsFile, `${JSON.stringify(metrics)}\n`);
    if (step % config.saveEvery === 0 && step < config.steps) await saveState(policy, config, record);
    yield metrics;
  }
  await timed('checkpoint', () => policy.save(config.output, { dtype: saveDtype }));
  await writeRecord(config, record);
  await dropState(config);
}
