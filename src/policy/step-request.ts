/**
 * Validates the arguments of `Policy.step` and turns them into the addon's request, with the aggregation as one weight
 * per response token. With mask m and response i of N:
 *   token-mean            m / Σm over the call
 *   seq-mean-token-mean   m / (Σm of the response · N)
 *   seq-mean-token-sum    m / N
 * N counts the responses with at least one unmasked token.
 */
import type { NativeModelConfig, NativeStepRequest } from '../../binding/native';
import { checkInteger, checkNumber, checkOneOf, invalidRange, invalidType } from '../errors';
import { checkFraction, checkPositive, checkTemperature, copyFinite, isArrayLike } from './numbers';
import { checkOptions } from './option-keys';
import { packSequences } from './sequence-request';
import type { Aggregation, StepOptions, TrainingSequence } from './types';

/** MiB of activations that a micro-batch may take unless told otherwise. */
export const DEFAULT_MEMORY_BUDGET_MIB = 384;

const STEP_OPTIONS = [
  'objective',
  'clip',
  'kl',
  'aggregation',
  'temperature',
  'learningRate',
  'betas',
  'eps',
  'weightDecay',
  'maxGradNorm',
  'memoryBudgetMiB',
  'signal',
] as const satisfies readonly (keyof StepOptions)[];

function fillAdvantages(name: string, value: unknown, target: Float32Array, start: number, end: number): void {
  if (typeof value === 'number') {
    const advantage = checkNumber(name, value);
    if (!Number.isFinite(Math.fround(advantage))) throw invalidRange(name, 'float32 number', value);
    target.fill(advantage, start, end);
  } else if (isArrayLike(value)) {
    copyFinite(name, value, end - start, target, start);
  } else {
    throw invalidType(name, 'number or array of numbers', value);
  }
}

/** Writes the mask as 0 and 1 and returns the number of ones. */
function fillMask(name: string, value: unknown, target: Float32Array, start: number, end: number): number {
  if (value === undefined) {
    target.fill(1, start, end);
    return end - start;
  }
  const expected = `array of ${end - start} zeros and ones, one per response token,`;
  if (!isArrayLike(value)) throw invalidType(name, expected, value);
  if (value.length !== end - start) throw invalidRange(name, expected, value);
  let ones = 0;
  for (let i = 0; i < value.length; i++) {
    const bit = value[i];
    if (bit !== 0 && bit !== 1) throw invalidRange(`${name}[${i}]`, '0 or 1', bit);
    target[start + i] = bit;
    ones += bit;
  }
  return ones;
}

/** Turns the 0/1 mask in `weights` into aggregation weights, in place. `trained[i]` is Σm of response i. */
function aggregate(
  weights: Float32Array,
  offsets: Int32Array,
  trained: readonly number[],
  aggregation: Aggregation,
): void {
  const total = trained.reduce((sum, count) => sum + count, 0);
  const responses = trained.filter((count) => count > 0).length;
  trained.forEach((count, i) => {
    const divisor =
      aggregation === 'token-mean' ? total : aggregation === 'seq-mean-token-mean' ? count * responses : responses;
    for (let token = offsets[i]; token < offsets[i + 1]; token++) {
      if (weights[token] !== 0) weights[token] = 1 / divisor;
    }
  });
}

type LogProbsKey = 'oldLogProbs' | 'referenceLogProbs';

/** One value per response token, or null where no sequence has any; `why` makes them required. */
function collectLogProbs(
  sequences: readonly TrainingSequence[],
  key: LogProbsKey,
  offsets: Int32Array,
  why: string | null,
): Float32Array | null {
  if (why === null && sequences.every((sequence) => sequence[key] === undefined)) return null;
  const collected = new Float32Array(offsets[sequences.length]);
  sequences.forEach((sequence, i) => {
    const name = `sequences[${i}].${key}`;
    if (sequence[key] === undefined) {
      throw invalidType(name, `log-probs (${why ?? 'other sequences of the call have them'})`, undefined);
    }
    copyFinite(name, sequence[key], offsets[i + 1] - offsets[i], collected, offsets[i]);
  });
  return collected;
}

