import {
  checkFormat,
  combineRewards,
  formatReward,
  mathReward,
  scoreSample,
  scoreSamples,
  type RewardFunction,
  type RewardSample,
} from '../../../src/rewards';

const sample = (completion: string, answer = '12', index = 0): RewardSample => ({
  problem: { id: 'p1', problem: '5+7=?', answer },
  prompt: '5+7=?',
  completion,
  answer,
  tokens: new Int32Array(3),
  finishReason: 'stop',
  index,
});

/** Completions of every kind, with golds that can and cannot be read. */
const varied = [
  '\\boxed{12}',
  '\\boxed{13}',
  'The answer is 12.',
  '<think>2·6</think> <answer>12</answer>',
  'so</think><answer>so \\boxed{12}</answer>',
  '<think>a</think><answer>\\boxed{1}</answer>',
  '<answer>12</answer>',
  '\\boxed{',
  '',
].flatMap((completion, i) => [sample(completion, '12', i), sample(completion, '', i)]);

describe('math', () => {
  test.each([
    ['= \\boxed{12}', 1, 'equal', true, true],
    ['= \\boxed{13}', -0.5, 'different', false, true],
    ['The answer is 12.', -1, 'wrong-format', false, false],
    ['\\boxed{12', -1, 'wrong-format', false, false],
    ['', -1, 'wrong-format', false, false],
  ])('%j scores %d', async (completion, reward, reason, correct, formatted) => {
    expect(await scoreSample(mathReward(), sample(completion))).toMatchObject({ reward, reason, correct, formatted });
  });

  test('scores are set by options', async () => {
    const reward = mathReward({ correct: 2, wrongAnswer: 0, wrongFormat: -3 });
    const scores = await Promise.all(
      ['\\boxed{12}', '\\boxed{1}', 'x'].map((text) => scoreSample(reward, sample(text))),
    );
    expect(scores.map((score) => score.reward)).toEqual([2, 0, -3]);
    expect(() => mathReward({ correct: NaN })).toThrow('Expected finite number for correct but received NaN');
  });

  test.each([
    ['think-answer', '<think>a</think> <answer>12</answer>', 1, 'equal', true, true],
    ['think-answer', 'a</think><answer>that is \\boxed{12}</answer>', 1, 'equal', true, true],
    ['think-answer', '<think>\\boxed{12}</think><answer>11</answer>', -0.5, 'different', false, true],
    ['think-answer', '<think>a</think> so \\boxed{12}', -1, 'wrong-format', false, false],
    ['think-answer', '<answer>12</answer>', -1, 'wrong-format', false, false],
    ['any', 'The answer is 12.', 1, 'equal', true, true],
    ['any', '<answer>11</answer>', -0.5, 'different', false, true],
    ['any', '', -1, 'no-answer', false, false],
    ['boxed', '<think>a</think> <answer>12</answer>', -1, 'wrong-format', false, false],
  ] as const)('format %s: %j scores %d', async (format, completion, reward, reason, correct, formatted) => {
    const scored = await scoreSample(mathReward({ format }), sample(completion));
    expect(scored).toMatchObject({ reward, reason, correct, formatted });
  });

  test('an unknown format is refused', () => {
    expect(() => mathReward({ format: 'xml' as 'any' })).toThrow(/for format but received "xml"/);
  });

  test('a gold answer that cannot be read leaves the sample out', async () => {
    expect(await scoreSample(mathReward(), sample('\\boxed{12}', ''))).toMatchObject({
      reward: null,
      reason: 'unparsable-gold',
    });
  });
});

describe('format', () => {
  test.each([
    ['<think>a</think> <answer>12</answer>', 1],
    ['a</think>\n<answer>12</answer>\n', 1],
    ['<think>a</think><answer></answer>', 0],
    ['<think>a</think><answer>1</answer> more', 0],
    ['<answer>1</answer><think>a</think>', 0],
    ['<think>a</think><answer>1</answer><answer>2</answer>', 0],
    ['x <think>a</think><answer>1</answer>', 0],
  ])('think-answer %j: %d', async (completion, reward) => {
    expect((await scoreSample(formatReward({ style: 'think-answer' }), sample(completion))).reward).toBe(reward);
    expect(checkFormat(completion, 'think-answer')).toBe(reward === 1);
  });

  test('checkFormat checks its arguments', () => {
    expect(checkFormat('a \\boxed{1}', 'boxed')).toBe(true);
    expect(checkFormat('a \\boxed{ }', 'boxed')).toBe(false);
    expect(() => checkFormat(null as unknown as string, 'boxed')).toThrow('Expected string for completion');
    expect(() => checkFormat('', 'xml' as 'boxed')).toThrow('for style but received "xml"');
  });
});

