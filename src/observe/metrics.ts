/** The figures of one training step, as yielded by `train` and written to metrics.jsonl. */
import type { CriticMetrics } from '../training/critic';
import type { RolloutStats } from '../training/optimize';
import type { Evaluation } from '../training/evaluate';
import { ownTokens, policyTokens, type Sample } from '../training/rollouts';
import { scoreMeans, type ScoreMeans } from './score-means';

export const phases = ['sample', 'verify', 'reference', 'critic', 'step'] as const;
export type Phase = (typeof phases)[number];

export interface StepMetrics extends ScoreMeans {
  /** From 1. */
  step: number;
  /** Over scored samples. */
  rewardMean: number;
  /** Unbiased standard deviation over scored samples. */
  rewardStd: number;
  /** Share of samples that are right, of those whose correctness is known; null when of none. */
  accuracy: number | null;
  /** Share in the right format; null when unknown. */
  formatRate: number | null;
  /** Share cut off by the token limit. */
  truncatedRate: number;
  /** Mean response tokens that the policy wrote, end tokens included. */
  responseLength: number;
  /**
   * Mean entropy per token of the scored samples in nats: of the distribution that each was sampled from, before truncation. Where
   * the loss has an entropy term, that of the policy as the loss has it, a mean over the minibatches of the first pass.
   */
  entropy: number;
  /** Mean of logProb − referenceLogProb per token in nats; null without a reference. */
  klPerToken: number | null;
  /** Mean over sequences of the summed difference in nats. */
  klPerSequence: number | null;
  /**
   * Loss and gradient norm are means over the minibatches of the first pass. Null, as are the next three, where the
   * policy made no optimizer step because the critic alone learns.
   */
  loss: number | null;
  /** Global norm of the gradient before clipping. */
  gradNorm: number | null;
  /** Share of tokens whose ratio was clipped (`ppo`). */
  clipFraction: number | null;
  /**
   * Mean |logProb at the step − logProb at sampling| over the sequences that the step ran, which leaves out those without a gradient:
   * rollout and training must agree.
   */
  logProbDifference: number | null;
  learningRate: number;
  /** The value network of `ppo`; absent without one. */
  critic?: CriticMetrics;
  /** Coefficient of the KL in this step, in the reward or else in the loss. */
  klCoefficient: number;
  /** Coefficient of the entropy bonus in this step. */
  entropyCoefficient: number;
  /** False: a gradient was not finite; that optimizer step left the weights as they were and was the last on its rollouts. */
  applied: boolean;
  /** Optimizer steps that changed the weights. */
  optimizerSteps: number;
  groups: number;
  /** Groups whose rewards differ: the others carry no signal for group baselines. */
  usableGroups: number;
  /** Response tokens of those groups. */
  usableTokens: number;
  /** Groups and response tokens sampled in all, those replaced for want of a spread included. */
  sampledGroups: number;
  sampledTokens: number;
  /** Mean share of repeated 4-grams in a response. */
  repetition: number;
  temperature: number;
  samples: number;
  /** Samples left out because they, or all others of a group whose baseline they need, could not be scored. */
  excludedSamples: number;
  /** Those of them whose reward or environment did not end in time. */
  timedOutSamples: number;
  /** Wall-clock seconds. */
  seconds: Record<Phase, number> & { total: number };
  /** Response tokens for sample and verify, prompt and response tokens for reference, critic and step; null where a phase did not run. */
  tokensPerSecond: Record<Phase, number | null>;
  /** Resident memory of the process. */
  memoryMiB: number;
  /** Where the policy was evaluated after this step. */
  evaluation?: Evaluation;
  /** The same of the moving average of the weights. */
  emaEvaluation?: Evaluation;
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Share of true among the known; null when none is known. */
export function knownShare(values: readonly (boolean | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.filter(Boolean).length / known.length;
}

/** Tokens of the runs that count as repeated. */
const RUN = 4;

/** Share of the runs of 4 tokens in a response that have occurred in it before, from 0 to 1. */
export function repetition(tokens: ArrayLike<number>): number {
  const total = tokens.length - RUN + 1;
  if (total < 2) return 0;
  // An open table of the places of distinct runs, since a text for each run of a batch would hold up the event loop.
  const places = new Int32Array(2 ** Math.ceil(Math.log2(2 * total))).fill(-1);
  let distinct = 0;
  for (let i = 0; i < total; i++) {
    let slot = runHash(tokens, i) & (places.length - 1);
    while (places[slot] >= 0 && !sameRun(tokens, places[slot], i)) slot = (slot + 1) & (places.length - 1);
    if (places[slot] >= 0) continue;
    places[slot] = i;
    distinct++;
  }
  return 1 - distinct / total;
}

function runHash(tokens: ArrayLike<number>, start: number): number {
  let hash = 0;
  for (let i = start; i < start + RUN; i++) hash = Math.imul(hash ^ tokens[i] ^ (hash >>> 15), 0x9e3779b1);
  return hash ^ (hash >>> 16);
}

function sameRun(tokens: ArrayLike<number>, a: number, b: number): boolean {
  for (let i = 0; i < RUN; i++) if (tokens[a + i] !== tokens[b + i]) return false;
  return true;
}

export interface StepRecord {
  step: number;
  /** Every sample, also those left out. */
  samples: readonly Sample[];
  /** k1 per token of the samples that trained; null without a reference. */
  kl: readonly Float32Array[] | null;
  /** Null where the policy made no optimizer step. */
  stats: RolloutStats | null;
  learningRate: number;
  temperature: number;
  /** See `collectSamples`. */
  sampled: { groups: number; tokens: number };
  /** Null without a critic. */
  critic: CriticMetrics | null;
  klCoefficient: number;
  entropyCoefficient: number;
  seconds: Record<Phase, number>;
  total: number;
}

/**
 * Mean over the policy's own tokens of the entropy that they were sampled at. Of samples without entropies, −log π stands in, whose
 * expectation it is where all tokens may be drawn.
 */
function sampledEntropy(samples: readonly Sample[]): number {
  const tokens = samples.reduce((sum, { rollout }) => sum + policyTokens(rollout), 0);
  const total = samples.reduce((sum, { rollout: { entropies, logProbs, mask } }) => {
    const values = entropies ?? logProbs.map((value) => -value);
    return sum + values.reduce((part, value, t) => (mask?.[t] === 0 ? part : part + value), 0);
  }, 0);
  return total / Math.max(1, tokens);
}

/** Summarises a step. */
export function stepMetrics(record: StepRecord): StepMetrics {
  const { step, samples, kl, stats, learningRate, critic, klCoefficient, entropyCoefficient, seconds, total } = record;
  const scored = samples.filter(({ score }) => score.reward !== null);
  const rewards = scored.map(({ score }) => score.reward ?? 0);
  const rewardMean = mean(rewards);
  const squares = rewards.reduce((sum, reward) => sum + (reward - rewardMean) ** 2, 0);
  const ranges = new Map<number, { low: number; high: number }>();
  scored.forEach(({ group }, i) => {
    const range = ranges.get(group);
    if (!range) ranges.set(group, { low: rewards[i], high: rewards[i] });
    else {
      range.low = Math.min(range.low, rewards[i]);
      range.high = Math.max(range.high, rewards[i]);
    }
  });
  const usable = new Set([...ranges].flatMap(([group, { low, high }]) => (high > low ? [group] : [])));
  const newTokens = samples.reduce((sum, { rollout }) => sum + policyTokens(rollout), 0);
  const perSequence = kl?.map((row) => row.reduce((sum, value) => sum + value, 0)) ?? null;
  // The KL of tokens that the environment wrote is 0.
  const others = scored.reduce((sum, { rollout }) => sum + rollout.tokens.length - policyTokens(rollout), 0);
  const klTokens = (kl?.reduce((sum, row) => sum + row.length, 0) ?? 0) - others;
  const scoredTokens = scored.reduce(
    (sum, { prompt, rollout }) => sum + prompt.tokens.length + rollout.tokens.length,
    0,
  );
  const rate = (tokens: number, phase: Phase): number | null => (seconds[phase] > 0 ? tokens / seconds[phase] : null);
  return {
    step,
    rewardMean,
    ...scoreMeans(scored.map(({ score }) => score)),
    rewardStd: rewards.length > 1 ? Math.sqrt(squares / (rewards.length - 1)) : 0,
    accuracy: knownShare(samples.map(({ score }) => score.correct)),
    formatRate: knownShare(samples.map(({ score }) => score.formatted)),
    truncatedRate: mean(samples.map(({ rollout }) => (rollout.finishReason === 'length' ? 1 : 0))),
    responseLength: newTokens / Math.max(1, samples.length),
    entropy: stats && entropyCoefficient !== 0 ? stats.entropy : sampledEntropy(scored),
    klPerToken: perSequence && (klTokens > 0 ? perSequence.reduce((sum, value) => sum + value, 0) / klTokens : 0),
    klPerSequence: perSequence && mean(perSequence),
    loss: stats && stats.loss,
    gradNorm: stats && stats.gradNorm,
    clipFraction: stats && stats.clipFraction,
    logProbDifference: stats && stats.logProbDifference,
    learningRate,
    ...(critic ? { critic } : {}),
    klCoefficient,
    entropyCoefficient,
    applied: stats?.applied ?? true,
    optimizerSteps: stats?.optimizerSteps ?? 0,
    groups: new Set(samples.map(({ group }) => group)).size,
    usableGroups: usable.size,
    usableTokens: samples.reduce((sum, { group, rollout }) => sum + (usable.has(group) ? policyTokens(rollout) : 0), 0),
    sampledGroups: record.sampled.groups,
    sampledTokens: record.sampled.tokens,
    repetition: mean(samples.map(({ rollout }) => repetition(ownTokens(rollout)))),
    temperature: record.temperature,
    samples: samples.length,
    excludedSamples: samples.length - scored.length,
    timedOutSamples: samples.filter(({ score }) => score.reward === null && score.reason === 'timeout').length,
    seconds: { ...seconds, total },
    tokensPerSecond: {
      sample: rate(newTokens, 'sample'),
      verify: rate(newTokens, 'verify'),
      reference: rate(scoredTokens, 'reference'),
      critic: rate(scoredTokens, 'critic'),
      step: rate(stats?.totalTokens ?? 0, 'step'),
    },
    memoryMiB: process.memoryUsage().rss / 2 ** 20,
  };
}
