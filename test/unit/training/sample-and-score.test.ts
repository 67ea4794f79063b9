/** Evaluations that say how they go give the figures of silent ones. */
import type { Problem } from '../../../src/data/dataset';
import type { Completion, SampleOptions } from '../../../src/policy/types';
import type { RewardFunction } from '../../../src/rewards';
import { checkTimeouts, makePrompts, samplePrompts, scoreRollouts } from '../../../src/training/rollouts';
import { sampleAndScore, type EvaluationProgress } from '../../../src/training/sample-and-score';
import { BanditPolicy } from '../../support/bandit-policy';

/** Completions come out of order, the last prompts' first. */
class StreamingPolicy extends BanditPolicy {
  ended = false;

  async *stream(prompts: readonly unknown[], options?: SampleOptions): AsyncGenerator<Completion, void, undefined> {
    try {
      yield* (await this.sample(prompts, options)).reverse();
    } finally {
      this.ended = true;
    }
  }
}

const problems = Array.from({ length: 6 }, (_, i): Problem => ({ id: `p${i}`, problem: `${i}`, answer: '2' }));
const template = ({ problem }: Problem): string => problem;
const score = (correct: boolean | null) => ({
  reward: Number(correct),
  reason: 'x',
  correct,
  formatted: null,
  answer: '',
});
const reward: RewardFunction = ({ completion, problem }) =>
  Promise.resolve(score(problem.id === 'p0' ? null : completion.endsWith('2}')));

test('samples are the same in the same order; the last word has all of them and the share that is right', async () => {
  const policy = new StreamingPolicy();
  const prompts = makePrompts(policy, problems, template, 0, true);
  const options = { n: 4, seed: 3 };
  const silent = await scoreRollouts(policy, prompts, await samplePrompts(policy, prompts, options), reward);
  const told: EvaluationProgress[] = [];
  const samples = await sampleAndScore({ policy, prompts, options, reward, onProgress: (now) => told.push(now) });
  expect(samples).toEqual(silent);
  const known = silent.flatMap(({ score: { correct } }) => (correct === null ? [] : [Number(correct)]));
  const accuracy = known.reduce((sum, value) => sum + value) / known.length;
  expect(told[0]).toEqual({ sampled: 0, of: 24, accuracy: null });
  expect(told.at(-1)).toEqual({ sampled: 24, of: 24, accuracy });
  expect(known).toHaveLength(20);
});

test('a reward that throws ends it', async () => {
  const policy = new StreamingPolicy();
  const prompts = makePrompts(policy, problems, template, 0, true);
  const broken: RewardFunction = () => Promise.reject(new Error('broken'));
  const input = { policy, prompts, options: { n: 4 }, reward: broken, onProgress: () => undefined };
  await expect(sampleAndScore(input)).rejects.toThrow('broken');
  expect(policy.ended).toBe(true);
});

test('samples that came too late are kept; that all did is refused', async () => {
  const policy = new StreamingPolicy();
  const prompts = makePrompts(policy, problems, template, 0, true);
  const late =
    (ids: string[]): RewardFunction =>
    ({ problem }) =>
      Promise.resolve({ ...score(null), ...(ids.includes(problem.id) ? { reason: 'timeout' } : {}) });
  const run = (ids: string[]) =>
    sampleAndScore({ policy, prompts, options: { n: 4 }, reward: late(ids), onProgress: () => undefined });
  const some = await run(['p5', 'p4', 'p3']);
  expect(some).toHaveLength(24);
  expect(() => checkTimeouts(some)).not.toThrow();
  const none = await run(problems.map(({ id }) => id));
  expect(() => checkTimeouts(none)).toThrow('on any of 24 samples');
});
