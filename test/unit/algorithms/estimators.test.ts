import {
  algorithmNames,
  algorithms,
  formula,
  runningBaseline,
  valueTargets,
  type Advantages,
  type EstimatorInput,
} from '../../../src/algorithms';

/** Two prompts with four samples each. */
const batch: EstimatorInput = {
  rewards: [1, 0, 0, 1, 0, 0, 1, 0],
  groups: [7, 7, 7, 7, 3, 3, 3, 3],
  lengths: [2, 3, 1, 4, 3, 2, 2, 1],
};
/** What ppo and remax read beside it. */
const whole: EstimatorInput = {
  ...batch,
  values: Array.from(batch.lengths, (length) => new Float32Array(length)),
  greedyRewards: new Float32Array(8),
};
const half: EstimatorInput = {
  ...whole,
  kl: Array.from(batch.lengths, (length) => new Float32Array(length).fill(0.5)),
};
const rounded = (advantages: Advantages): number[][] =>
  advantages.map((row) => Array.from(row, (value) => Math.round(value * 1e5) / 1e5 + 0));
const firsts = (advantages: Advantages): number[] => rounded(advantages).map((row) => row[0]);

describe('rloo', () => {
  const expected = [0.66667, -0.66667, -0.66667, 0.66667, -0.33333, -0.33333, 1, -0.33333];

  test.each(['default', 'openrlhf', 'verl', 'trl'] as const)('golden values without KL: %s', (numerics) => {
    const advantages = algorithms.rloo(batch, { numerics });
    expect(firsts(advantages)).toEqual(expected);
    for (const row of rounded(advantages)) expect(new Set(row).size).toBe(1);
  });

  test.each(['default', 'verl', 'trl'] as const)('KL inside the return: %s', (numerics) => {
    const advantages = algorithms.rloo(half, { klCoefficient: 0.1, numerics });
    expect(firsts(advantages)).toEqual([0.7, -0.7, -0.56667, 0.56667, -0.4, -0.33333, 1, -0.26667]);
  });

  test('KL to go after the baseline: openrlhf', () => {
    const advantages = rounded(algorithms.rloo(half, { klCoefficient: 0.1, numerics: 'openrlhf' }));
    expect(advantages[0]).toEqual([0.56667, 0.61667]);
    expect(advantages[4]).toEqual([-0.48333, -0.43333, -0.38333]);
  });

  test('a group of one has no signal; verl keeps its raw return; openrlhf refuses it', () => {
    const single = { rewards: [1, 0, 5], groups: [0, 0, 1], lengths: [1, 1, 2] };
    expect(rounded(algorithms.rloo(single))).toEqual([[1], [-1], [0, 0]]);
    expect(rounded(algorithms.rloo(single, { numerics: 'verl' }))).toEqual([[1], [-1], [5, 5]]);
    expect(() => algorithms.rloo(single, { numerics: 'openrlhf' })).toThrow(/at least 2 sequences in every group/);
  });

  test('unequal groups are centred within themselves', () => {
    const unequal = { rewards: [3, 0, 0, 1, 2], groups: [0, 0, 0, 1, 1], lengths: [1, 1, 1, 1, 1] };
    expect(firsts(algorithms.rloo(unequal))).toEqual([3, -1.5, -1.5, -1, 1]);
  });

  test('a group without spread gets zeros', () => {
    const flat = { rewards: [-1, -1, -1], groups: [0, 0, 0], lengths: [2, 1, 3] };
    expect(rounded(algorithms.rloo(flat))).toEqual([[0, 0], [0], [0, 0, 0]]);
  });

  test('masked tokens get zero advantage and pay no KL', () => {
    const masked: EstimatorInput = {
      rewards: [1, 0],
      groups: [0, 0],
      lengths: [3, 1],
      kl: [[1, 100, 1], [0]],
      mask: [[1, 0, 1], [1]],
    };
    expect(rounded(algorithms.rloo(masked, { klCoefficient: 0.25 }))).toEqual([[0.5, 0, 0.5], [-0.5]]);
    expect(rounded(algorithms.rloo(masked, { klCoefficient: 0.25, numerics: 'openrlhf' }))).toEqual([
      [0.5, 0, 0.75],
      [-1],
    ]);
  });
});

