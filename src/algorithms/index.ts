/** The registry of advantage estimators and the text of the formula in force. */
import { checkOneOf } from '../errors';
import { reinforce, runningBaseline } from './reinforce';
import { reinforcePlusPlus } from './reinforce-plus-plus';
import { rloo } from './rloo';
import { checkNumerics, type Estimator, type EstimatorOptions } from './types';

export type { Advantages, Estimator, EstimatorInput, EstimatorOptions, Numerics } from './types';
export { reinforce, reinforcePlusPlus, rloo, runningBaseline };

/** Estimators by the name that a config uses; `reinforcePlusPlus` is the same function as `reinforce++`. */
export const algorithms = {
  reinforce,
  rloo,
  'reinforce++': reinforcePlusPlus,
  reinforcePlusPlus,
} as const satisfies Record<string, Estimator>;

/** Names that `algorithm.name` of a config takes. */
export const algorithmNames = ['reinforce', 'rloo', 'reinforce++'] as const;
export type AlgorithmName = (typeof algorithmNames)[number];

/** What {@link formula} needs beside the estimator's options. */
export interface FormulaOptions extends Omit<EstimatorOptions, 'baseline'> {
  /** REINFORCE: `running` prints the update of b. Default `none`. */
  baseline?: 'none' | 'running';
  /** Decay d of the running baseline. */
  baselineDecay?: number;
}

/**
 * The advantage in force as text, e.g. `A[i,t] = r[i] - mean of r over the other samples of the prompt`.
 * A KL term is named only when its coefficient is not 0.
 */
export function formula(name: AlgorithmName, options: FormulaOptions = {}): string {
  checkOneOf('name', name, algorithmNames);
  const beta = options.klCoefficient ?? 0;
  const toGo = beta === 0 ? '' : ` - ${beta}·Σ_{k≥t} k1[i,k]`;
  const k1 = beta === 0 ? '' : '\nk1 = logProb - referenceLogProb';
  switch (name) {
    case 'reinforce': {
      checkNumerics(name, { numerics: options.numerics }, ['default']);
      const running = options.baseline === 'running';
      const update = running ? `\nb = running mean of r, decay ${options.baselineDecay ?? 0.9}` : '';
      return `A[i,t] = r[i]${running ? ' - b' : ''}${toGo}${update}${k1}`;
    }
    case 'rloo': {
      const mode = checkNumerics(name, { numerics: options.numerics }, ['default', 'openrlhf', 'verl', 'trl']);
      if (mode === 'openrlhf')
        return `A[i,t] = clamp(r[i] - mean of r over the other samples of the prompt, ±10)${toGo}${k1}`;
      if (beta === 0) return 'A[i,t] = r[i] - mean of r over the other samples of the prompt';
      return `R[i] = r[i] - ${beta}·Σ_t k1[i,t]\nA[i,t] = R[i] - mean of R over the other samples of the prompt${k1}`;
    }
    case 'reinforce++': {
      const mode = checkNumerics(name, { numerics: options.numerics }, ['default', 'openrlhf', 'verl']);
      const reward = mode === 'openrlhf' ? 'clamp(r[i], ±10)' : 'r[i]';
      const scale = mode === 'verl' ? '√(σ² + 1e-8), σ² unbiased' : '√max(σ², 1e-8), σ² biased';
      return `G[i,t] = ${reward}${toGo}\nA = (G - μ)/${scale}, μ and σ² over all response tokens of the batch${k1}`;
    }
  }
}
