/** What the tensors of a run take, counted from the sizes of its models. */
import { DEFAULT_MEMORY_BUDGET_MIB } from '../policy/optimizer-request';
import type { TrainConfig } from './config';
import type { Companions } from './companions';
import type { TrainingPolicy } from './training-policy';

const MIB = 2 ** 20;
/** Gradients are float32. */
const GRADIENT_BYTES = 4;

/** Bytes per parameter, on the device of the weights, of weights (with masters), gradient and two moments. */
export function trainingBytes({ masterWeights, moments }: Pick<TrainConfig, 'masterWeights' | 'moments'>): number {
  const element = masterWeights ? 4 : 2;
  const momentBytes = { device: 2 * element, bfloat16: 4, host: 0 };
  return element + GRADIENT_BYTES + momentBytes[moments];
}

/** The critic keeps its masters. */
export function criticBytes({ moments }: Pick<TrainConfig, 'moments'>): number {
  return trainingBytes({ masterWeights: true, moments });
}

/** In MiB. */
export interface Memory {
  /** Weights, gradient and moments. */
  policy: number;
  reference: number;
  /** As policy, of the critic's own weights. */
  critic: number;
  /** Weights of the moving average. */
  ema: number;
  /** Most that the activations of a micro-batch take. */
  activations: number;
  /** Most that keys and values take while a step is sampled, every response as long as it may be; the engine takes less where that is much. 0: not known. */
  cache: number;
}

/** Most bytes of keys and values that the engine takes for responses. */
const CACHE_BYTES = 2 ** 31;

/** `promptTokens`: mean length of a prompt. */
export function countMemory(
  config: TrainConfig,
  policy: TrainingPolicy,
  { reference, critic, ema }: Partial<Companions>,
  promptTokens: number,
): Memory {
  const bytes = config.dtype === 'bfloat16' ? 2 : 4;
  const { promptsPerStep, samplesPerPrompt, maxTokens } = config.rollout;
  const shape = policy.config;
  const perToken = shape === undefined ? 0 : 2 * shape.layers * shape.kvHeads * shape.headDim * bytes;
  const responses = Math.min(CACHE_BYTES, promptsPerStep * samplesPerPrompt * maxTokens * perToken);
  return {
    policy: (policy.parameterCount * trainingBytes(config)) / MIB,
    reference: ((reference?.parameterCount ?? 0) * bytes) / MIB,
    critic: ((critic?.parameterCount ?? 0) * criticBytes(config)) / MIB,
    ema: ((ema?.parameterCount ?? 0) * 4) / MIB,
    activations: config.optimizer.memoryBudgetMiB ?? DEFAULT_MEMORY_BUDGET_MIB,
    cache: (responses + promptsPerStep * promptTokens * perToken) / MIB,
  };
}