describe('reinforce++', () => {
  test.each([
    ['default', 1.11803, -0.89443],
    ['openrlhf', 1.11803, -0.89443],
    ['verl', 1.08653, -0.86923],
  ] as const)('golden values without KL: %s', (numerics, right, wrong) => {
    const advantages = firsts(algorithms['reinforce++'](batch, { numerics }));
    expect(advantages).toEqual(Array.from(batch.rewards, (reward) => (reward === 1 ? right : wrong)));
  });

  test.each([
    ['default', [1.11349, 1.21523], [0.91001, 1.01175, 1.11349, 1.21523]],
    ['openrlhf', [1.11349, 1.21523], [0.91001, 1.01175, 1.11349, 1.21523]],
    ['verl', [1.08212, 1.18099], [0.88437, 0.98325, 1.08212, 1.18099]],
  ] as const)('golden values with KL: %s', (numerics, first, fourth) => {
    const advantages = rounded(algorithms.reinforcePlusPlus(half, { klCoefficient: 0.1, numerics }));
    expect(advantages[0]).toEqual(first);
    expect(advantages[3]).toEqual(fourth);
  });

  test('a batch without spread gets zeros, not infinities', () => {
    expect(rounded(algorithms['reinforce++']({ rewards: [1, 1], groups: [0, 1], lengths: [2, 1] }))).toEqual([
      [0, 0],
      [0],
    ]);
  });

  test('masked tokens stay out of mean and variance', () => {
    const all = algorithms['reinforce++']({ rewards: [1, 0], groups: [0, 0], lengths: [1, 1] });
    const masked = algorithms['reinforce++']({
      rewards: [1, 0],
      groups: [0, 0],
      lengths: [3, 1],
      mask: [[0, 0, 1], [1]],
    });
    expect(rounded(masked)).toEqual([[0, 0, rounded(all)[0][0]], rounded(all)[1]]);
  });

  test('has no TRL mode', () => {
    expect(() => algorithms['reinforce++'](batch, { numerics: 'trl' })).toThrow(
      /Expected one of "default", "openrlhf", "verl"/,
    );
  });
});

describe('reinforce', () => {
  test('the return less the baseline, KL to go per token', () => {
    expect(rounded(algorithms.reinforce(batch))[3]).toEqual([1, 1, 1, 1]);
    expect(rounded(algorithms.reinforce(half, { baseline: 0.25, klCoefficient: 0.1 }))[0]).toEqual([0.65, 0.7]);
  });

  test('the running baseline starts at the first mean and then decays', () => {
    const first = runningBaseline(null, [1, 0], 0.9);
    expect(first).toBe(0.5);
    expect(runningBaseline(first, [1, 1], 0.9)).toBeCloseTo(0.55, 12);
    expect(runningBaseline(0.3, [], 0.9)).toBe(0.3);
  });
});

describe('remax and ppo', () => {
  test('say what they lack', () => {
    expect(() => algorithms.remax(batch)).toThrow('remax needs them) for greedyRewards');
    expect(() => algorithms.remax({ ...batch, greedyRewards: [1] })).toThrow('for greedyRewards.length');
    expect(() => algorithms.ppo(batch)).toThrow('gae needs them) for values');
    expect(() => algorithms.ppo({ ...whole, values: whole.values!.map(() => [0]) })).toThrow('for values[0].length');
    expect(() => algorithms.ppo(whole, { klPlacement: 'sequence' })).toThrow('klPlacement of gae');
  });

  test('the returns that the critic learns are the rewards to go, whatever V is', () => {
    const input = { rewards: [1, -1], groups: [0, 0], lengths: [3, 1], values: [[0.5, 9, 0.25], [0]] };
    const { returns } = valueTargets({ ...input, mask: [[1, 0, 1], [1]] });
    expect(returns.map((row) => Array.from(row))).toEqual([[1, 0, 1], [-1]]);
  });
});

