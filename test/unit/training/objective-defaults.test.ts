/** An objective comes with the clip, aggregation and passes of its paper, and what does not go together is said. */
import type { TrainConfig, TrainConfigInput } from '../../../src/training/config';
import { checkGroups, configAdvice } from '../../../src/training/config-advice';
import { lossFormula } from '../../../src/training/formulas';
import { resolveConfig } from '../../../src/training/load-config';

const resolve = (changes: Partial<TrainConfigInput>): TrainConfig =>
  resolveConfig({ model: '/m', data: { train: '/d.jsonl' }, ...changes });
const summary = ({ optimizer: { objective, clip, aggregation, epochs, minibatches } }: TrainConfig): unknown => [
  objective,
  clip.low,
  clip.high,
  aggregation,
  `${epochs} × ${minibatches}`,
];

test.each<[Partial<TrainConfigInput>, unknown[]]>([
  [{}, ['reinforce', 0.2, 0.2, 'token-mean', '1 × 1']],
  [{ algorithm: { name: 'ppo' } }, ['ppo', 0.2, 0.2, 'token-mean', '1 × 8']],
  [{ algorithm: { name: 'grpo' } }, ['reinforce', 0.2, 0.2, 'token-mean', '1 × 1']],
  [{ algorithm: { name: 'grpo' }, optimizer: { minibatches: 4 } }, ['ppo', 0.2, 0.2, 'token-mean', '1 × 4']],
  [{ optimizer: { epochs: 2 } }, ['ppo', 0.2, 0.2, 'token-mean', '2 × 1']],
  [{ ema: { decay: 0.9, sample: true } }, ['ppo', 0.2, 0.2, 'token-mean', '1 × 1']],
  [{ algorithm: { name: 'dr-grpo' } }, ['reinforce', 0.2, 0.2, 'constant', '1 × 1']],
  [{ algorithm: { name: 'dr-grpo', numerics: 'openrlhf' } }, ['reinforce', 0.2, 0.2, 'token-mean', '1 × 1']],
  [{ optimizer: { objective: 'gspo' } }, ['gspo', 3e-4, 4e-4, 'seq-mean-token-mean', '1 × 4']],
  [{ optimizer: { objective: 'gspo', sequenceRatio: 'product' } }, ['gspo', 0.2, 0.2, 'seq-mean-token-sum', '1 × 1']],
  [{ optimizer: { objective: 'cispo' } }, ['cispo', 1, 4, 'token-mean', '1 × 16']],
  [{ optimizer: { objective: 'cispo' }, rollout: { promptsPerStep: 6 } }, ['cispo', 1, 4, 'token-mean', '1 × 6']],
  [
    { optimizer: { objective: 'gspo', clip: { high: 0.3 }, aggregation: 'token-mean', epochs: 3 } },
    ['gspo', 3e-4, 0.3, 'token-mean', '3 × 1'],
  ],
  [
    { algorithm: { name: 'ppo' }, optimizer: { objective: 'reinforce' } },
    ['reinforce', 0.2, 0.2, 'token-mean', '1 × 1'],
  ],
])('%j', (changes, expected) => {
  const config = resolve(changes);
  expect(summary(config)).toEqual(expected);
  // What a run writes down is what it reads when it goes on.
  expect(resolveConfig(config)).toEqual(config);
});

test('the formula of ppo has the ratio', () => {
  expect(lossFormula(resolve({ algorithm: { name: 'ppo' } }))).toContain('-min(ρ·A, clip(ρ, 0.8, 1.2)·A)');
});

