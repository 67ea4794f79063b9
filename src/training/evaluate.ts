/**
 * Held-out evaluation with common random numbers: the same problems, uids and seed at every call, so that a difference
 * between two checkpoints comes from the weights.
 */
import type { Problem } from '../data/dataset';
import type { Template } from '../data/template';
import type { Play } from '../environments/ask';
import { clusteredInterval, majorityAtK, passAtK, type Estimate } from '../evaluation/statistics';
import { knownShare, mean } from '../observe/metrics';
import { scoreMeans, type ScoreMeans } from '../observe/score-means';
import type { RewardFunction } from '../rewards';
import { evaluationKs, type TrainConfig } from './config';
import { evaluationOptions } from './phase-options';
import { makePrompts, policyTokens, samplePrompts, samplesByGroup, scoreRollouts, type Sample } from './rollouts';
import { sampleAndScore, type EvaluationProgress } from './sample-and-score';
import type { TrainingPolicy } from './training-policy';
import { firstUid } from './uids';

export interface EstimateAtK extends Estimate {
  k: number;
}

/** Every interval is a 95 % one over problems; see `clusteredInterval` of src/evaluation/statistics.ts. */
export interface Evaluation extends ScoreMeans {
  /** Problems with a known verdict. */
  problems: number;
  /** Samples of each. */
  samples: number;
  /** avg@k, k the number of samples: mean over problems of the share of right samples; null where no verdict is known. */
  accuracy: number | null;
  interval: [number, number] | null;
  /** Chance that one of k samples is right, for each k of evaluation.k for which there are problems with k known verdicts. */
  passAtK: EstimateAtK[];
  /**
   * Chance that the most frequent of k answers is right, for each such k; empty where the reward does not say which answer a wrong
   * sample states.
   */
  majorityAtK: EstimateAtK[];
  /** Null when no reward says so. */
  formatRate: number | null;
  /** Mean response tokens, the end token included. */
  responseLength: number;
  truncatedRate: number;
  /** Over the samples that could be scored; null where none could. */
  rewardMean: number | null;
  seconds: number;
}

/** The samples of each problem whose verdict is known, in the order of the problems. */
export function knownGroups(samples: readonly Sample[]): Sample[][] {
  return samplesByGroup(samples.filter(({ score }) => score.correct !== null));
}

/** The share of right samples of a problem. */
export function rightShare(group: readonly Sample[]): number {
  return mean(group.map(({ score }) => (score.correct === true ? 1 : 0)));
}

/** One estimate for each k, over the problems with at least k samples of known verdict. */
function estimates(
  groups: readonly Sample[][],
  ks: readonly number[],
  samples: number,
  value: (group: readonly Sample[], k: number) => number,
): EstimateAtK[] {
  return ks.flatMap((k) => {
    const values = groups.filter(({ length }) => length >= k).map((group) => value(group, k));
    if (values.length === 0) return [];
    return { k, value: mean(values), interval: clusteredInterval(values, Math.max(1, Math.floor(samples / k))) };
  });
}

/** The figures of samples, `n` of each problem. */
export function summarize(samples: readonly Sample[], n: number, ks: readonly number[], seconds: number): Evaluation {
  const groups = knownGroups(samples);
  const shares = groups.map(rightShare);
  const right = (group: readonly Sample[]): number => group.filter(({ score }) => score.correct).length;
  const votes = (group: readonly Sample[]) =>
    group.map(({ score }) => ({ correct: score.correct === true, answer: score.answer ?? null }));
  const votesKnown = groups.flat().every(({ score }) => score.correct || score.answer !== undefined);
  const rewards = samples.map(({ score }) => score.reward).filter((reward) => reward !== null);
  return {
    problems: shares.length,
    samples: n,
    accuracy: shares.length === 0 ? null : mean(shares),
    interval: shares.length === 0 ? null : clusteredInterval(shares, n),
    passAtK: estimates(groups, ks, n, (group, k) => passAtK(group.length, right(group), k)),
    majorityAtK: estimates(votesKnown ? groups : [], ks, n, (group, k) => majorityAtK(votes(group), k)),
    formatRate: knownShare(samples.map(({ score }) => score.formatted)),
    responseLength: mean(samples.map(({ rollout }) => policyTokens(rollout))),
    truncatedRate: mean(samples.map(({ rollout }) => (rollout.finishReason === 'length' ? 1 : 0))),
    rewardMean: rewards.length === 0 ? null : mean(rewards),
    ...scoreMeans(samples.map(({ score }) => score)),
    seconds,
  };
}

export interface EvaluationInput {
  policy: TrainingPolicy;
  problems: readonly Problem[];
  template: Template;
  reward: RewardFunction;
  config: TrainConfig;
  play?: Play | null;
  signal?: AbortSignal;
  /** Told often how far it is; needs a policy that streams, and single turns. */
  onProgress?: (progress: EvaluationProgress) => void;
}

/** Samples every problem and scores; also returns the samples. */
export async function evaluate(input: EvaluationInput): Promise<{ evaluation: Evaluation; samples: Sample[] }> {
  const { policy, config, signal } = input;
  const n = config.evaluation.samples;
  const start = performance.now();
  const prompts = makePrompts(
    policy,
    input.problems,
    input.template,
    firstUid.evaluation,
    config.data.addSpecialTokens,
  );
  const options = { ...evaluationOptions(config), n, signal };
  const samples =
    input.onProgress && policy.stream && !input.play
      ? await sampleAndScore({ ...input, prompts, options, onProgress: input.onProgress })
      : await scoreRollouts(
          policy,
          prompts,
          await samplePrompts(policy, prompts, options, input.play),
          input.reward,
          signal,
        );
  const seconds = (performance.now() - start) / 1000;
  const evaluation = summarize(samples, n, evaluationKs(config), seconds);
  return { evaluation, samples };
}
