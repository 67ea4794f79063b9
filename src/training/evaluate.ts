/**
 * Held-out evaluation with common random numbers: the same problems, uids and seed at every call, so that a difference
 * between two checkpoints comes from the weights.
 */
import type { Problem } from '../data/dataset';
import type { Template } from '../data/template';
import { knownShare, mean } from '../observe/metrics';
import type { RewardFunction } from '../rewards';
import type { TrainConfig } from './config';
import { evaluationOptions } from './phase-options';
import { makePrompts, policyTokens, samplePrompts, scoreRollouts, type Play, type Sample } from './rollouts';
import type { TrainingPolicy } from './training-policy';

export interface Evaluation {
  /** Problems with a known verdict. */
  problems: number;
  /** Samples of each. */
  samples: number;
  /** Mean over problems of the share of right samples. */
  accuracy: number;
  /** 95 % interval of the accuracy over problems like these. */
  interval: [number, number];
  /** Null when no reward says so. */
  formatRate: number | null;
  /** Mean response tokens, the end token included. */
  responseLength: number;
  truncatedRate: number;
  rewardMean: number;
  seconds: number;
}

/** Training uids count up from 0; these stay apart from them. */
const FIRST_UID = 2 ** 40;
/** Normal quantile of a two-sided 95 % interval. */
const Z = 1.959964;

/** Wilson's score interval of `successes` in `trials`. */
export function wilsonInterval(successes: number, trials: number): [number, number] {
  if (trials === 0) return [0, 1];
  const share = successes / trials;
  const scale = 1 + Z ** 2 / trials;
  const centre = (share + Z ** 2 / (2 * trials)) / scale;
  const half = (Z / scale) * Math.sqrt((share * (1 - share)) / trials + Z ** 2 / (4 * trials ** 2));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** Wilson for one sample a problem; for several a normal interval over the problems' means, since samples of one problem are alike. */
function accuracyInterval(shares: readonly number[], samples: number): [number, number] {
  const accuracy = mean(shares);
  if (samples === 1 || shares.length < 2) return wilsonInterval(accuracy * shares.length, shares.length);
  const variance = shares.reduce((sum, share) => sum + (share - accuracy) ** 2, 0) / (shares.length - 1);
  const half = Z * Math.sqrt(variance / shares.length);
  return [Math.max(0, accuracy - half), Math.min(1, accuracy + half)];
}

export interface EvaluationInput {
  policy: TrainingPolicy;
  problems: readonly Problem[];
  template: Template;
  reward: RewardFunction;
  config: TrainConfig;
  play?: Play | null;
  signal?: AbortSignal;
}

/** Samples every problem and scores; also returns the samples. */
export async function evaluate(input: EvaluationInput): Promise<{ evaluation: Evaluation; samples: Sample[] }> {
  const { policy, config, signal } = input;
  const n = config.evaluation.samples;
  const start = performance.now();
  const prompts = makePrompts(policy, input.problems, input.template, FIRST_UID, config.data.addSpecialTokens);
  const rollouts = await samplePrompts(policy, prompts, { ...evaluationOptions(config), signal }, input.play);
  const samples = await scoreRollouts(policy, prompts, rollouts, input.reward, signal);
  const shares = prompts
    .map((_, group) => knownShare(samples.slice(group * n, (group + 1) * n).map(({ score }) => score.correct)))
    .filter((share) => share !== null);
  const evaluation: Evaluation = {
    problems: shares.length,
    samples: n,
    accuracy: mean(shares),
    interval: accuracyInterval(shares, n),
    formatRate: knownShare(samples.map(({ score }) => score.formatted)),
    responseLength: mean(samples.map(({ rollout }) => policyTokens(rollout))),
    truncatedRate: mean(samples.map(({ rollout }) => (rollout.finishReason === 'length' ? 1 : 0))),
    rewardMean: mean(samples.map(({ score }) => score.reward).filter((reward) => reward !== null)),
    seconds: (performance.now() - start) / 1000,
  };
  return { evaluation, samples };
}
