/**
 * Held-out evaluation with common random numbers: the same problems, uids and seed at every call, so that a difference
 * between two checkpoints comes from the weights.
 */
import type { Problem } from '../data/dataset';
import type { Template } from '../data/template';
import type { Play } from '../environments/ask';
import { clusteredInterval, majorityAtK, passAtK, type Estimate } from '../evaluation/statistics';
import { knownShare, mean } from '../observe/metrics';
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
export interface Evaluation {
  /** Problems with a known verdict. */
  problems: number;
  /** Samples of each. */
  samples: number;
  /** avg@k, k the number of samples: mean over problems of the share of right samples. */
  accuracy: number;
  interval: [number, number];
  /** Chance that one of k samples is right, for each k of evaluation.k. */
  passAtK: EstimateAtK[];
  /** Chance that the most frequent of k answers is right, for each k of evaluation.k. */
  majorityAtK: EstimateAtK[];
  /** Null when no reward says so. */
  formatRate: number | null;
  /** Mean response tokens, the end token included. */
  responseLength: number;
  truncatedRate: number;
  rewardMean: number;
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
  return ks.map((k) => {
    const values = groups.filter(({ length }) => length >= k).map((group) => value(group, k));
    return { k, value: mean(values), interval: clusteredInterval(values, Math.max(1, Math.floor(samples / k))) };
  });
}

/** The figures of samples, `n` of each problem. */
export function summarize(samples: readonly Sample[], n: number, ks: readonly number[], seconds: number): Evaluation {
  const groups = knownGroups(samples);
  const shares = groups.map(rightShare);
  const right = (group: readonly Sample[]): number => group.filter(({ score }) => score.correct).length;
  const votes = (group: readonly Sample[]) =>
    group.map(({ score }) => ({ correct: score.correct === true, answer: score.answer }));
  return {
    problems: shares.length,
    samples: n,
    accuracy: mean(shares),
    interval: clusteredInterval(shares, n),
    passAtK: estimates(groups, ks, n, (group, k) => passAtK(group.length, right(group), k)),
    majorityAtK: estimates(groups, ks, n, (group, k) => majorityAtK(votes(group), k)),
    formatRate: knownShare(samples.map(({ score }) => score.formatted)),
    responseLength: mean(samples.map(({ rollout }) => policyTokens(rollout))),
    truncatedRate: mean(samples.map(({ rollout }) => (rollout.finishReason === 'length' ? 1 : 0))),
    rewardMean: mean(samples.map(({ score }) => score.reward).filter((reward) => reward !== null)),
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
