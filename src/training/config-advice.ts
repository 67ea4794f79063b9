/** What a config says that cannot do what it is meant to: refused where nothing would be learnt, else a warning. */
import { algorithms, type AlgorithmName } from '../algorithms';
import { invalidType, ZeroRlError } from '../errors';
import { isUserCode } from '../user-code';
import type { TrainConfig } from './config';
import { fittingRecipe, isOffPolicy, samplesFromAverage } from './objective-defaults';
import { unusedKeys } from './unused-keys';

/** Whether the estimator gives the only sample of a prompt an advantage; one of a user's own is taken at its word. */
function learnsFromOne({ algorithm: { name, numerics, k } }: TrainConfig): boolean {
  if (isUserCode(name)) return true;
  const probe = { rewards: [1, 0], groups: [0, 1], lengths: [1, 1], values: [[0], [0]], greedyRewards: [0, 0] };
  try {
    const advantages = algorithms[name as AlgorithmName](probe, { numerics, k });
    return advantages.some((row) => row.some((value) => value !== 0));
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** @throws ZeroRlError `ERR_ZERO_RL_CONFIG` where every advantage would be 0 */
export function checkGroups(config: TrainConfig): void {
  const { samplesPerPrompt } = config.rollout;
  if (samplesPerPrompt > 1 || learnsFromOne(config)) return;
  const { name } = config.algorithm;
  const expected = `at least 2 (${name} compares the samples of a prompt, and one alone has advantage 0; reinforce and reinforce++ take one)`;
  throw new ZeroRlError(
    'ERR_ZERO_RL_CONFIG',
    invalidType('rollout.samplesPerPrompt', expected, samplesPerPrompt).message,
  );
}

/**
 * Sentences for the user of a run with this config.
 * @param ownEstimator whether an estimator in code stands in place of the config's
 */
export function configAdvice(config: TrainConfig, ownEstimator = false): string[] {
  const { algorithm, optimizer, rollout } = config;
  const { objective, aggregation, epochs, minibatches } = optimizer;
  const advice: string[] = [];
  if (objective === 'reinforce' && isOffPolicy(config)) {
    const why = samplesFromAverage(config)
      ? 'ema.sample samples from other weights than those that learn'
      : `after the first of ${epochs * minibatches} optimizer steps per batch the policy is no longer the one that sampled`;
    advice.push(`optimizer.objective reinforce does not correct for it that ${why}; take ppo, gspo or cispo`);
  }
  const fitting = fittingRecipe(config).aggregation;
  if ((objective === 'gspo' || (fitting === 'constant' && !ownEstimator)) && aggregation !== fitting) {
    const whose =
      objective === 'gspo'
        ? `optimizer.objective gspo with sequenceRatio ${optimizer.sequenceRatio}`
        : 'algorithm.name dr-grpo';
    advice.push(`${whose} goes with optimizer.aggregation ${fitting}, not ${aggregation}`);
  }
  if (algorithm.name === 'pass-at-k' && !ownEstimator && algorithm.k > rollout.samplesPerPrompt)
    advice.push(
      `algorithm.k ${algorithm.k} counts as rollout.samplesPerPrompt ${rollout.samplesPerPrompt}, the size of a group`,
    );
  return [...advice, ...unusedKeys(config).filter((text) => !ownEstimator || !text.startsWith('algorithm.'))];
}
