/** The config's view of the two engine calls of a step: how to sample and how to update. */
import type { SampleOptions, StepOptions } from '../policy/types';
import { learningRate, type TrainConfig } from './config';

/** Options of training rollouts. */
export function samplingOptions({ rollout, seed }: TrainConfig): SampleOptions {
  const { samplesPerPrompt: n, maxTokens, temperature, topP, topK, minP, stopStrings, maxBatch } = rollout;
  return {
    n,
    maxTokens,
    temperature,
    topP,
    topK,
    minP,
    seed,
    ...(stopStrings.length > 0 ? { stopStrings } : {}),
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
