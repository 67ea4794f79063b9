/** The config's view of the two engine calls of a step: how to sample and how to update. */
import type { EstimatorOptions } from '../algorithms';
import { invalidRange, ZeroRlError } from '../errors';
import { DEFAULT_MEMORY_BUDGET_MIB } from '../policy/optimizer-request';
import type { CriticStepOptions, SampleOptions, StepOptions } from '../policy/types';
import type { TrainerState } from './checkpoint';
import { criticLearningRate, learningRate, type TrainConfig } from './config';
import type { TrainingPolicy } from './training-policy';
import { truncates } from './truncation';

/**
 * The config with `rollout.stopTokens` as ids, which {@link samplingOptions} needs.
 *
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` for an id or a text that is not one token of the model
 */
export function resolveStopTokens(
  config: TrainConfig,
  policy: Pick<TrainingPolicy, 'encodePrompt'> & { config?: { vocabSize?: number } },
): TrainConfig {
  const { stopTokens } = config.rollout;
  if (stopTokens === undefined) return config;
  const { vocabSize = Infinity } = policy.config ?? {};
  const ids = stopTokens.map((token, i) => {
    if (typeof token === 'number') {
      if (token < vocabSize) return token;
      const expected = `a token id between 0 and ${vocabSize - 1} (the model has ${vocabSize})`;
      throw new ZeroRlError('ERR_ZERO_RL_CONFIG', invalidRange(`rollout.stopTokens[${i}]`, expected, token).message);
    }
    const found = policy.encodePrompt(token, false);
    if (found.length === 1) return found[0];
    throw new ZeroRlError(
      'ERR_ZERO_RL_CONFIG',
      `rollout.stopTokens: ${JSON.stringify(token)} is ${found.length} tokens of this model; give one token, or put it in rollout.stopStrings`,
    );
  });
  return { ...config, rollout: { ...config.rollout, stopTokens: ids } };
}

/** The config with the memory budget that decides the micro-batches, so that a resumed run has the same; a CUDA device's depends on what is free. */
export function resolveMemoryBudget(config: TrainConfig, { device }: Pick<TrainingPolicy, 'device'>): TrainConfig {
  const { memoryBudgetMiB = device === 'cpu' ? DEFAULT_MEMORY_BUDGET_MIB : undefined } = config.optimizer;
  return memoryBudgetMiB === undefined ? config : { ...config, optimizer: { ...config.optimizer, memoryBudgetMiB } };
}

/** Options of training rollouts. */
export function samplingOptions({ rollout, seed }: TrainConfig): SampleOptions {
  const { samplesPerPrompt: n, maxTokens, temperature, topP, topK, minP, stopStrings, stopTokens, maxBatch } = rollout;
  const kept = rollout.truncation === 'replay' && truncates(rollout);
  return {
    n,
    maxTokens,
    temperature,
    topP,
    topK,
    minP,
    seed,
    ...(kept ? { keptTokens: true } : {}),
    ...(stopStrings.length > 0 ? { stopStrings } : {}),
    ...(stopTokens === undefined ? {} : { stopTokens: stopTokens.map(Number) }),
    ...(maxBatch > 0 ? { maxBatch } : {}),
  };
}

/** Options of held-out samples: no truncation of the distribution, a seed of their own. */
export function evaluationOptions(config: TrainConfig): SampleOptions {
  const { samples: n, temperature, seed } = config.evaluation;
  return { ...samplingOptions(config), n, temperature, seed, topP: 1, topK: 0, minP: 0, keptTokens: false };
}

/** Options of the one completion that is the baseline of ReMax: the most likely token at each place. */
export function greedyOptions(config: TrainConfig): SampleOptions {
  return { ...samplingOptions(config), n: 1, temperature: 0, topP: 1, topK: 0, minP: 0, keptTokens: false };
}

/** Options of the critic's optimizer step. */
export function criticStepOptions(config: TrainConfig): CriticStepOptions {
  const { clip, betas, eps, weightDecay, maxGradNorm } = config.critic;
  const { memoryBudgetMiB } = config.optimizer;
  return { clip, learningRate: criticLearningRate(config), betas, eps, weightDecay, maxGradNorm, memoryBudgetMiB };
}

/** Options of the estimator, with the coefficients of `state`. */
export function estimatorOptions({ algorithm, kl }: TrainConfig, state: TrainerState): EstimatorOptions {
  const { numerics, k, gamma, lambda, baseline } = algorithm;
  return {
    klCoefficient: state.klScale * kl.initCoefficient,
    ...(kl.placement ? { klPlacement: kl.placement } : {}),
    numerics,
    k,
    gamma,
    lambda,
    ...(baseline === 'running' ? { baseline: state.baseline ?? 0 } : {}),
  };
}

/** Options of the optimizer step number `step`, with the coefficients of `state`. */
export function stepOptions(
  config: TrainConfig,
  step: number,
  { klScale, entropyCoefficient }: Pick<TrainerState, 'klScale' | 'entropyCoefficient'>,
): StepOptions {
  const { objective, clip, sequenceRatio, betas, eps, weightDecay, maxGradNorm, memoryBudgetMiB } = config.optimizer;
  const { aggregation, aggregationConstant = config.rollout.maxTokens } = config.optimizer;
  return {
    objective,
    clip,
    sequenceRatio,
    entropyCoefficient: entropyCoefficient ?? config.optimizer.entropy.coefficient,
    kl: {
      coefficient: klScale * config.kl.lossCoefficient,
      estimator: config.kl.lossEstimator,
      corrected: config.kl.lossCorrection,
    },
    aggregation,
    aggregationConstant,
    temperature: config.rollout.temperature,
    learningRate: learningRate(config, step),
    betas,
    eps,
    weightDecay,
    maxGradNorm,
    memoryBudgetMiB,
  };
}
