/** Arguments of Policy.logProbs and Policy.step. */
import { copyFinite } from '../../src/policy/numbers';
import { checkLogProbsOptions, packSequences } from '../../src/policy/sequence-request';
import { buildStepRequest } from '../../src/policy/step-request';
import type { LogProbsOptions, Sequence, StepOptions, TrainingSequence } from '../../src/policy/types';

const limits = { vocabSize: 10, maxPositions: 6 };

describe('packing', () => {
  test('tokens, prompt lengths and response offsets', () => {
    const packed = packSequences(
      [
        { tokens: [1, 2, 3], promptLength: 1 },
        { tokens: Int32Array.of(4, 5, 6, 7), promptLength: 3 },
      ],
      limits,
    );
    expect(Array.from(packed.tokens)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(Array.from(packed.offsets)).toEqual([0, 3, 7]);
    expect(Array.from(packed.promptLengths)).toEqual([1, 3]);
    expect(Array.from(packed.responseOffsets)).toEqual([0, 2, 3]);
  });

  test.each<[string, unknown, string]>([
    ['no array', 5, 'for sequences'],
    ['no object', [5], 'sequences[0]'],
    ['one token', [{ tokens: [1], promptLength: 1 }], 'sequences[0].tokens'],
    ['no response', [{ tokens: [1, 2], promptLength: 2 }], 'integer between 1 and 1 for sequences[0].promptLength'],
    ['no prompt', [{ tokens: [1, 2], promptLength: 0 }], 'sequences[0].promptLength'],
    ['a missing promptLength', [{ tokens: [1, 2] }], 'sequences[0].promptLength but received undefined'],
    ['a token beyond the vocabulary', [{ tokens: [1, 10], promptLength: 1 }], 'sequences[0].tokens[1]'],
    ['a sequence longer than the context', [{ tokens: [1, 1, 1, 1, 1, 1, 1], promptLength: 1 }], 'at most 6 tokens'],
  ])('%s', (_, sequences, says) => {
    expect(() => packSequences(sequences as Sequence[], limits)).toThrow(says);
  });

  test('kept tokens of some sequences, and none at all', () => {
    const sequence = { tokens: [1, 2, 3], promptLength: 1 };
    const keptTokens = Uint8Array.of(0, 3, 3);
    expect(packSequences([sequence], limits).keptTokens).toBeNull();
    expect(packSequences([sequence, { ...sequence, keptTokens }], limits).keptTokens).toEqual([null, keptTokens]);
  });

  test('a log-prob temperature of 0 is refused', () => {
    expect(() => checkLogProbsOptions({ temperature: 0 })).toThrow(
      'Expected number between 0.001 and 1000 for temperature but received 0 of type number',
    );
    expect(() => checkLogProbsOptions({ signal: {} } as LogProbsOptions)).toThrow('for signal');
  });
});

const pair: TrainingSequence[] = [
  { tokens: [1, 2, 3, 4, 5], promptLength: 1, advantages: 2 },
  { tokens: [1, 2, 3], promptLength: 1, advantages: [-1, 0.5] },
];

describe('the step request', () => {
  test('makes no name for a number that is right', () => {
    let made = 0;
    const name = { toString: () => `name ${++made}` } as unknown as string;
    const target = new Float32Array(4);
    copyFinite(name, Float32Array.of(1, 2, 3), 3, target, 1);
    copyFinite(name, [4, 5], 2, target, 0);
    expect([...target]).toEqual([4, 5, 2, 3]);
    expect(made).toBe(0);
    expect(() => copyFinite(name, [1, 'x', 3], 3, target, 0)).toThrow(/for name \d\[1\] but received "x"/);
    expect(() => copyFinite(name, [1e39], 1, target, 0)).toThrow(/float32 number for name \d\[0\] but received 1e\+39/);
    expect(() => copyFinite(name, [NaN], 1, target, 0)).toThrow(/\[0\] but received NaN/);
  });

  test('defaults, and advantages spread over tokens', () => {
    const request = buildStepRequest(pair, undefined, limits);
    expect(Array.from(request.advantages)).toEqual([2, 2, 2, 2, -1, 0.5]);
    expect(request).toMatchObject({
      objective: 'reinforce',
      oldLogProbs: null,
      referenceLogProbs: null,
      clipLow: 0.2,
      clipHigh: 0.2,
      klCoefficient: 0,
      klEstimator: 'k2',
      temperature: 1,
      learningRate: 1e-6,
      beta1: 0.9,
      beta2: 0.95,
      eps: 1e-8,
      weightDecay: 0,
      maxGradNorm: 1,
      memoryBudget: 1024 * 2 ** 20,
    });
  });

  const masked: TrainingSequence[] = [
    { ...pair[0], mask: [1, 0, 1, 1] },
    { ...pair[1], mask: Uint8Array.of(0, 1) },
    { tokens: [1, 2], promptLength: 1, advantages: 1, mask: [0] },
  ];
  test.each([
    ['token-mean', [1 / 4, 0, 1 / 4, 1 / 4, 0, 1 / 4, 0]],
    ['seq-mean-token-mean', [1 / 6, 0, 1 / 6, 1 / 6, 0, 1 / 2, 0]],
    ['seq-mean-token-sum', [1 / 2, 0, 1 / 2, 1 / 2, 0, 1 / 2, 0]],
    ['constant', [1 / 20, 0, 1 / 20, 1 / 20, 0, 1 / 20, 0]],
  ] as const)('%s weights with masks', (aggregation, expected) => {
    const { weights } = buildStepRequest(masked, { aggregation, aggregationConstant: 10 }, limits);
    expect(weights).toHaveLength(expected.length);
    expected.forEach((value, i) => expect(weights[i]).toBeCloseTo(value, 7));
  });

  test('maxGradNorm Infinity is no clipping', () => {
    expect(buildStepRequest(pair, { maxGradNorm: Infinity }, limits).maxGradNorm).toBe(0);
  });

  test('old and reference log-probs are packed, also where only measured', () => {
    const sequences = pair.map((sequence, i) => ({
      ...sequence,
      oldLogProbs: i === 0 ? Float32Array.of(-1, -2, -3, -4) : [-5, -6],
      referenceLogProbs: i === 0 ? [-1, -1, -1, -1] : [-2, -2],
    }));
    const request = buildStepRequest(sequences, undefined, limits);
    expect(Array.from(request.oldLogProbs!)).toEqual([-1, -2, -3, -4, -5, -6]);
    expect(Array.from(request.referenceLogProbs!)).toEqual([-1, -1, -1, -1, -2, -2]);
  });
});

const one = (change: object, options?: object) => [
  [{ tokens: [1, 2, 3], promptLength: 1, advantages: 1, ...change }],
  options,
];
const type = TypeError;
const range = RangeError;
const bad: [string, unknown[], typeof TypeError, string][] = [
  ['no sequences', [[]], range, 'at least one sequence'],
  ['missing advantages', one({ advantages: undefined }), type, 'sequences[0].advantages'],
  ['a NaN advantage', one({ advantages: NaN }), range, 'sequences[0].advantages but received NaN'],
  ['an advantage beyond float32', one({ advantages: 1e39 }), range, 'float32'],
  ['an infinite advantage of a token', one({ advantages: [1, Infinity] }), range, 'sequences[0].advantages[1]'],
  ['too many advantages', one({ advantages: [1, 2, 3] }), range, 'array of 2 numbers, one per response token'],
  ['a mask of another length', one({ mask: [1] }), range, 'sequences[0].mask'],
  ['a mask of fractions', one({ mask: [1, 0.5] }), range, 'sequences[0].mask[1]'],
  ['nothing to train', one({ mask: [0, 0] }), range, 'at least one response token that is not masked'],
  [
    'ppo without old log-probs',
    one({}, { objective: 'ppo' }),
    type,
    'log-probs (ppo needs them) for sequences[0].oldLogProbs',
  ],
  ['NaN old log-probs', one({ oldLogProbs: [0, NaN] }), range, 'sequences[0].oldLogProbs[1]'],
  ['KL without references', one({}, { kl: { coefficient: 0.1 } }), type, 'sequences[0].referenceLogProbs'],
  [
    'old log-probs of some sequences only',
    [[{ ...pair[0], oldLogProbs: [-1, -1, -1, -1] }, pair[1]]],
    type,
    'other sequences of the call have them',
  ],
  [
    'an unknown objective',
    one({}, { objective: 'grpo' }),
    range,
    'Expected one of "reinforce", "ppo", "gspo", "cispo" for objective',
  ],
  ['an unknown aggregation', one({}, { aggregation: 'mean' }), range, 'aggregation'],
  ['a nested misspelt option', one({}, { kl: { coeficient: 1 } }), range, 'did you mean "coefficient"?) for kl'],
  ['a negative learning rate', one({}, { learningRate: -1 }), range, 'learningRate'],
  ['betas of 1', one({}, { betas: [0.9, 1] }), range, 'betas[1]'],
  ['three betas', one({}, { betas: [0.9, 0.9, 0.9] }), range, 'betas'],
  ['a clip of 0', one({}, { clip: { low: 0 } }), range, 'clip.low'],
  ['k1 as a loss', one({}, { kl: { estimator: 'k1' } }), range, 'k1 belongs in the reward'],
  ['gspo without old log-probs', one({}, { objective: 'gspo' }), type, 'gspo needs them'],
  ['a dual clip of 1', one({}, { clip: { dual: 1 } }), range, 'clip.dual'],
  ['constant without its constant', one({}, { aggregation: 'constant' }), type, 'aggregationConstant'],
  ['an unknown ratio', one({}, { sequenceRatio: 'mean' }), range, 'sequenceRatio'],
  ['a negative norm', one({}, { maxGradNorm: -1 }), range, 'maxGradNorm'],
  ['no memory', one({}, { memoryBudgetMiB: 0 }), range, 'memoryBudgetMiB'],
];

test.each(bad)('%s', (_, [sequences, options], error, says) => {
  const build = () => buildStepRequest(sequences as TrainingSequence[], options as StepOptions, limits);
  expect(build).toThrow(error);
  expect(build).toThrow(says);
  expect(build).toThrow(/^Expected .* for .* but received .* of type \w+$/);
});