describe('what does not go together is said', () => {
  test.each<[Partial<TrainConfigInput>, string]>([
    [
      { optimizer: { objective: 'reinforce', minibatches: 4 } },
      'optimizer.objective reinforce does not correct for it that after the first of 4 optimizer steps',
    ],
    [{ optimizer: { objective: 'reinforce' }, ema: { decay: 0.9, sample: true } }, 'ema.sample samples from other'],
    [
      { optimizer: { objective: 'gspo', aggregation: 'token-mean' } },
      'goes with optimizer.aggregation seq-mean-token-mean',
    ],
    [
      { algorithm: { name: 'dr-grpo' }, optimizer: { aggregation: 'token-mean' } },
      'aggregation constant, not token-mean',
    ],
    [
      { optimizer: { clip: { high: 0.28 } } },
      'optimizer.clip.high has no effect: optimizer.objective reinforce has no',
    ],
    [
      { optimizer: { objective: 'ppo', minibatches: 1, clip: { high: 0.28 } } },
      'optimizer.clip.high has no effect: with one optimizer step per batch',
    ],
    [{ critic: { learningRate: 1e-4 } }, 'critic.learningRate has no effect: only algorithm.name ppo has a critic'],
    [{ algorithm: { gamma: 0.9 } }, 'algorithm.gamma has no effect'],
    [{ algorithm: { baselineDecay: 0.5 } }, 'algorithm.baselineDecay has no effect: algorithm.baseline is none'],
    [{ algorithm: { name: 'pass-at-k', k: 9 } }, 'algorithm.k 9 counts as rollout.samplesPerPrompt 8'],
    [{ kl: { horizon: 5 } }, 'kl.horizon has no effect: kl.target is not set'],
    [{ kl: { lossCorrection: true } }, 'kl.lossCorrection has no effect: kl.lossCoefficient is 0'],
    [{ referenceModel: '/other' }, 'referenceModel has no effect: no reference is loaded'],
    [{ optimizer: { aggregationConstant: 7 } }, 'optimizer.aggregation is not constant'],
    [{ rollout: { truncation: 'replay' } }, 'rollout.truncation has no effect: topP, topK and minP cut nothing off'],
    [{ ema: { sample: true } }, 'ema.sample has no effect: ema.decay is not set'],
    [{ masterWeights: false }, 'masterWeights has no effect: dtype is not bfloat16'],
    [{ data: { train: '/d.jsonl', count: 5 } }, 'data.count has no effect: data.train names no generator'],
    [{ data: { train: 'countdown', arithmetic: { seed: 1 } } }, 'arithmetic is no source of data'],
    [{ watchdog: { rollback: { most: 5 } } }, 'no rule of watchdog has the action rollback'],
  ])('%j', (changes, message) => {
    expect(configAdvice(resolve(changes))).toEqual([expect.stringContaining(message)]);
  });

  test.each<Partial<TrainConfigInput>>([
    {},
    { algorithm: { name: 'ppo', gamma: 0.9 }, critic: { kind: 'trunk' } },
    { optimizer: { objective: 'cispo', clip: { high: 2 } } },
    { algorithm: { name: './my.mjs#estimator', k: 3 } },
    { data: { train: ['arithmetic', '/d.jsonl'], count: 5, problemKey: 'q' } },
  ])('%j is in order', (changes) => {
    expect(configAdvice(resolve(changes))).toEqual([]);
  });
});

describe('one sample of a prompt', () => {
  const of = (algorithm: TrainConfigInput['algorithm']): TrainConfig =>
    resolve({ algorithm, rollout: { samplesPerPrompt: 1 } });

  test.each(['rloo', 'grpo', 'dr-grpo', 'opo', 'pass-at-k', 'reinforce++-baseline'])('%s refuses it', (name) => {
    expect(() => checkGroups(of({ name }))).toThrow(
      expect.objectContaining({
        code: 'ERR_ZERO_RL_CONFIG',
        message: expect.stringMatching(
          /^Expected at least 2 .* for rollout\.samplesPerPrompt but received 1/,
        ) as string,
      }),
    );
  });

  test.each([
    { name: 'reinforce' },
    { name: 'reinforce++' },
    { name: 'remax' },
    { name: 'ppo' },
    { name: './my.mjs' },
    { name: 'rloo', numerics: 'verl' as const },
  ])('%j takes it', (algorithm) => {
    expect(() => checkGroups(of(algorithm))).not.toThrow();
  });

  test('one that a framework refuses at the first step is refused before it', () => {
    expect(() => checkGroups(of({ name: 'rloo', numerics: 'openrlhf' }))).toThrow('rollout.samplesPerPrompt');
  });
});

test.each<[TrainConfigInput['algorithm'], TrainConfigInput['kl'], string]>([
  [{ name: 'opo', numerics: 'openrlhf' }, {}, 'for numerics of opo but received "openrlhf"'],
  [{ name: 'grpo', numerics: 'trl' }, { initCoefficient: 0.1 }, 'for klCoefficient of grpo'],
  [{ name: 'ppo' }, { initCoefficient: 0.1, placement: 'sequence' }, 'for klPlacement of gae'],
  [{ name: 'rloo', numerics: 'verl' }, { initCoefficient: 0.1, placement: 'token' }, 'for klPlacement of rloo'],
])('an estimator without such a mode is refused at the start: %j %j', (algorithm, kl, message) => {
  expect(() => resolve({ algorithm, kl })).toThrow(
    expect.objectContaining({ code: 'ERR_ZERO_RL_CONFIG', message: expect.stringContaining(message) as string }),
  );
});
