/** The formulas that a config puts in force, as text for --dry-run, the start of a run and the report. */
import { algorithmNames, formula, type AlgorithmName } from '../algorithms';
import type { TrainConfig } from './config';

const MEANS = {
  'token-mean': 'mean over all response tokens of the batch',
  'seq-mean-token-mean': 'mean over sequences of the mean over tokens',
  'seq-mean-token-sum': 'mean over sequences of the sum over tokens',
} as const;

const ESTIMATORS = { k2: '½(logp - logref)²', k3: 'exp(logref - logp) - 1 - (logref - logp)' } as const;

/** The advantage. */
export function advantageFormula({ algorithm, kl }: TrainConfig): string {
  if (!(algorithmNames as readonly string[]).includes(algorithm.name)) return `A from ${algorithm.name}`;
  return formula(algorithm.name as AlgorithmName, { ...algorithm, klCoefficient: kl.initCoefficient });
}

/** The loss of the optimizer step. */
export function lossFormula({ optimizer, kl }: TrainConfig): string {
  const { objective, clip, aggregation } = optimizer;
  const ratio = `ρ = exp(logp - logp at sampling)`;
  const core =
    objective === 'reinforce' ? '-A·logp' : `-min(ρ·A, clip(ρ, ${1 - clip.low}, ${1 + clip.high})·A), ${ratio}`;
  const penalty = kl.lossCoefficient > 0 ? ` + ${kl.lossCoefficient}·(${ESTIMATORS[kl.lossEstimator]})` : '';
  return `loss = ${MEANS[aggregation]} of ${core}${penalty}`;
}
