/** The samples of a step: its prompts, sampled and scored, with groups that carry no signal refilled where wanted. */
import { problemsOfStep } from '../data/order';
import { timedSync } from '../profile/spans';
import type { PhaseClock } from './phase-clock';
import type { TrainConfig } from './config';
import type { Run } from './open-run';
import { leaveOutAlone } from './left-alone';
import { samplingOptions } from './phase-options';
import {
  drawPrompts,
  policyTokens,
  reasonsOf,
  samplePrompts,
  samplesByGroup,
  scoreRollouts,
  type Prompt,
  type Sample,
} from './rollouts';
import { penalizeTruncated } from './stop-properly';
import { firstUid, ROUNDS_AGAIN } from './uids';

export interface Collected {
  prompts: Prompt[];
  /** Ordered by group; groups are numbered as the prompts. */
  samples: Sample[];
  /** What was sampled in all, refills included. */
  sampled: { groups: number; tokens: number };
}

/** Whether the rewards of a group differ: without a spread its advantages are 0. */
export function hasSpread(group: readonly Sample[]): boolean {
  const rewards = group.flatMap(({ score }) => (score.reward === null ? [] : [score.reward]));
  return rewards.some((reward) => reward !== rewards[0]);
}

const tokensOf = (samples: readonly Sample[]): number =>
  samples.reduce((sum, { rollout }) => sum + policyTokens(rollout), 0);

const isScored = (group: readonly Sample[]): boolean => group.some(({ score }) => score.reward !== null);

/**
 * The samples of step `step` (from 1) under `config`, the run's as it is at this step. Where none could be scored, as while a
 * service is away, other prompts are tried.
 */
export async function collectSamples(
  run: Run,
  config: TrainConfig,
  step: number,
  clock: PhaseClock,
  { signal, warn }: { signal?: AbortSignal; warn: (message: string) => void },
): Promise<Collected> {
  const { problems, template, reward } = run;
  const { promptsPerStep } = config.rollout;
  const { rounds } = config.rollout.dynamicSampling;
  const sampler = run.ema !== null && config.ema.sample ? run.ema : run.policy;

  const sampleRound = async (
    series: 'epoch' | 'refill' | 'again',
    order: number,
    count: number,
    from: number,
  ): Promise<[Prompt[], Sample[]]> => {
    const prompts = timedSync('data', () => {
      // The order of the problems is the run's own, whatever the seed of sampling has become.
      const drawn = problemsOfStep(run.parts, promptsPerStep, order, run.config.seed, series);
      return drawPrompts(sampler, problems, drawn.slice(0, count), template, from, config.data.addSpecialTokens);
    });
    const rollouts = await clock.time('sample', () =>
      samplePrompts(sampler, prompts, { ...samplingOptions(config), signal }, run.play),
    );
    const scored = await clock.time('verify', () => scoreRollouts(sampler, prompts, rollouts, reward, signal));
    return [prompts, leaveOutAlone(penalizeTruncated(scored, config), config, run.estimator)];
  };
  const [prompts, first] = await sampleRound('epoch', step - 1, promptsPerStep, (step - 1) * promptsPerStep);
  const groups = samplesByGroup(first);
  const sampled = { groups: groups.length, tokens: tokensOf(first) };
  /** Samples further prompts and puts those that `fit` into `places`. */
  const replace = async (
    series: 'refill' | 'again',
    order: number,
    places: readonly number[],
    fit: (group: readonly Sample[]) => boolean,
  ): Promise<void> => {
    const [others, samples] = await sampleRound(
      series,
      order,
      places.length,
      firstUid[series] + order * promptsPerStep,
    );
    const fresh = samplesByGroup(samples);
    sampled.groups += places.length;
    sampled.tokens += tokensOf(samples);
    places.forEach((place, i) => {
      if (!fit(fresh[i])) return;
      groups[place] = fresh[i].map((sample) => ({ ...sample, group: place }));
      prompts[place] = others[i];
    });
  };
  for (let round = 0; round < rounds; round++) {
    const dead = groups.flatMap((group, i) => (hasSpread(group) ? [] : [i]));
    if (dead.length === 0) break;
    await replace('refill', (step - 1) * rounds + round, dead, hasSpread);
  }
  for (let round = 0; round < ROUNDS_AGAIN && !groups.some(isScored); round++) {
    const lost = groups.flat();
    warn(
      `None of the ${lost.length} samples of step ${step} could be scored (${reasonsOf(lost)}); other prompts are tried`,
    );
    const all = groups.map((_, i) => i);
    await replace('again', (step - 1) * ROUNDS_AGAIN + round, all, isScored);
  }
  return { prompts, samples: groups.flat(), sampled };
}
