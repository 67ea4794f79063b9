/**
 * The first-minute report: a few prompts of the training data, sampled, scored and timed as the steps of the run will be,
 * so that a template, reward or limit that makes training hopeless shows before hours are spent.
 */
import { problemsOfStep } from '../data/order';
import { clusteredInterval, passAtK, type Estimate } from '../evaluation/statistics';
import { knownShare, mean } from '../observe/metrics';
import { checkFormat } from '../rewards/check-format';
import { hasSpread } from './collect';
import type { Companions } from './companions';
import { needsGreedy, type TrainConfig } from './config';
import { knownGroups, rightShare } from './evaluate';
import { hasGroupBaseline } from './left-alone';
import { penalizeTruncated } from './stop-properly';
import { countMemory, type Memory } from './memory';
import type { RunInputs } from './open-run';
import { samplingOptions } from './phase-options';
import {
  checkTimeouts,
  drawPrompts,
  policyTokens,
  samplePrompts,
  samplesByGroup,
  scoreRollouts,
  wholeSequence,
  type Sample,
} from './rollouts';
import type { TrainingPolicy } from './training-policy';
import { firstUid } from './uids';
import { greatest } from '../extremes';

export interface Preview {
  prompts: number;
  /** Of each prompt. */
  samples: number;
  /** Chance that one sample is right, and that one of `samples` is, with 95 % intervals; null where no verdict is known. */
  passAt1: Estimate | null;
  passAtN: Estimate | null;
  /** Share in the format that the reward asks for; null when no reward says so. */
  formatRate: number | null;
  /** Share with an answer in \boxed{}. */
  boxedRate: number;
  /** What ended the samples, as shares of them. */
  stopReasons: { endToken: number; stopString: number; length: number };
  responseLength: { mean: number; longest: number };
  /** Prompts whose samples differ in reward: the others carry no signal for group baselines. */
  usableGroups: number;
  /** Share of samples that the reward could not score. */
  unscoredRate: number;
  /** Null where none could be scored. */
  rewardMean: number | null;
  /** Wall-clock seconds that a step is predicted to take; `step` is three forward passes, and those of epochs. */
  seconds: { sample: number; verify: number; reference: number; step: number; perStep: number };
  memoryMiB: Memory;
  /** What stands in the way of learning, one sentence each. */
  advice: string[];
}

export type PreviewFacts = Omit<Preview, 'seconds' | 'memoryMiB' | 'advice'>;

export interface PreviewInput
  extends Pick<RunInputs, 'problems' | 'parts' | 'template' | 'reward' | 'play'>, Companions {
  /** With stop tokens as ids. */
  config: TrainConfig;
  policy: TrainingPolicy;
  signal?: AbortSignal;
}

function stopReason({ rollout, completion }: Sample, stopStrings: readonly string[]): keyof Preview['stopReasons'] {
  if (rollout.finishReason === 'length') return 'length';
  const text = completion.trimEnd();
  return stopStrings.some((stop) => text.endsWith(stop.trimEnd())) ? 'stopString' : 'endToken';
}

