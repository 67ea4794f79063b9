/** A reward named in a config runs on a thread: what it returns and throws comes through, and a hang costs its sample. */
import { childProgram, runChild } from '../support/child';

/** The child ends by itself, so no thread keeps it alive. */
async function scenario(name: string): Promise<{ result: unknown; warnings: string[] }> {
  const { code, stdout, stderr } = await runChild([childProgram('user-reward.cjs'), name]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as { result: unknown; warnings: string[] };
}
const timeout = [null, 'timeout'];

test('the reward sees the whole sample, and its scores come back in order', async () => {
  expect(await scenario('values')).toEqual({
    result: [
      [1, 'custom'],
      [null, 'unscored'],
      [0.25, 'mine'],
      [3, 'Q,m,2,stop,3'],
      [0, 'custom'],
    ],
    warnings: [],
  });
});

test('answer, parts and metrics come through as well', async () => {
  const parts = [{ name: 'a', reward: 2, weight: 0.5, reason: 'half' }];
  const score = { reason: 'custom', formatted: null, parts, metrics: { depth: 3, shown: 1 } };
  expect((await scenario('whole')).result).toEqual([
    { ...score, reward: 0, correct: false, answer: '0' },
    { ...score, reward: 1, correct: true, answer: '1' },
    { ...score, reward: 2, correct: false, answer: null },
  ]);
});

test('one with scoreAll gets its samples at once; where that hangs, one by one', async () => {
  const { result, warnings } = await scenario('together');
  const batch = (...reasons: string[]) => reasons.map((reason) => [reasons.length, reason]);
  expect(result).toEqual([
    batch('a', 'b', 'c'),
    expect.objectContaining({
      code: 'ERR_ZERO_RL_DATA',
      message: expect.stringMatching(/^The reward .*rewards\.mjs#together threw on a batch of 2 samples: no judge$/),
    }),
    expect.objectContaining({
      code: 'ERR_ZERO_RL_DATA',
      message: "The reward's scoreAll gave object results for 3 samples: return an array with one result each",
    }),
    [[1, 'a'], timeout, [1, 'b']],
    batch('a'),
  ]);
  expect(warnings).toEqual([
    expect.stringMatching(
      /scoreAll of the reward .* within 1 s on a batch of 3 samples.*one by one.*raise timeoutSeconds/,
    ),
    expect.stringContaining('on sample 1 of prompt "p", which is left out'),
  ]);
});

test('samples on which it loops for ever are left out, with a warning each', async () => {
  const { result, warnings } = await scenario('loops');
  expect(result).toEqual([[[1, 'custom'], timeout, [2, 'custom'], timeout, [3, 'custom']], [[1, 'custom']]]);
  expect(warnings).toEqual([
    expect.stringMatching(/rewards\.mjs#default did not end within 1 s on sample 1 of prompt "p", which is left out/),
    expect.stringContaining('on sample 3 of prompt "p"'),
  ]);
});

test('so are those that wait for ever, or loop after they have waited', async () => {
  const { result, warnings } = await scenario('waits');
  expect(result).toEqual([[1, 'custom'], timeout, [2, 'custom'], timeout, [3, 'custom']]);
  expect(warnings).toHaveLength(2);
});

test('one that always hangs is not tried on every sample', async () => {
  const { result, warnings } = await scenario('always');
  expect(result).toEqual(Array.from({ length: 50 }, () => timeout));
  expect(warnings).toHaveLength(4);
  expect(warnings[3]).toBe('It hung on 3 samples in a row; 47 more are left out without a try');
});

test('it can be part of a sum and keep state', async () => {
  const { result } = await scenario('parts');
  expect(result).toEqual([
    [
      [11, 'equal+custom'],
      [19.5, 'different+custom'],
      [29, 'wrong-format+custom'],
    ],
    [
      [41, 'equal+custom'],
      [49, 'wrong-format+custom'],
    ],
  ]);
});

test('what it throws, and what ends its thread, is one error that names the sample', async () => {
  const { result, warnings } = await scenario('failures');
  const failures = (result as { code: string; message: string }[]).filter((one) => !Array.isArray(one));
  expect(failures.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^The reward .*rewards\.mjs#default threw on sample 1 of prompt "p": no such unit$/),
    expect.stringMatching(
      /^The reward .*rewards\.mjs#default ended its thread on sample 1 of prompt "p": exit code 4$/,
    ),
    expect.stringMatching(/^The reward .*rewards\.mjs#default threw on sample 1 of prompt "p": .*could not be cloned/),
    'The reward of sample 1 of prompt "p" is undefined: return a finite number, or null to leave the sample out',
    expect.stringMatching(/^Sample 0 of prompt "p" cannot be sent to the thread .* set timeoutSeconds: null/),
  ]);
  expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(['ERR_ZERO_RL_DATA']));
  expect((result as unknown[]).filter((one) => Array.isArray(one))).toEqual(
    Array.from({ length: 4 }, () => [[1, 'custom']]),
  );
  expect(warnings).toEqual([]);
});

test('a module or an export that is not there is one error before anything runs', async () => {
  const { result } = await scenario('unusable');
  expect(result).toEqual([
    expect.objectContaining({ code: 'ERR_ZERO_RL_CONFIG', message: expect.stringContaining('is not a function') }),
    expect.objectContaining({ code: 'ERR_ZERO_RL_CONFIG', message: expect.stringContaining('exports no nothing') }),
    [[null, null]],
    expect.objectContaining({ code: 'ERR_ZERO_RL_CONFIG', message: expect.stringContaining('Cannot load the reward') }),
  ]);
});

test('an abort and the end of the run stop it at once', async () => {
  const { result } = await scenario('stopped');
  expect(result).toEqual([
    expect.objectContaining({ message: expect.stringContaining('timeout') }),
    expect.objectContaining({ code: 'ERR_ZERO_RL_ABORTED' }),
    expect.objectContaining({ message: expect.stringContaining('timeout') }),
  ]);
});

test('with timeoutSeconds: null it runs on the main thread', async () => {
  expect((await scenario('here')).result).toEqual([
    [
      [1, 'custom'],
      [2, 'custom'],
    ],
    false,
  ]);
});
