/** Validates the arguments of `Policy.step` and turns them into the addon's request. */
import type { NativeDecoder, NativeStepRequest } from '../../binding/native';
import { checkNumber, checkOneOf, invalidRange, invalidType } from '../errors';
import { checkFraction, checkPositive, checkTemperature } from './numbers';
import { checkOptimizer, OPTIMIZER_OPTIONS } from './optimizer-request';
import { checkOptions } from './option-keys';
import { packSequences } from './sequence-request';
import { aggregate, collectPerToken, fillAdvantages, fillMask } from './token-arrays';
import { aggregations, objectives, sequenceRatios, type StepOptions, type TrainingSequence } from './types';

const STEP_OPTIONS = [
  'objective',
  'clip',
  'sequenceRatio',
  'entropyCoefficient',
  'kl',
  'aggregation',
  'aggregationConstant',
  'temperature',
  ...OPTIMIZER_OPTIONS,
] as const satisfies readonly (keyof StepOptions)[];

/** Why k1 is no loss; also what a config with it is told. */
export const NO_K1_LOSS =
  '"k2" or "k3" (the gradient of k1 as a loss is 0 on average and only adds noise; k1 belongs in the reward)';

function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalidType(name, 'boolean', value);
  return value;
}

function checkDual(value: number): number {
  const dual = checkNumber('clip.dual', value, 0);
  if (dual !== 0 && dual <= 1) throw invalidRange('clip.dual', '0 or number greater than 1', dual);
  return dual;
}

/**
 * The addon's request for one optimizer step. Arrays are copied.
 * @throws {TypeError|RangeError} naming the argument.
 */
export function buildStepRequest(
  sequences: readonly TrainingSequence[],
  options: StepOptions | undefined,
  config: Pick<NativeDecoder, 'vocabSize' | 'maxPositions'>,
  device = 'cpu',
): NativeStepRequest {
  const given = checkOptions('options', options, STEP_OPTIONS);
  const objective = checkOneOf('objective', given.objective ?? 'reinforce', objectives);
  const clip = checkOptions('clip', given.clip, ['low', 'high', 'dual']);
  const kl = checkOptions('kl', given.kl, ['coefficient', 'estimator', 'corrected']);
  const klCoefficient = checkNumber('kl.coefficient', kl.coefficient ?? 0, 0);
  if ((kl.estimator as string | undefined) === 'k1') throw invalidRange('kl.estimator', NO_K1_LOSS, 'k1');
  const aggregation = checkOneOf('aggregation', given.aggregation ?? 'token-mean', aggregations);
  const constant = aggregation === 'constant' ? checkPositive('aggregationConstant', given.aggregationConstant) : 1;
  const optimizer = checkOptimizer(given, device);

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
  aggregate(weights, responseOffsets, trained, aggregation, constant);
  const klCorrected = checkBoolean('kl.corrected', kl.corrected ?? false) && klCoefficient !== 0;
  const user = objective !== 'reinforce' ? objective : klCorrected ? 'kl.corrected' : null;
  const oldNeeded = user === null ? null : `${user} needs them`;
  const referenceNeeded = klCoefficient === 0 ? null : 'a KL coefficient other than 0 needs them';

  return {
    ...packed,
    advantages,
    weights,
    oldLogProbs: collectPerToken(sequences, 'oldLogProbs', responseOffsets, oldNeeded),
    referenceLogProbs: collectPerToken(sequences, 'referenceLogProbs', responseOffsets, referenceNeeded),
    objective,
    clipLow: checkFraction('clip.low', clip.low ?? 0.2),
    clipHigh: checkPositive('clip.high', clip.high ?? 0.2),
    dualClip: checkDual(clip.dual ?? 0),
    sequenceRatio: checkOneOf('sequenceRatio', given.sequenceRatio ?? 'geometric-mean', sequenceRatios),
    entropyCoefficient: checkNumber('entropyCoefficient', given.entropyCoefficient ?? 0),
    klCoefficient,
    klCorrected,
    klEstimator: checkOneOf('kl.estimator', kl.estimator ?? 'k2', ['k2', 'k3']),
    temperature: checkTemperature(given.temperature ?? 1),
    ...optimizer,
  };
}
