/** The loss of a step token by token, held against the one that the run wrote. */
import type { StepMetrics } from '../observe/metrics';
import { criticLearnsAlone, type TrainConfig } from './config';
import { lossTerms, totalTerms, type TokenTerms } from './loss-terms';
import type { Batch } from './make-batch';
import { splitGroups } from './minibatches';
import type { Run } from './open-run';
import { stepOptions } from './phase-options';

/** The sums of a step's terms. */
export interface StepLoss {
  policy: number;
  kl: number;
  /**
   * −c·H; the entropies are those of the run's row, so null where the aggregation is not their mean over tokens, or where
   * there is no row.
   */
  entropy: number | null;
  /** policy + kl + entropy; null where that is. */
  sum: number | null;
  /** The loss in the run's metrics.jsonl; null where it has no such row, or none that is finite. */
  written: number | null;
  /** sum − written. */
  difference: number | null;
  /** Optimizer steps of the first pass, which the terms are of; those before the last were done again. */
  minibatches: number;
  /** Passes of the run over the batch. */
  epochs: number;
}

/** Terms of the scored samples, in their order; null for those whose optimizer step did not come, as one before it failed. */
export interface StepTerms {
  terms: (TokenTerms[] | null)[];
  loss: StepLoss;
}

const scaled = (terms: TokenTerms, share: number): TokenTerms => ({
  ...terms,
  weight: share * terms.weight,
  policy: share * terms.policy,
  kl: share * terms.kl,
  sum: share * terms.sum,
});

/**
 * The terms of the first pass over the batch of step `step`, each minibatch under the weights as they were when its turn came,
 * weighted so that they add up to the loss of the step. With several minibatches the policy of `run` learns from all but the last.
 *
 * @param row what the run wrote of the step
 */
export async function stepLoss(
  { policy, state }: Run,
  config: TrainConfig,
  step: number,
  { trained, batch, referenceLogProbs }: Batch,
  row: StepMetrics | undefined,
  signal: AbortSignal | undefined,
): Promise<StepTerms> {
  const { epochs, aggregation } = config.optimizer;
  const minibatches = criticLearnsAlone(config, step) ? 1 : config.optimizer.minibatches;
  const { temperature } = config.rollout;
  const options = stepOptions(config, step, state);
  const parts = splitGroups(batch.groups, { minibatches, seed: config.seed, step }, 0);
  const done: { part: number[]; terms: TokenTerms[][]; size: number }[] = [];
  for (const [index, part] of parts.entries()) {
    const sequences = part.map((i) => trained[i]);
    const logProbs = await policy.logProbs(sequences, { temperature, signal });
    const scored = sequences.map((sequence, i) => ({
      ...sequence,
      logProbs: logProbs[i],
      ...(referenceLogProbs ? { shownReference: referenceLogProbs[part[i]] } : {}),
    }));
    const terms = lossTerms(scored, options);
    const tokens = terms.flat().filter(({ weight }) => weight !== 0).length;
    done.push({ part, terms, size: aggregation === 'token-mean' ? tokens : part.length });
    if (index < parts.length - 1 && !(await policy.step(sequences, options)).applied) break;
  }
  const whole = done.reduce((sum, { size }) => sum + size, 0);
  const placed = trained.map((): TokenTerms[] | null => null);
  for (const { part, terms, size } of done)
    part.forEach((place, i) => (placed[place] = terms[i].map((term) => scaled(term, size / whole))));

  const { policy: policySum, kl, sum } = totalTerms(placed.flatMap((terms) => terms ?? []));
  const coefficient = options.entropyCoefficient ?? 0;
  let entropy: number | null = coefficient === 0 ? 0 : null;
  if (coefficient !== 0 && aggregation === 'token-mean' && row) entropy = -coefficient * row.entropy;
  const total = entropy === null ? null : sum + entropy;
  // JSON has no NaN: the loss of a step that failed is read as null.
  const written = row && Number.isFinite(row.loss ?? NaN) ? row.loss : null;
  const difference = total === null || written === null ? null : total - written;
  return {
    terms: placed,
    loss: {
      policy: policySum,
      kl,
      entropy,
      sum: total,
      written,
      difference,
      minibatches: parts.length,
      epochs,
    },
  };
}