describe('many samples at once', () => {
  const custom: RewardFunction = ({ completion, index }) =>
    completion === '' ? null : completion.length + (index ?? 0);
  test.each<[string, RewardFunction]>([
    ['math', mathReward()],
    ['math with tags', mathReward({ format: 'think-answer' })],
    ['math with any statement', mathReward({ format: 'any', wrongAnswer: 0 })],
    ['format', formatReward({ style: 'think-answer', wrong: -1 })],
    ['a plain function', custom],
    [
      'a sum',
      combineRewards([
        { reward: mathReward(), weight: 2 },
        { reward: custom, weight: 0.1 },
      ]),
    ],
    ['a sum of sums', combineRewards([{ reward: combineRewards([{ reward: formatReward() }]) }, { reward: custom }])],
  ])('%s scores them as one by one, in order', async (_, reward) => {
    const single = await Promise.all(varied.map((one) => scoreSample(reward, one)));
    expect(await scoreSamples(reward, varied)).toEqual(single);
    expect(new Set(single.map((score) => score.reward)).size).toBeGreaterThan(1);
  });

  test('the batch form is used where there is one, also inside a sum, and gets the signal', async () => {
    const calls: [number, AbortSignal | undefined][] = [];
    const reward: RewardFunction = Object.assign(() => NaN, {
      scoreAll: (samples: readonly RewardSample[], signal?: AbortSignal) => {
        calls.push([samples.length, signal]);
        return Promise.resolve(samples.map((_, i) => i));
      },
    });
    const { signal } = new AbortController();
    const scores = await scoreSamples(combineRewards([{ reward, weight: 2 }]), varied.slice(0, 3), signal);
    expect(scores.map((score) => score.reward)).toEqual([0, 2, 4]);
    expect(calls).toEqual([[3, signal]]);
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ['too few results', () => Promise.resolve([1]), 'gave 1 results for 2 samples'],
    ['no array', () => Promise.resolve(3), 'gave number results for 2 samples'],
    ['a NaN', () => Promise.resolve([1, NaN]), 'The reward of sample 5 of prompt "p1" is NaN'],
    ['an error', () => Promise.reject(new Error('no net')), 'threw on a batch of 2 samples: no net'],
  ])('a batch form with %s is one error', async (_, scoreAll, message) => {
    const reward = Object.assign(() => 0, { scoreAll }) as RewardFunction;
    const scored = scoreSamples(combineRewards([{ reward }]), [sample('a'), sample('b', '12', 5)]);
    await expect(scored).rejects.toMatchObject({ code: 'ERR_ZERO_RL_DATA' });
    await expect(scored).rejects.toThrow(message);
    await expect(scored).rejects.not.toThrow('threw on sample 0');
  });
});

