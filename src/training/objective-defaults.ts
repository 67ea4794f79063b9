/**
 * What `optimizer` has where a config does not say it: an objective that is right for the algorithm and its passes, and with
 * each objective the clip, the aggregation and the optimizer steps per batch of its paper. docs/algorithms.md names the sources.
 */
import { isJsonObject, type JsonObject } from '../json-object';
import type { Objective } from '../policy/types';
import type { TrainConfig } from './config';

type Optimizer = TrainConfig['optimizer'];
interface Recipe extends Pick<Optimizer, 'aggregation' | 'epochs' | 'minibatches'> {
  clip: Pick<Optimizer['clip'], 'low' | 'high'>;
}

/** Keys whose defaults depend on others. */
export const dependentKeys = [
  'optimizer.objective',
  'optimizer.clip.low',
  'optimizer.clip.high',
  'optimizer.aggregation',
  'optimizer.epochs',
  'optimizer.minibatches',
] as const;

const recipes: Record<Objective | 'product', Recipe> = {
  reinforce: { clip: { low: 0.2, high: 0.2 }, aggregation: 'token-mean', epochs: 1, minibatches: 1 },
  // The clip of Schulman et al. 2017; for language models one pass of eight minibatches (Ouyang et al. 2022).
  ppo: { clip: { low: 0.2, high: 0.2 }, aggregation: 'token-mean', epochs: 1, minibatches: 8 },
  gspo: { clip: { low: 3e-4, high: 4e-4 }, aggregation: 'seq-mean-token-mean', epochs: 1, minibatches: 4 },
  // TRL's RLOO: gspo with sequenceRatio product.
  product: { clip: { low: 0.2, high: 0.2 }, aggregation: 'seq-mean-token-sum', epochs: 1, minibatches: 1 },
  // No lower bound; the upper one is ScaleRL's ratio of 5, since the first paper states none.
  cispo: { clip: { low: 1, high: 4 }, aggregation: 'token-mean', epochs: 1, minibatches: 16 },
};

/** The clip, aggregation and passes that go with the algorithm and objective of a config. */
export function fittingRecipe({ algorithm, optimizer }: Pick<TrainConfig, 'algorithm' | 'optimizer'>): Recipe {
  const { objective, sequenceRatio } = optimizer;
  if (objective === 'gspo') return recipes[sequenceRatio === 'product' ? 'product' : 'gspo'];
  const perConstant = algorithm.name === 'dr-grpo' && algorithm.numerics !== 'openrlhf';
  return perConstant ? { ...recipes[objective], aggregation: 'constant' } : recipes[objective];
}

/** Whether rollouts are sampled from other weights than those that learn from them. */
export function samplesFromAverage({ ema }: Pick<TrainConfig, 'ema'>): boolean {
  return ema.sample && ema.decay !== null;
}

/** Whether log-probs of the first or of later optimizer steps differ from those at sampling. */
export function isOffPolicy(config: Pick<TrainConfig, 'ema' | 'optimizer'>): boolean {
  return config.optimizer.epochs * config.optimizer.minibatches > 1 || samplesFromAverage(config);
}

/** The config with what fits its algorithm and objective where `given`, what was written, does not say it. */
export function withObjectiveDefaults(config: TrainConfig, given: JsonObject): TrainConfig {
  const { algorithm, rollout } = config;
  const set = isJsonObject(given.optimizer) ? given.optimizer : {};
  const setClip = isJsonObject(set.clip) ? set.clip : {};
  const { optimizer } = config;
  const chosen = { ...optimizer };
  // On the weights that sampled, the gradient of the clipped ratio is that of REINFORCE.
  if (set.objective === undefined)
    chosen.objective = algorithm.name === 'ppo' || isOffPolicy(config) ? 'ppo' : 'reinforce';
  const recipe = fittingRecipe({ algorithm, optimizer: chosen });
  chosen.clip = {
    ...optimizer.clip,
    ...(setClip.low === undefined ? { low: recipe.clip.low } : {}),
    ...(setClip.high === undefined ? { high: recipe.clip.high } : {}),
  };
  if (set.aggregation === undefined) chosen.aggregation = recipe.aggregation;
  // Who gives one of the two means the other to stay 1.
  if (set.epochs === undefined && set.minibatches === undefined && !samplesFromAverage(config)) {
    chosen.epochs = recipe.epochs;
    chosen.minibatches = Math.min(recipe.minibatches, rollout.promptsPerStep);
  }
  return { ...config, optimizer: chosen };
}
