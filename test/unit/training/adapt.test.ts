import { adapt, nextEntropyCoefficient, nextKlScale } from '../../../src/training/adapt';
import { initialState } from '../../../src/training/checkpoint';
import { explainedVariance } from '../../../src/training/critic';
import { resolveConfig } from '../../../src/training/load-config';
import { advantageFormula, lossFormula } from '../../../src/training/formulas';
import type { TrainConfigInput } from '../../../src/training/config';

const configOf = (changes: Partial<TrainConfigInput>) =>
  resolveConfig({ model: '/m', data: { train: 'arithmetic' }, ...changes });

describe('the KL coefficient', () => {
  const { kl } = configOf({ kl: { initCoefficient: 0.1, target: 2, horizon: 1000 } });

  test('moves by the error, at most a fifth, and by the samples seen', () => {
    expect(nextKlScale(kl, 1, 2.2, 100)).toBeCloseTo(1 + 0.1 * 0.1, 12);
    expect(nextKlScale(kl, 1, 200, 100)).toBeCloseTo(1 + 0.2 * 0.1, 12);
    expect(nextKlScale(kl, 2, 0, 100)).toBeCloseTo(2 * (1 - 0.2 * 0.1), 12);
  });

  test('a batch beyond the horizon halves or doubles it at most', () => {
    expect(nextKlScale(kl, 1, 0, 1e6)).toBe(0.5);
    expect(nextKlScale(kl, 1, 200, 1e6)).toBe(2);
  });

  test('finds back from far below and far above its target', () => {
    let scale = 1;
    for (let step = 0; step < 10_000; step++) scale = nextKlScale(kl, scale, 0, 1000);
    expect(scale).toBe(0.01);
    for (let step = 0; step < 26; step++) scale = nextKlScale(kl, scale, 200, 1000);
    expect(scale).toBeGreaterThan(1);
    for (let step = 0; step < 10_000; step++) scale = nextKlScale(kl, scale, 200, 1000);
    expect(scale).toBe(100);
  });

  test('stays without a target', () => {
    expect(nextKlScale({ ...kl, target: null }, 3, 100, 100)).toBe(3);
  });
});

test('the entropy coefficient grows below the target and shrinks above it', () => {
  const { entropy } = configOf({ optimizer: { entropy: { coefficient: 0.01, target: 0.5, rate: 0.1 } } }).optimizer;
  const up = nextEntropyCoefficient(entropy, null, 0.3);
  expect(up).toBeCloseTo(0.01 * Math.exp(0.02), 12);
  expect(nextEntropyCoefficient(entropy, up, 0.5)).toBe(up);
  expect(nextEntropyCoefficient(entropy, up, 1.5)).toBeLessThan(up ?? 0);
  expect(nextEntropyCoefficient({ ...entropy, target: null }, null, 0.3)).toBeNull();
});

test('the entropy coefficient stays within a hundred times its first value, and the end of the range is told once', () => {
  const config = configOf({ optimizer: { entropy: { coefficient: 0.01, target: 5, rate: 1 } } });
  const state = initialState();
  const told: string[] = [];
  const steps = (entropy: number): void => {
    for (let step = 0; step < 50; step++)
      told.push(...adapt(config, state, { learnt: true, klPerSequence: null, samples: 8, entropy }));
  };
  steps(0);
  expect(state.entropyCoefficient).toBe(1);
  expect(told).toEqual([expect.stringContaining('brought the coefficient to 1, where it stops')]);
  steps(10);
  expect(state.entropyCoefficient).toBe(0.0001);
  expect(told).toHaveLength(2);
});

test('a step in which the policy did not learn steers nothing', () => {
  const config = configOf({ kl: { initCoefficient: 0.1, target: 2, horizon: 10 } });
  const state = initialState();
  adapt(config, state, { learnt: false, klPerSequence: 100, samples: 8, entropy: 1 });
  expect(state).toEqual(initialState());
});

test('explained variance: 1 for a perfect critic, 0 for a constant, null without spread', () => {
  expect(explainedVariance([[1, 2], [3]], [[1, 2], [3]])).toBe(1);
  expect(explainedVariance([[7, 7], [7]], [[1, 2], [3]])).toBeCloseTo(0, 12);
  expect(explainedVariance([[0], [1]], [[2], [2]])).toBeNull();
});

describe('the formulas in force', () => {
  test('name the objective, its ratio and the terms that count', () => {
    const optimizer = { objective: 'gspo', entropy: { coefficient: 0.01, target: 0.4 } } as const;
    const text = lossFormula(configOf({ optimizer, kl: { lossCoefficient: 0.1, lossEstimator: 'k3' } }));
    expect(text).toContain('ρ = exp(mean_t of logp - logp at sampling)');
    expect(text).toContain('0.1·(exp(logref - logp)');
    expect(text).toContain('- 0.01·H');
    expect(text).toContain('steered to H = 0.4 nats');
    expect(lossFormula(configOf({}))).not.toMatch(/ρ|H|optimizer steps/);
    const passes = lossFormula(configOf({ optimizer: { epochs: 2, minibatches: 4 } }));
    expect(passes).toContain('mean over all response tokens of the minibatch');
    expect(passes).toContain('optimizer steps per rollout batch: 2 × 4');
  });

  test('constant divides by the token limit, dual clip is named, ppo has the loss of V', () => {
    const optimizer = { objective: 'ppo', aggregation: 'constant', clip: { dual: 3 } } as const;
    const text = lossFormula(configOf({ algorithm: { name: 'ppo' }, optimizer, rollout: { maxTokens: 77 } }));
    expect(text).toContain('over 77');
    expect(text).toContain('3·|A| where A < 0');
    expect(text).toContain('loss of V');
  });

  test('the advantage follows the placement and the target of the KL', () => {
    const text = advantageFormula(configOf({ kl: { initCoefficient: 0.2, placement: 'token', target: 3 } }));
    expect(text).toContain('Σ_{k≥t} k1[i,k]');
    expect(text).toContain('steered to 3 nats per sequence');
  });
});