function checkBetas(value: unknown): [number, number] {
  if (!Array.isArray(value)) throw invalidType('betas', 'array of two numbers', value);
  if (value.length !== 2) throw invalidRange('betas', 'array of two numbers', value);
  return [checkBelowOne('betas[0]', value[0]), checkBelowOne('betas[1]', value[1])];
}

function checkBelowOne(name: string, value: unknown): number {
  const checked = checkNumber(name, value, 0, 1);
  if (checked === 1) throw invalidRange(name, 'number of at least 0 and less than 1', value);
  return checked;
}

/**
 * The addon's request for one optimizer step. Arrays are copied.
 * @throws {TypeError|RangeError} naming the argument.
 */
export function buildStepRequest(
  sequences: readonly TrainingSequence[],
  options: StepOptions | undefined,
  config: Pick<NativeModelConfig, 'vocabSize' | 'maxPositions'>,
): NativeStepRequest {
  const given = checkOptions('options', options, STEP_OPTIONS);
  const objective = checkOneOf('objective', given.objective ?? 'reinforce', ['reinforce', 'ppo']);
  const clip = checkOptions('clip', given.clip, ['low', 'high']);
  const kl = checkOptions('kl', given.kl, ['coefficient', 'estimator']);
  const klCoefficient = checkNumber('kl.coefficient', kl.coefficient ?? 0, 0);
  const aggregation = checkOneOf('aggregation', given.aggregation ?? 'token-mean', [
    'token-mean',
    'seq-mean-token-mean',
    'seq-mean-token-sum',
  ]);
  const [beta1, beta2] = checkBetas(given.betas ?? [0.9, 0.95]);
  const maxGradNorm = given.maxGradNorm === Infinity ? 0 : checkNumber('maxGradNorm', given.maxGradNorm ?? 1, 0);

  const { responseOffsets, ...packed } = packSequences(sequences, config);
  if (sequences.length === 0) throw invalidRange('sequences', 'at least one sequence', sequences);
  const responseTokens = responseOffsets[sequences.length];
  const advantages = new Float32Array(responseTokens);
  const weights = new Float32Array(responseTokens);
  const trained = sequences.map((sequence, i) => {
    const [start, end] = [responseOffsets[i], responseOffsets[i + 1]];
    fillAdvantages(`sequences[${i}].advantages`, sequence.advantages, advantages, start, end);
    return fillMask(`sequences[${i}].mask`, sequence.mask, weights, start, end);
  });
  if (trained.every((count) => count === 0)) {
    throw invalidRange('sequences', 'at least one response token that is not masked', sequences);
  }
  aggregate(weights, responseOffsets, trained, aggregation);

  return {
    ...packed,
    advantages,
    weights,
    oldLogProbs: collectLogProbs(
      sequences,
      'oldLogProbs',
      responseOffsets,
      objective === 'ppo' ? 'ppo needs them' : null,
    ),
    referenceLogProbs: collectLogProbs(
      sequences,
      'referenceLogProbs',
      responseOffsets,
      klCoefficient === 0 ? null : 'a KL coefficient other than 0 needs them',
    ),
    objective,
    clipLow: checkFraction('clip.low', clip.low ?? 0.2),
    clipHigh: checkPositive('clip.high', clip.high ?? 0.2),
    klCoefficient,
    klEstimator: checkOneOf('kl.estimator', kl.estimator ?? 'k2', ['k2', 'k3']),
    temperature: checkTemperature(given.temperature ?? 1),
    learningRate: checkNumber('learningRate', given.learningRate ?? 1e-6, 0),
    beta1,
    beta2,
    eps: checkNumber('eps', given.eps ?? 1e-8, 0),
    weightDecay: checkNumber('weightDecay', given.weightDecay ?? 0, 0),
    maxGradNorm,
    memoryBudget:
      checkInteger('memoryBudgetMiB', given.memoryBudgetMiB ?? DEFAULT_MEMORY_BUDGET_MIB, 1, 2 ** 30) * 2 ** 20,
  };
}