describe('composition and user rewards', () => {
  test('weights add up; the first that knows says correct and formatted', async () => {
    const reward = combineRewards([{ reward: () => 0.25, weight: 2 }, { reward: mathReward() }]);
    expect(await scoreSample(reward, sample('\\boxed{12}'))).toMatchObject({
      reward: 1.5,
      reason: 'custom+equal',
      correct: true,
      formatted: true,
    });
  });

  test('one that states no answer is told apart from one that says nothing of answers', async () => {
    const scored = (reward: RewardFunction) => scoreSample(reward, sample('so \\boxed{12}'));
    const none: RewardFunction = () => ({ reward: 0, answer: null });
    expect(await scored(() => 1)).not.toHaveProperty('answer');
    expect(await scored(none)).toHaveProperty('answer', null);
    expect(
      await scored(combineRewards([{ reward: () => 1 }, { reward: none }, { reward: mathReward() }])),
    ).toHaveProperty('answer', null);
    expect(await scored(combineRewards([{ reward: () => 1 }, { reward: mathReward() }]))).toHaveProperty(
      'answer',
      '12',
    );
    expect(await scoreSample(mathReward(), sample('none'))).toHaveProperty('answer', null);
  });

  test.each<[unknown, object]>([
    [
      { reward: 1, correct: 1, formatted: 0 },
      { correct: true, formatted: false },
    ],
    [
      { reward: 1, correct: null },
      { correct: null, formatted: null },
    ],
    [{ reward: 1, answer: 42 }, { answer: '42' }],
    [{ reward: 1, reason: null }, { reason: 'custom' }],
    [{ reward: 1, steps: 3, shown: true, note: 'x', why: () => 1 }, { metrics: { steps: 3, shown: 1 } }],
    [
      { reward: 1, steps: 3, metrics: { depth: 2, bad: NaN, off: null, on: false } },
      { metrics: { steps: 3, depth: 2, bad: null, off: null, on: 0 } },
    ],
    [
      { reward: 1, parts: [{ name: 'a', reward: 2 }] },
      { parts: [{ name: 'a', reward: 2, weight: 1, reason: 'custom' }] },
    ],
  ])('%j has one meaning everywhere', async (result, expected) => {
    expect(await scoreSample(() => result as number, sample('x'))).toMatchObject(expected);
  });

  test.each<[object, string]>([
    [{ correct: 0.5 }, 'Expected true, false or null for correct but received 0.5'],
    [{ correct: 'no' }, 'for correct but received "no" of type string'],
    [{ formatted: 'yes' }, 'for formatted but received "yes"'],
    [{ reason: 7 }, 'Expected text for reason but received 7'],
    [{ answer: ['1'] }, 'for answer but received array'],
    [{ parts: { a: 1 } }, 'for parts but received object'],
    [{ parts: [{ name: 'a', reward: NaN }] }, 'for parts[0].reward but received NaN'],
    [{ metrics: 3 }, 'for metrics but received 3'],
    [{ metrics: { note: 'x' }, more: 1 }, 'for metrics.note but received "x"'],
  ])('%j is refused with the sample named', async (result, message) => {
    const scored = scoreSample(() => ({ reward: 1, ...result }), sample('x', '12', 4));
    await expect(scored).rejects.toMatchObject({ code: 'ERR_ZERO_RL_DATA' });
    await expect(scored).rejects.toThrow(message);
    await expect(scored).rejects.toThrow('for sample 4 of prompt "p1"');
  });

  test('a sum has the terms of its parts, those of sums in it too, and their metrics', async () => {
    const inner = combineRewards([
      { reward: () => ({ reward: 2, depth: 1, steps: 5 }), weight: 3, name: 'a' },
      { reward: () => ({ reward: 4, depth: 9 }), name: 'b' },
    ]);
    const score = await scoreSample(
      combineRewards([
        { reward: inner, weight: 0.5 },
        { reward: () => 7, name: 'c' },
      ]),
      sample('x'),
    );
    expect(score.parts?.map(({ name, reward, weight }) => [name, reward, weight])).toEqual([
      ['a', 2, 1.5],
      ['b', 4, 0.5],
      ['c', 7, 1],
    ]);
    expect(score.parts?.reduce((sum, { reward, weight }) => sum + reward * weight, 0)).toBe(score.reward);
    expect(score.metrics).toEqual({ depth: 1, steps: 5 });
  });

  test('one part that cannot score leaves the sample out', async () => {
    const reward = combineRewards([{ reward: () => null }, { reward: mathReward() }]);
    expect((await scoreSample(reward, sample('\\boxed{12}'))).reward).toBeNull();
  });

  test.each([
    ['NaN', () => NaN, 'is NaN'],
    ['infinite', () => ({ reward: Infinity }), 'is Infinity'],
    ['undefined', (() => undefined) as unknown as RewardFunction, 'is undefined'],
    ['text', (() => 'good') as unknown as RewardFunction, 'is string'],
    ['rejected', () => Promise.reject(new Error('no net')), 'threw on sample 4 of prompt "p1": no net'],
  ])('%s is one error that names the sample', async (_, reward: RewardFunction, message) => {
    const scored = scoreSample(reward, sample('x', '12', 4));
    await expect(scored).rejects.toMatchObject({ code: 'ERR_ZERO_RL_DATA' });
    await expect(scored).rejects.toThrow(message);
    await expect(scored).rejects.toThrow('sample 4 of prompt "p1"');
  });
});
