/**
 * However a process ends, the engine lets it: no crash, no hang, the exit code that was asked for. It has ended before the
 * libraries that it needs do.
 */
import { childProgram, runChild } from '../support/child';

const program = childProgram('exit.cjs');

describe.each(['idle', 'disposed', 'busy'])('a process whose engine is %s', (state) => {
  if (state !== 'busy') {
    test('ends by itself with code 0', async () => {
      expect(await runChild([program, 'normal', state])).toEqual({
        code: 0,
        signal: null,
        stdout: 'ready\nthe engine has ended\n',
        stderr: '',
      });
    });
  }

  test('ends by process.exit with its code', async () => {
    expect(await runChild([program, 'exit', state])).toEqual({
      code: 7,
      signal: null,
      stdout: 'ready\nthe engine has ended\n',
      stderr: '',
    });
  });

  test('ends by an uncaught error with code 1', async () => {
    const ended = await runChild([program, 'throw', state]);
    expect(ended).toMatchObject({ code: 1, signal: null, stdout: 'ready\nthe engine has ended\n' });
    expect(ended.stderr).toContain('thrown on purpose');
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('ends by %s', async (signal) => {
    const ended = await runChild([program, 'wait', state], { onOutput: (_, kill) => kill(signal) });
    expect(ended).toEqual({ code: null, signal, stdout: 'ready\n', stderr: '' });
  });
});
