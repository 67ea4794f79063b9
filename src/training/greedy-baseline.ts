/** ReMax's baseline: the reward of the greedy completion of each prompt. */
import type { Run } from './open-run';
import { greedyOptions } from './phase-options';
import { samplePrompts, scoreRollouts, type Prompt, type Sample } from './rollouts';
import { penalizeTruncated } from './stop-properly';

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
  const rollouts = await samplePrompts(policy, prompts, { ...greedyOptions(config), signal }, play);
  const greedy = penalizeTruncated(await scoreRollouts(policy, prompts, rollouts, reward, signal), config);
  const baselines = prompts.map((_, group) => {
    const { reward: known } = greedy[group].score;
    if (known !== null) return known;
    const rewards = scored.filter((sample) => sample.group === group).map(({ score }) => score.reward ?? 0);
    return rewards.reduce((sum, value) => sum + value, 0) / Math.max(1, rewards.length);
  });
  return scored.map(({ group }) => baselines[group]);
}