/** The figures of `samples`, as many of each prompt. */
export function factsOf(samples: readonly Sample[], { rollout }: TrainConfig): PreviewFacts {
  const n = rollout.samplesPerPrompt;
  const groups = knownGroups(samples);
  const estimate = (values: readonly number[], perProblem: number): Estimate | null =>
    values.length === 0 ? null : { value: mean(values), interval: clusteredInterval(values, perProblem) };
  const right = (group: readonly Sample[]): number => group.filter(({ score }) => score.correct === true).length;
  const share = (of: (sample: Sample) => boolean): number => mean(samples.map((sample) => (of(sample) ? 1 : 0)));
  const reasons = samples.map((sample) => stopReason(sample, rollout.stopStrings));
  const reasonShare = (reason: string): number => mean(reasons.map((other) => (other === reason ? 1 : 0)));
  const rewards = samples.flatMap(({ score }) => (score.reward === null ? [] : [score.reward]));
  const lengths = samples.map((sample) => policyTokens(sample.rollout));
  const byGroup = samplesByGroup(samples);
  return {
    prompts: byGroup.length,
    samples: n,
    passAt1: estimate(groups.map(rightShare), n),
    passAtN: estimate(
      groups.filter(({ length }) => length >= n).map((group) => passAtK(group.length, right(group), n)),
      1,
    ),
    formatRate: knownShare(samples.map(({ score }) => score.formatted)),
    boxedRate: share(({ completion }) => checkFormat(completion, 'boxed')),
    stopReasons: {
      endToken: reasonShare('endToken'),
      stopString: reasonShare('stopString'),
      length: reasonShare('length'),
    },
    responseLength: { mean: mean(lengths), longest: greatest(lengths, 0) },
    usableGroups: byGroup.filter(hasSpread).length,
    unscoredRate: share(({ score }) => score.reward === null),
    rewardMean: rewards.length === 0 ? null : mean(rewards),
  };
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** What in these figures stands in the way of learning. */
export function adviceFor(facts: PreviewFacts, config: TrainConfig): string[] {
  const { rollout } = config;
  const { stopReasons, passAt1, passAtN, formatRate, boxedRate, usableGroups, prompts, samples } = facts;
  const advice: string[] = [];
  const limit = `rollout.maxTokens (${rollout.maxTokens})`;
  if (facts.unscoredRate > 0.5)
    advice.push(
      `${percent(facts.unscoredRate)} of the samples cannot be scored; check the answers of the data and the reward`,
    );
  if (stopReasons.length === 1)
    advice.push(
      `No sample ends before ${limit}: raise it, or say in rollout.stopTokens or rollout.stopStrings what ends an answer`,
    );
  else if (stopReasons.length > 0.5)
    advice.push(`${percent(stopReasons.length)} of the samples are cut off at ${limit}; raise it`);
  if (formatRate === 0)
    advice.push(
      boxedRate > 0
        ? `No sample has the format that the reward asks for, but ${percent(boxedRate)} have a box; check reward.format`
        : 'No sample has the format that the reward asks for; ask for it in data.template, or let the reward pay for less',
    );
  if (passAtN?.value === 0)
    advice.push(
      `None of ${samples} samples is right for any of ${prompts} prompts: take easier problems (data.difficulty), another template, or a stronger model`,
    );
  if (passAt1?.value === 1) advice.push('Every sample is right: there is nothing left to learn from these problems');
  const groupBaseline = hasGroupBaseline(config);
  if (groupBaseline && usableGroups === 0)
    advice.push('The samples of each prompt have the same reward, so their advantages are 0 and nothing is learnt');
  else if (groupBaseline && usableGroups < 0.1 * prompts)
    advice.push(
      `Only ${usableGroups} of ${prompts} prompts have samples of different reward; data.difficulty or rollout.dynamicSampling find more`,
    );
  if (facts.responseLength.mean <= 1)
    advice.push('Responses are empty: the end token comes first; check data.template');
  return advice;
}

/**
 * Samples and scores `preview.prompts` prompts, those of the first step with random numbers of their own. The weights stay as
 * they are. Also returns the samples.
 */
export async function makePreview(input: PreviewInput): Promise<{ preview: Preview; samples: Sample[] }> {
  const { config, policy, reference, problems, parts, template, reward, play, signal } = input;
  const { promptsPerStep, temperature } = config.rollout;
  const count = Math.max(1, Math.min(config.preview.prompts, promptsPerStep));
  const chosen = problemsOfStep(parts, promptsPerStep, 0, config.seed).slice(0, count);
  const prompts = drawPrompts(policy, problems, chosen, template, firstUid.preview, config.data.addSpecialTokens);
  const timed = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
    const start = performance.now();
    const result = await work();
    return [result, ((performance.now() - start) / 1000) * (promptsPerStep / count)];
  };
  const [rollouts, sample] = await timed(() =>
    samplePrompts(policy, prompts, { ...samplingOptions(config), signal }, play),
  );
  const [scored, verify] = await timed(() => scoreRollouts(policy, prompts, rollouts, reward, signal));
  checkTimeouts(scored);
  const samples = penalizeTruncated(scored, config);
  const sequences = samples.map(wholeSequence);
  const [, forward] = await timed(() => policy.logProbs(sequences, { temperature, signal }));
  const facts = factsOf(samples, config);
  const greedy = needsGreedy(config) ? 1 / config.rollout.samplesPerPrompt : 0;
  const seconds = {
    sample: sample * (1 + greedy),
    verify,
    reference: reference === null ? 0 : forward,
    step: 3 * forward * config.optimizer.epochs,
  };
  const preview: Preview = {
    ...facts,
    seconds: { ...seconds, perStep: seconds.sample + seconds.verify + seconds.reference + seconds.step },
    memoryMiB: countMemory(config, policy, input, mean(prompts.map(({ tokens }) => tokens.length))),
    advice: adviceFor(facts, config),
  };
  return { preview, samples };
}
