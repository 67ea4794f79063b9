import type { StepOptions, StepStats, TrainingSequence } from '../../../src/policy/types';
import { initialState } from '../../../src/training/checkpoint';
import type { TrainConfigInput } from '../../../src/training/config';
import { resolveConfig } from '../../../src/training/load-config';
import { splitGroups } from '../../../src/training/minibatches';
import { optimize } from '../../../src/training/optimize';
import { BanditPolicy } from '../../support/bandit-policy';

/** Groups of 1 to 3 sequences, as they are when some could not be scored. */
const groups = [0, 0, 1, 3, 3, 3, 4, 4, 6, 7, 7];
const passes = { minibatches: 3, seed: 5, step: 2 };

describe('the split of a rollout batch', () => {
  test('has every sequence once and every group whole, in equal shares', () => {
    for (const minibatches of [1, 2, 3, 4, 6]) {
      for (let step = 1; step < 20; step++) {
        const parts = splitGroups(groups, { minibatches, seed: 5, step }, 0);
        expect(parts).toHaveLength(minibatches);
        expect(parts.flat().sort((a, b) => a - b)).toEqual(groups.map((_, i) => i));
        const held = parts.map((part) => [...new Set(part.map((i) => groups[i]))]);
        expect(held.flat()).toHaveLength(6);
        const sizes = held.map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        for (const part of parts) expect(part).toEqual([...part].sort((a, b) => a - b));
      }
    }
  });

  test('has one minibatch per group where there are fewer groups', () => {
    expect(splitGroups([2, 2, 9], { ...passes, minibatches: 8 }, 0).sort()).toEqual([[0, 1], [2]]);
  });

  test('depends on seed, step and pass alone', () => {
    const first = splitGroups(groups, passes, 0);
    expect(splitGroups(groups, passes, 0)).toEqual(first);
    expect(splitGroups(groups, passes, 1)).not.toEqual(first);
    expect(splitGroups(groups, { ...passes, step: 3 }, 0)).not.toEqual(first);
    expect(splitGroups(groups, { ...passes, seed: 6 }, 0)).not.toEqual(first);
  });
});

describe('the optimizer steps on a rollout batch', () => {
  const sequences = groups.map((group, i): TrainingSequence => {
    // The group is the prompt's first token, so that a step shows which it got; the arm's token follows it.
    const tokens = Int32Array.from([group, 1 + (i % 4), ...Array<number>(i % 3).fill(5)]);
    return { tokens, promptLength: 1, advantages: 1 };
  });

  interface Call {
    groups: number[];
    options: StepOptions;
  }

  async function run(optimizer: TrainConfigInput['optimizer'], figures: Partial<StepStats>[] = []) {
    const calls: Call[] = [];
    const policy = new BanditPolicy();
    const step = policy.step.bind(policy);
    policy.step = async (minibatch, options) => {
      const figure = figures[calls.length] ?? {};
      calls.push({ groups: minibatch.map(({ tokens }) => tokens[0]), options: options ?? {} });
      return { ...(await step(minibatch, options)), ...figure };
    };
    const config = resolveConfig({ model: '/m', data: { train: 'arithmetic' }, optimizer });
    const stats = await optimize({ config, policy, state: initialState() }, sequences, groups, 2);
    return { calls, stats };
  }

  test('one minibatch is one step on everything as it lies, with its figures', async () => {
    const { calls, stats } = await run({}, [{ loss: 0.1, entropy: 0.3, tokens: 7, seconds: 2 }]);
    expect(calls.map((call) => call.groups)).toEqual([groups]);
    expect(stats).toMatchObject({ loss: 0.1, entropy: 0.3, tokens: 7, seconds: 2, applied: true, optimizerSteps: 1 });
  });

  test('passes times minibatches, all with the options of the rollout', async () => {
    const { calls, stats } = await run({ epochs: 2, minibatches: 3, objective: 'ppo', learningRate: 0.01 });
    const parts = [0, 1].flatMap((pass) => splitGroups(groups, { ...passes, seed: 0 }, pass));
    expect(calls.map((call) => call.groups)).toEqual(parts.map((part) => part.map((i) => groups[i])));
    for (const { options } of calls) expect(options).toEqual(calls[0].options);
    expect(stats.optimizerSteps).toBe(6);
    expect(stats.tokens).toBe(sequences.reduce((sum, { tokens }) => sum + tokens.length - 1, 0));
  });

  test('figures are weighed by what they are means of', async () => {
    const rest = { kl: 0, microBatches: 1 };
    const figures = [
      {
        loss: 1,
        entropy: 2,
        gradNorm: 3,
        clipFraction: 0.5,
        logProbDifference: 1e-7,
        tokens: 30,
        measuredTokens: 10,
        ...rest,
      },
      {
        loss: 5,
        entropy: 4,
        gradNorm: 5,
        clipFraction: 0.1,
        logProbDifference: 0.2,
        tokens: 10,
        measuredTokens: 10,
        ...rest,
      },
      { loss: 9, entropy: 9, gradNorm: 9, clipFraction: 0.2, logProbDifference: 0.3, tokens: 10, ...rest },
      { loss: 9, entropy: 9, gradNorm: 9, clipFraction: 0.6, logProbDifference: 0.4, tokens: 30, ...rest },
    ];
    const { stats } = await run({ epochs: 2, minibatches: 2 }, figures);
    expect(stats).toMatchObject({ loss: 2, entropy: 3, gradNorm: 4, logProbDifference: 1e-7, tokens: 40 });
    expect(stats.clipFraction).toBeCloseTo(0.5, 12);
    const perSequence = await run({ epochs: 2, minibatches: 2, aggregation: 'seq-mean-token-mean' }, figures);
    const share = perSequence.calls[0].groups.length / groups.length;
    expect(perSequence.stats.loss).toBeCloseTo(share + 5 * (1 - share), 12);
  });

  test('the first gradient that is not finite is the last', async () => {
    const { calls, stats } = await run({ epochs: 2, minibatches: 3 }, [{}, { applied: false, loss: NaN }]);
    expect(calls).toHaveLength(2);
    expect(stats).toMatchObject({ applied: false, optimizerSteps: 1, loss: NaN });
  });
});
