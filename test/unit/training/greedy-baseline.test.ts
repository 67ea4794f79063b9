/** ReMax's baseline is rewarded as the samples are. */
import type { RewardFunction } from '../../../src/rewards';
import { greedyBaseline } from '../../../src/training/greedy-baseline';
import { resolveConfig } from '../../../src/training/load-config';
import { samplePrompts, scoreRollouts, type Prompt } from '../../../src/training/rollouts';
import { penalizeTruncated } from '../../../src/training/stop-properly';
import { BanditPolicy } from '../../support/bandit-policy';

/** Every completion is cut off by the token limit. */
class EndlessPolicy extends BanditPolicy {
  override async sample(...call: Parameters<BanditPolicy['sample']>): ReturnType<BanditPolicy['sample']> {
    return (await super.sample(...call)).map((rollout) => ({ ...rollout, finishReason: 'length' }));
  }
}

const reward: RewardFunction = () => 1;

test.each([
  [null, 1],
  [0.25, 0.25],
  [-2, -2],
])('with stopProperly %p a completion that is cut off is worth %p, sampled or greedy', async (stopProperly, worth) => {
  const config = resolveConfig({
    model: '/m',
    data: { train: 'arithmetic' },
    algorithm: { name: 'remax' },
    rollout: { lengthPenalty: { stopProperly } },
  });
  const policy = new EndlessPolicy();
  const prompts: Prompt[] = [0, 1].map((uid) => {
    const text = `problem ${uid}`;
    return { problem: { id: text, problem: text, answer: '2' }, text, tokens: policy.encodePrompt(text), uid };
  });
  const rollouts = await samplePrompts(policy, prompts, { n: 1 });
  const scored = penalizeTruncated(await scoreRollouts(policy, prompts, rollouts, reward), config);
  const baselines = await greedyBaseline({ config, policy, reward, play: null }, prompts, scored, undefined);
  expect(scored.map(({ score }) => score.reward)).toEqual([worth, worth]);
  expect(baselines).toEqual([worth, worth]);
});

test('prompts of which no sample could be scored have no greedy completion', async () => {
  const config = resolveConfig({ model: '/m', data: { train: 'arithmetic' }, algorithm: { name: 'remax' } });
  const policy = new BanditPolicy();
  const prompts: Prompt[] = [0, 1, 2].map((uid) => {
    const text = `problem ${uid}`;
    return { problem: { id: text, problem: text, answer: '2' }, text, tokens: policy.encodePrompt(text), uid };
  });
  // What it is worth depends on the prompt and the draw, so that one baseline is told from another.
  const byPrompt: RewardFunction = ({ prompt, completion }) =>
    prompt.length * 100 + Number(prompt.at(-1)) + completion.length;
  const rollouts = await samplePrompts(policy, prompts, { n: 3 });
  const scored = await scoreRollouts(policy, prompts, rollouts, byPrompt);
  const all = await greedyBaseline({ config, policy, reward: byPrompt, play: null }, prompts, scored, undefined);
  policy.sampleCalls = [];
  const rest = scored.filter(({ group, index }) => group !== 1 && index !== 0);
  const some = await greedyBaseline({ config, policy, reward: byPrompt, play: null }, prompts, rest, undefined);
  expect(policy.sampleCalls.map(({ prompts: count }) => count)).toEqual([2]);
  expect(policy.sampleCalls[0].options.uids).toEqual([0, 2]);
  expect(some).toEqual(all.filter((_, i) => rest.includes(scored[i])));
});
