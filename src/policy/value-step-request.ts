/** Validates the arguments of `Critic.step` and turns them into the addon's request. */
import type { NativeDecoder, NativeStepRequest } from '../../binding/native';
import { checkNumber, checkOneOf, invalidRange } from '../errors';
import { copyFinite } from './numbers';
import { checkOptimizer, OPTIMIZER_OPTIONS } from './optimizer-request';
import { checkOptions } from './option-keys';
import { packSequences } from './sequence-request';
import { aggregate, collectPerToken, fillMask } from './token-arrays';
import type { CriticStepOptions, CriticStepStats, StepStats, ValueSequence } from './types';

/** @throws {TypeError|RangeError} naming the argument. */
export function buildValueStepRequest(
  sequences: readonly ValueSequence[],
  options: CriticStepOptions | undefined,
  config: Pick<NativeDecoder, 'vocabSize' | 'maxPositions'>,
  device = 'cpu',
): NativeStepRequest {
  const given = checkOptions('options', options, ['clip', 'aggregation', ...OPTIMIZER_OPTIONS]);
  const clip = checkNumber('clip', given.clip ?? 0.5, 0);
  const aggregation = checkOneOf('aggregation', given.aggregation ?? 'token-mean', [
    'token-mean',
    'seq-mean-token-mean',
    'seq-mean-token-sum',
  ]);
  const optimizer = checkOptimizer(given, device);
  const { responseOffsets, ...packed } = packSequences(sequences, config);
  if (sequences.length === 0) throw invalidRange('sequences', 'at least one sequence', sequences);
  const returns = new Float32Array(responseOffsets[sequences.length]);
  const weights = new Float32Array(returns.length);
  const trained = sequences.map((sequence, i) => {
    const [start, end] = [responseOffsets[i], responseOffsets[i + 1]];
    copyFinite(`sequences[${i}].returns`, sequence.returns, end - start, returns, start);
    return fillMask(`sequences[${i}].mask`, sequence.mask, weights, start, end);
  });
  if (trained.every((count) => count === 0)) {
    throw invalidRange('sequences', 'at least one response token that is not masked', sequences);
  }
  aggregate(weights, responseOffsets, trained, aggregation);
  const oldNeeded = clip === 0 ? null : 'clip is not 0';
  return {
    ...packed,
    advantages: returns,
    weights,
    oldLogProbs: collectPerToken(sequences, 'oldValues', responseOffsets, oldNeeded, 'values'),
    referenceLogProbs: null,
    objective: 'value',
    clipLow: clip,
    clipHigh: clip,
    dualClip: 0,
    sequenceRatio: 'geometric-mean',
    entropyCoefficient: 0,
    klCoefficient: 0,
    klCorrected: false,
    klEstimator: 'k2',
    temperature: 1,
    ...optimizer,
  };
}

/** What of the engine's figures a critic has. */
export function criticStats(stats: StepStats): CriticStepStats {
  const { loss, gradNorm, clipFraction, tokens, totalTokens, microBatches, applied, seconds } = stats;
  return { loss, gradNorm, clipFraction, tokens, totalTokens, microBatches, applied, seconds };
}
