import {
  combineRewards,
  formatReward,
  mathReward,
  scoreSample,
  type RewardFunction,
  type RewardSample,
} from '../../../src/rewards';

const sample = (completion: string, answer = '12'): RewardSample => ({
  problem: { id: 'p1', problem: '5+7=?', answer },
  prompt: '5+7=?',
  completion,
  answer,
  tokens: new Int32Array(3),
  finishReason: 'stop',
});

describe('math', () => {
  test.each([
    ['= \\boxed{12}', 1, 'correct', true, true],
    ['= \\boxed{13}', -0.5, 'wrong-answer', false, true],
    ['The answer is 12.', -1, 'wrong-format', false, false],
    ['\\boxed{12', -1, 'wrong-format', false, false],
    ['', -1, 'wrong-format', false, false],
  ])('%j scores %d', async (completion, reward, reason, correct, formatted) => {
    expect(await scoreSample(mathReward(), sample(completion))).toEqual({ reward, reason, correct, formatted });
  });

  test('scores are set by options', async () => {
    const reward = mathReward({ correct: 2, wrongAnswer: 0, wrongFormat: -3 });
    const scores = await Promise.all(
      ['\\boxed{12}', '\\boxed{1}', 'x'].map((text) => scoreSample(reward, sample(text))),
    );
    expect(scores.map((score) => score.reward)).toEqual([2, 0, -3]);
    expect(() => mathReward({ correct: NaN })).toThrow('Expected finite number for correct but received NaN');
  });

  test('a gold answer that cannot be read leaves the sample out', async () => {
    expect(await scoreSample(mathReward(), sample('\\boxed{12}', ''))).toMatchObject({
      reward: null,
      reason: 'gold-unparsable',
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
  });
});

describe('composition and user rewards', () => {
  test('weights add up; the first that knows says correct and formatted', async () => {
    const reward = combineRewards([{ reward: () => 0.25, weight: 2 }, { reward: mathReward() }]);
    expect(await scoreSample(reward, sample('\\boxed{12}'))).toEqual({
      reward: 1.5,
      reason: 'custom+correct',
      correct: true,
      formatted: true,
    });
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
    const scored = scoreSample(reward, sample('x'), 4);
    await expect(scored).rejects.toMatchObject({ code: 'ERR_ZERO_RL_DATA' });
    await expect(scored).rejects.toThrow(message);
    await expect(scored).rejects.toThrow('sample 4 of prompt "p1"');
  });
});
