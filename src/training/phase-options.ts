/** The config's view of the two engine calls of a step: how to sample and how to update. */
import { ZeroRlError } from '../errors';
import type { SampleOptions, StepOptions } from '../policy/types';
import { learningRate, type TrainConfig } from './config';
import type { TrainingPolicy } from './training-policy';

/**
 * The config with `rollout.stopTokens` as ids, which {@link samplingOptions} needs.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` for a text that is not one token of the model
 */
export function resolveStopTokens(config: TrainConfig, policy: Pick<TrainingPolicy, 'encodePrompt'>): TrainConfig {
  const { stopTokens } = config.rollout;
  if (stopTokens === undefined) return config;
  const ids = stopTokens.map((token) => {
    if (typeof token === 'number') return token;
    const found = policy.encodePrompt(token, false);
    if (found.length === 1) return found[0];
    throw new ZeroRlError(
      'ERR_ZERO_RL_CONFIG',
      `rollout.stopTokens: ${JSON.stringify(token)} is ${found.length} tokens of this model; give one token, or put it in rollout.stopStrings`,
    );
  });
  return { ...config, rollout: { ...config.rollout, stopTokens: ids } };
}

/** Options of training rollouts. */
export function samplingOptions({ rollout, seed }: TrainConfig): SampleOptions {
  const { samplesPerPrompt: n, maxTokens, temperature, topP, topK, minP, stopStrings, stopTokens, maxBatch } = rollout;
  return {
    n,
    maxTokens,
    temperature,
    topP,
    topK,
    minP,
    seed,
    ...(stopStrings.length > 0 ? { stopStrings } : {}),
    ...(stopTokens === undefined ? {} : { stopTokens: stopTokens.map(Number) }),
    ...(maxBatch > 0 ? { maxBatch } : {}),
  };
}

/** Options of held-out samples: no truncation of the distribution, a seed of their own. */
export function evaluationOptions(config: TrainConfig): SampleOptions {
  const { samples: n, temperature, seed } = config.evaluation;
  return { ...samplingOptions(config), n, temperature, seed, topP: 1, topK: 0, minP: 0 };
}

/** Options of the optimizer step number `step`. */
export function stepOptions(config: TrainConfig, step: number): StepOptions {
  const { objective, clip, aggregation, betas, eps, weightDecay, maxGradNorm, memoryBudgetMiB } = config.optimizer;
  return {
    objective,
    clip,
    kl: { coefficient: config.kl.lossCoefficient, estimator: config.kl.lossEstimator },
    aggregation,
    temperature: config.rollout.temperature,
    learningRate: learningRate(config, step),
    betas,
    eps,
    weightDecay,
    maxGradNorm,
    memoryBudgetMiB,
  };
}
