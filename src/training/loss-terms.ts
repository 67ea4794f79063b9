/**
 * What each token adds to the loss of an optimizer step, for people to read: the formulas of native/learn/token_loss.h, which
 * trains, in the same precision. The entropy of a token is known to the engine alone.
 */
import { aggregate, fillMask } from '../policy/token-arrays';
import type { StepOptions, TrainingSequence } from '../policy/types';

/** A token's share of the loss. Log-probs and KL in nats; null where there is no reference or, of `ratio`, no old log-prob. */
export interface TokenTerms {
  /** Log-prob at sampling, of the distribution that training sees. */
  oldLogProb: number | null;
  /** Log-prob under the weights that the step begins with. */
  logProb: number;
  /** ρ = exp(logProb − oldLogProb), under `gspo` the ratio s of the response: what the clip range is held against. */
  ratio: number | null;
  referenceLogProb: number | null;
  /** logProb − referenceLogProb. */
  k1: number | null;
  /** ½·k1². */
  k2: number | null;
  /** exp(−k1) − 1 + k1. */
  k3: number | null;
  advantage: number;
  /** Share in the aggregated loss; 0 where the token does not train. */
  weight: number;
  /** Whether the ratio was bounded, so that the policy term has no gradient (`cispo`: a bounded weight). */
  clipped: boolean;
  /** weight · the objective's loss. */
  policy: number;
  /** weight · coefficient · k of the KL in the loss, times ρ where it is corrected. */
  kl: number;
  /** policy + kl: all but the entropy term. */
  sum: number;
}

/** A sequence as a step takes it, with log-probs of its response under the weights in question. */
export interface ScoredSequence extends TrainingSequence {
  /** (T) */
  logProbs: ArrayLike<number>;
  /** (T) Of the reference, to be shown where the loss has no KL. */
  shownReference?: ArrayLike<number>;
}

type Objective = Pick<
  StepOptions,
  'objective' | 'clip' | 'sequenceRatio' | 'kl' | 'aggregation' | 'aggregationConstant'
>;

interface PolicyTerm {
  loss: number;
  clipped: boolean;
}

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** exp of a log ratio, bounded as in the engine. */
const ratioOf = (logRatio: number): number => Math.exp(clamp(logRatio, -20, 20));

function bounds({ low = 0.2, high = 0.2, dual = 0 }: NonNullable<StepOptions['clip']>) {
  return { low: 1 - Math.fround(low), high: 1 + Math.fround(high), dual: Math.fround(dual) };
}

function clippedTerm(clip: NonNullable<StepOptions['clip']>, ratio: number, advantage: number): PolicyTerm {
  const { low, high, dual } = bounds(clip);
  if (dual > 0 && advantage < 0 && ratio > dual) return { loss: -dual * advantage, clipped: true };
  return {
    loss: -Math.min(ratio * advantage, clamp(ratio, low, high) * advantage),
    clipped: (advantage > 0 && ratio > high) || (advantage < 0 && ratio < low),
  };
}

function policyTerm(
  { objective = 'reinforce', clip = {}, sequenceRatio }: Objective,
  { logProb, ratio, advantage }: { logProb: number; ratio: number; advantage: number },
  trained: number,
): PolicyTerm {
  if (objective === 'reinforce') return { loss: -advantage * logProb, clipped: false };
  if (objective === 'cispo') {
    const { low, high } = bounds(clip);
    const bounded = clamp(ratio, low, high);
    return { loss: -bounded * advantage * logProb, clipped: bounded !== ratio };
  }
  const term = clippedTerm(clip, ratio, advantage);
  // The loss of a response under a product ratio is spread over its tokens.
  return objective === 'gspo' && sequenceRatio === 'product' ? { ...term, loss: term.loss / trained } : term;
}

/** Log ratio of a whole response under `gspo`: the mean over its trained tokens, or the sum. */
function sequenceLogRatio(
  { logProbs, oldLogProbs }: ScoredSequence,
  weights: Float32Array,
  trained: number,
  product: boolean,
): number {
  let sum = 0;
  weights.forEach((weight, t) => {
    if (weight !== 0) sum += logProbs[t] - (oldLogProbs?.[t] ?? 0);
  });
  return Math.fround(product ? sum : sum / Math.max(1, trained));
}

function sequenceTerms(
  sequence: ScoredSequence,
  weights: Float32Array,
  trained: number,
  options: Objective,
): TokenTerms[] {
  const { logProbs, oldLogProbs, referenceLogProbs, advantages } = sequence;
  const shown = referenceLogProbs ?? sequence.shownReference;
  const { coefficient = 0, estimator = 'k2', corrected = false } = options.kl ?? {};
  const ofResponse =
    options.objective === 'gspo'
      ? ratioOf(sequenceLogRatio(sequence, weights, trained, options.sequenceRatio === 'product'))
      : null;
  return Array.from(weights, (weight, t): TokenTerms => {
    const logProb = logProbs[t];
    const old = oldLogProbs?.[t] ?? null;
    const reference = shown?.[t] ?? null;
    const advantage = Math.fround(typeof advantages === 'number' ? advantages : advantages[t]);
    const tokenRatio = old === null ? null : ratioOf(Math.fround(logProb - old));
    const ratio = ofResponse ?? tokenRatio;
    const k1 = reference === null ? null : logProb - reference;
    const k2 = k1 === null ? null : 0.5 * k1 * k1;
    const k3 = k1 === null ? null : ratioOf(-k1) - 1 + k1;
    const known = { oldLogProb: old, logProb, ratio, referenceLogProb: reference, k1, k2, k3, advantage, weight };
    if (weight === 0) return { ...known, clipped: false, policy: 0, kl: 0, sum: 0 };
    const { loss, clipped } = policyTerm(options, { logProb, ratio: ratio ?? NaN, advantage }, trained);
    const estimate = coefficient === 0 ? 0 : ((estimator === 'k3' ? k3 : k2) ?? NaN);
    const policy = weight * loss;
    const kl = weight * Math.fround(coefficient) * estimate * (corrected ? (tokenRatio ?? NaN) : 1);
    return { ...known, clipped, policy, kl, sum: policy + kl };
  });
}

/**
 * The terms of every response token of `sequences`, those of one optimizer step, as `Policy.step` sums them with `options`.
 *
 * With w the weight of the aggregation, the loss is Σ w·(policy loss + β·k) − c·Σ w·H; the last sum is the engine's.
 * @returns (N)(T_i)
 */
export function lossTerms(sequences: readonly ScoredSequence[], options: Objective): TokenTerms[][] {
  const offsets = new Int32Array(sequences.length + 1);
  sequences.forEach(({ logProbs }, i) => (offsets[i + 1] = offsets[i] + logProbs.length));
  const weights = new Float32Array(offsets[sequences.length]);
  const trained = sequences.map(({ mask }, i) => fillMask('mask', mask, weights, offsets[i], offsets[i + 1]));
  aggregate(weights, offsets, trained, options.aggregation ?? 'token-mean', options.aggregationConstant);
  return sequences.map((sequence, i) =>
    sequenceTerms(sequence, weights.subarray(offsets[i], offsets[i + 1]), trained[i], options),
  );
}

/** Sums over tokens. */
export function totalTerms(terms: Iterable<TokenTerms>): Record<'policy' | 'kl' | 'sum', number> {
  const total = { policy: 0, kl: 0, sum: 0 };
  for (const { policy, kl, sum } of terms) {
    total.policy += policy;
    total.kl += kl;
    total.sum += sum;
  }
  return total;
}