describe('where the KL is charged', () => {
  test('sequence and token are choices of the formula of the paper', () => {
    const perSequence = algorithms.reinforce(half, { klCoefficient: 0.1, klPlacement: 'sequence' });
    expect(rounded(perSequence)[0]).toEqual([0.9, 0.9]);
    const toGo = algorithms.rloo(half, { klCoefficient: 0.1, klPlacement: 'token' });
    expect(toGo).toEqual(algorithms.rloo(half, { klCoefficient: 0.1, numerics: 'openrlhf' }));
  });

  test('a framework has its own', () => {
    const options = { klPlacement: 'token', numerics: 'verl', klCoefficient: 0.1 } as const;
    expect(() => algorithms.rloo(half, options)).toThrow('klPlacement of rloo');
    expect(() => algorithms.grpo(half, { numerics: 'trl', klCoefficient: 0.1 })).toThrow('KL in the loss');
  });
});

describe('every estimator', () => {
  const names = Object.keys(algorithms) as (keyof typeof algorithms)[];

  test.each(names)('%s names the sequence of a NaN reward', (name) => {
    expect(() => algorithms[name]({ ...batch, rewards: [1, 0, 0, NaN, 0, 0, 1, 0] })).toThrow(
      'Expected a finite number for rewards[3] but received NaN of type number',
    );
  });

  test.each(names)('%s refuses sizes that do not match', (name) => {
    const run = algorithms[name];
    expect(() => run({ ...batch, groups: [0] })).toThrow(/Expected 8, one per reward, for groups.length/);
    expect(() => run({ ...half, kl: half.kl!.map(() => [0]) }, { klCoefficient: 1 })).toThrow(/for kl\[0\]\.length/);
    expect(() => run(batch, { klCoefficient: 1 })).toThrow(/klCoefficient is not 0/);
    expect(() => run({ ...half, kl: half.kl!.map((row) => row.map(() => Infinity)) }, { klCoefficient: 1 })).toThrow(
      /for kl\[0\]\[0\]/,
    );
  });

  test.each(names)('%s ignores kl at coefficient 0', (name) => {
    expect(algorithms[name](half)).toEqual(algorithms[name](whole));
  });

  test.each(names)('%s takes an empty batch and empty responses', (name) => {
    const empty = { rewards: [], groups: [], lengths: [], values: [], greedyRewards: [] };
    expect(algorithms[name](empty)).toEqual([]);
    const short = { rewards: [1, 0], groups: [0, 0], lengths: [0, 1], values: [[], [0]], greedyRewards: [0, 0] };
    expect(algorithms[name](short)[0]).toHaveLength(0);
  });
});

test('the formula names the KL term only where it is in force', () => {
  expect(formula('rloo')).not.toContain('k1');
  expect(formula('rloo', { klCoefficient: 0.5 })).toContain('r[i] - 0.5·Σ_t k1[i,t]');
  expect(formula('rloo', { klCoefficient: 0.5, numerics: 'openrlhf' })).toContain('Σ_{k≥t}');
  expect(formula('reinforce', { baseline: 'running', baselineDecay: 0.8 })).toContain('decay 0.8');
  expect(formula('reinforce++', { numerics: 'verl' })).toContain('unbiased');
});

test.each(algorithmNames)('the formula of %s is the one of its options', (name) => {
  expect(formula(name)).toMatch(/A(\[i,t\])? = /);
  expect(formula(name)).not.toContain('undefined');
  expect(formula(name, { klCoefficient: 0.5 })).toContain('0.5·');
});
