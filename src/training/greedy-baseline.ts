/** ReMax's baseline: the reward of the greedy completion of each prompt. */
import { mean } from '../observe/metrics';
import type { Run } from './open-run';
import { greedyOptions } from './phase-options';
import { samplePrompts, samplesByGroup, scoreRollouts, type Prompt, type Sample } from './rollouts';
import { penalizeTruncated } from './stop-properly';

const rewardOf = ({ score }: Sample): number => score.reward ?? 0;

/**
 * One number per sample of `scored`, by the rules of their rewards. Where the greedy completion itself cannot be scored, the mean reward of the prompt's
 * samples stands in for it.
 */
export async function greedyBaseline(
  { config, policy, reward, play }: Pick<Run, 'config' | 'policy' | 'reward' | 'play'>,
  prompts: readonly Prompt[],
  scored: readonly Sample[],
  signal: AbortSignal | undefined,
): Promise<number[]> {
  // Prompts without a scored sample have no use for one.
  const groups = samplesByGroup(scored);
  const asked = groups.map(([{ group }]) => prompts[group]);
  const rollouts = await samplePrompts(policy, asked, { ...greedyOptions(config), signal }, play);
  const greedy = penalizeTruncated(await scoreRollouts(policy, asked, rollouts, reward, signal), config);
  const baselines = new Map(
    groups.map((samples, i) => [samples[0].group, greedy[i].score.reward ?? mean(samples.map(rewardOf))]),
  );
  return scored.map(({ group }) => baselines.get(group) ?? 0);
}
