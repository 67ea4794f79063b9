import { scoreSamples, type RewardFunction, type RewardSample } from '../../../src/rewards';
import { limitReward } from '../../../src/rewards/time-limit';
import { lengthReward } from '../../../src/rewards';

const samples = Array.from({ length: 4 }, (_, index): RewardSample => ({
  problem: { id: 'p', problem: 'Q', answer: '1' },
  prompt: 'Q',
  completion: String(index),
  answer: '1',
  tokens: new Int32Array(3),
  finishReason: 'stop',
  index,
}));
const never = new Promise<number>(() => undefined);

async function score(
  reward: RewardFunction,
  timeoutSeconds = 0.05,
): Promise<{ results: unknown[]; warnings: string[] }> {
  const warnings: string[] = [];
  const scores = await scoreSamples(
    limitReward(reward, { timeoutSeconds, warn: (message) => warnings.push(message) }),
    samples,
  );
  return { results: scores.map(({ reward: value, reason }) => [value, reason]), warnings };
}

describe('a reward given as a function', () => {
  test('that waits for ever on some samples loses those', async () => {
    expect(await score(({ index }) => (index! % 2 ? never : index!))).toEqual({
      results: [
        [0, 'custom'],
        [null, 'timeout'],
        [2, 'custom'],
        [null, 'timeout'],
      ],
      warnings: ['The reward did not end within 0.05 s on sample 1 of prompt "p" and 1 more, which are left out'],
    });
  });

  test('that waits for ever on a batch loses the batch', async () => {
    const reward = Object.assign(() => 1, { scoreAll: () => never as unknown as Promise<number[]> });
    expect((await score(reward)).results).toEqual(samples.map(() => [null, 'timeout']));
  });

  test('that ends in time is as without a limit', async () => {
    const soon = ({ index }: RewardSample): Promise<number> =>
      new Promise((resolve) => setImmediate(() => resolve(index!)));
    expect(await score(soon, 30)).toEqual({ results: [0, 1, 2, 3].map((value) => [value, 'custom']), warnings: [] });
    expect(
      (
        await score(
          Object.assign(() => 0, { scoreAll: () => Promise.resolve([4, null, 2, 1]) }),
          30,
        )
      ).results[1],
    ).toEqual([null, 'unscored']);
  });

  test('that throws is an error which names the sample', async () => {
    const throws: RewardFunction = ({ index }) => {
      if (index === 2) throw new Error('no such unit');
      return 1;
    };
    await expect(score(throws)).rejects.toMatchObject({
      code: 'ERR_ZERO_RL_DATA',
      message: 'The reward threw on sample 2 of prompt "p": no such unit',
    });
    expect(() => limitReward(throws, { timeoutSeconds: -1, warn: () => undefined })).toThrow(RangeError);
  });
});

describe('length', () => {
  const reward = lengthReward({ maxTokens: 100, buffer: 20, penalty: -2 });
  const ofLength = (length: number, finishReason: 'stop' | 'length' = 'stop') =>
    reward({ ...samples[0], tokens: new Int32Array(length), finishReason });

  test.each([
    [1, 0, 'right-length'],
    [80, 0, 'right-length'],
    [85, -0.5, 'long'],
    [99, -1.9, 'long'],
    [100, -2, 'too-long'],
    [300, -2, 'too-long'],
  ])('%d tokens: %d', (length, value, reason) => {
    expect(ofLength(length)).toEqual({ reward: value, reason });
  });

  test('a response that was cut off has the full penalty', () => {
    expect(ofLength(3, 'length')).toEqual({ reward: -2, reason: 'too-long' });
  });

  test('a buffer longer than the limit is refused', () => {
    expect(() => lengthReward({ maxTokens: 10, buffer: 11 })).toThrow(RangeError);
  });
});

test('a stop and a failure end the waiting, and no warning comes after them', async () => {
  jest.useFakeTimers();
  try {
    const warn = jest.fn();
    const controller = new AbortController();
    const limited = limitReward(() => never, { timeoutSeconds: 30, warn });
    const scores = limited.scoreAll!(samples, controller.signal);
    controller.abort(new Error('enough'));
    await expect(scores).rejects.toThrow('enough');
    expect(jest.getTimerCount()).toBe(0);
    const broken = Object.assign(() => 1, {
      scoreAll: () => {
        throw new Error('broken');
      },
    });
    await expect(limitReward(broken, { timeoutSeconds: 30, warn }).scoreAll!(samples)).rejects.toThrow('broken');
    expect(jest.getTimerCount()).toBe(0);
    expect(warn).not.toHaveBeenCalled();
  } finally {
    jest.useRealTimers();
  }
});
