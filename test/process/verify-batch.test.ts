/** `verifyBatch` and its pool on real worker threads, also with workers that hang, end or cannot start. */
import { childProgram, runChild } from '../support/child';

async function scenario(name: string, env: Record<string, string> = {}): Promise<{ result: unknown; stderr: string }> {
  const { code, stdout, stderr } = await runChild([childProgram('verifier-pool.cjs'), name], { env });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return { result: JSON.parse(stdout), stderr };
}

test('the verdicts are those of verify, in order, for texts of any length', async () => {
  const { result, stderr } = await scenario('same');
  expect(result).toEqual({ any: [], boxed: [], count: 3053, timed: true });
  expect(stderr).toBe('');
});

test('a pool serves several batches at once, and again after its idle workers were ended', async () => {
  expect((await scenario('shared')).result).toEqual([true, true]);
});

test('a check that hangs costs its own case and nothing else', async () => {
  const { result, stderr } = await scenario('hang');
  const { verdicts, again } = result as { verdicts: [boolean | null, string][]; again: unknown };
  expect(verdicts).toHaveLength(40);
  verdicts.forEach(([correct, reason], i) => {
    const expected = i === 7 || i === 30 ? [null, 'timeout'] : i % 2 ? [true, 'equal'] : [false, 'different'];
    expect([correct, reason]).toEqual(expected);
  });
  expect(again).toEqual([[true, 'equal', null]]);
  expect(stderr.match(/did not end within 1 s and was cut off\. This is a bug/g)).toHaveLength(2);
  expect(stderr).toContain('gold "a", completion "hang"');
});

test('a check that ends its thread, fills the memory or throws costs its own case', async () => {
  const { result, stderr } = await scenario('broken', { NODE_OPTIONS: '--max-old-space-size=200' });
  expect(result).toEqual([
    [true, 'equal', null],
    [null, 'timeout', null],
    [null, 'timeout', null],
    [null, 'undecided', null],
    [false, 'different', null],
  ]);
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringContaining('ended its thread (it exited with code 3)'),
    expect.stringContaining('out of memory'),
    expect.stringContaining('failed (thrown)'),
  ]);
});

test('an abort rejects with its reason at once', async () => {
  expect((await scenario('aborted')).result).toEqual([
    expect.objectContaining({ message: 'enough' }),
    expect.objectContaining({ message: 'before' }),
  ]);
});

test('neither idle workers nor the worker of an aborted call keep the process alive', async () => {
  expect((await scenario('abandoned')).result).toMatchObject({ name: 'TimeoutError' });
});

test('dispose ends calls under way and refuses later ones', async () => {
  const refused = expect.objectContaining({ code: 'ERR_ZERO_RL_DISPOSED' });
  expect((await scenario('disposed')).result).toEqual([refused, refused]);
});

test('a worker that cannot start is one error', async () => {
  expect((await scenario('unstartable')).result).toMatchObject({
    code: 'ERR_ZERO_RL_NATIVE',
    message: expect.stringMatching(/^The worker of the verifier could not start: .*nonexistent\.js/) as string,
  });
});

test('arguments are checked', async () => {
  const { result } = await scenario('wrong');
  expect((result as { message: string }[]).map(({ message }) => message)).toEqual([
    'Expected array of { gold, completion } for cases but received "x" of type string',
    'Expected { gold, completion } for cases[1] but received null of type null',
    'Expected string for cases[0].completion but received 3 of type number',
    'Expected integer of at least 1 for workers but received 0 of type number',
    'Expected one of "any", "boxed" for statement but received "all" of type string',
    'Expected finite number of at least 1 for timeoutMs but received "soon" of type string',
  ]);
});

test('flags of the process that are not for files leave the workers alone', async () => {
  const program =
    "import { verifyBatch } from 'zero-rl'; console.log(await verifyBatch([{ gold: '1', completion: '#### 1' }]))";
  const ended = await runChild(['--input-type=module', '-e', program]);
  expect(ended).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining("reason: 'equal'") as string });
});
