/** `zero-rl doctor` and the behaviour that all commands share. */
import { pin } from '../../src/libtorch/pin';
import { repository, runChild, type Ended } from '../support/child';
import { wheelFiles, writeFiles } from '../support/torch-folder';

const zeroRl = (args: string[], env: Record<string, string> = {}): Promise<Ended> =>
  runChild([`${repository}/dist/cli/main.js`, ...args], { env });

test('doctor says that all is well where it is', async () => {
  const ended = await zeroRl(['doctor']);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toMatch(/^libtorch .*: chosen$/m);
  expect(ended.stdout).toMatch(/^memory +\d+ MiB for this process, \d+ MiB of them free$/m);
  expect(ended.stdout).toMatch(/\nAll is well\.\n$/);
});

test('doctor --json prints one object', async () => {
  const { code, stdout } = await zeroRl(['doctor', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: true,
    platform: { platform: 'linux', arch: 'x64', node: process.versions.node, refusal: null },
    torch: { pinned: pin.torch, loaded: pin.torch.split('.').slice(0, 2).join('.') },
    addon: { path: expect.stringMatching(/zero_rl\.node$/), error: null },
    libraries: expect.arrayContaining([expect.stringMatching(/libtorch_cpu\.so$/)]),
    advice: [],
  });
});

test('doctor says why a libtorch is refused, what to do, and exits with 1', async () => {
  const directory = writeFiles(wheelFiles('2.10.0'));
  const text = await zeroRl(['doctor'], { ZERO_RL_LIBTORCH: directory });
  expect(text.code).toBe(1);
  expect(text.stdout).toContain(`refused: it is version 2.10.0 and ${pin.torch} is needed`);
  expect(text.stdout).toMatch(/run `npx zero-rl libtorch install`\.\n$/);

  const json = await zeroRl(['doctor', '--json'], { ZERO_RL_LIBTORCH: directory });
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({
    ok: false,
    addon: { error: { code: 'ERR_ZERO_RL_LIBTORCH_VERSION' } },
    libtorch: { chosen: null, candidates: [{ source: 'ZERO_RL_LIBTORCH', version: '2.10.0' }] },
    environment: { ZERO_RL_LIBTORCH: directory },
  });
});

describe('exit codes', () => {
  test.each([
    ['--help', 0],
    ['--version', 0],
    ['help doctor', 0],
    ['doctor --help', 0],
    ['', 2],
    ['dcotor', 2],
    ['doctor --jsn', 2],
    ['libtorch', 2],
  ])('`zero-rl %s` exits with %i', async (line, code) => {
    const ended = await zeroRl(line === '' ? [] : line.split(' '));
    expect(ended.code).toBe(code);
    expect(ended[code === 0 ? 'stdout' : 'stderr']).not.toBe('');
    expect(ended[code === 0 ? 'stderr' : 'stdout']).toBe('');
  });

  test('a failure is one sentence, with the stack only in debug logs', async () => {
    const env = { ZERO_RL_CACHE: '/dev/null/cache' };
    const plain = await zeroRl(['libtorch', 'install', '--archive', 'http://127.0.0.1:9/x.zip'], env);
    expect(plain).toMatchObject({ code: 1, stdout: '' });
    expect(plain.stderr).toMatch(
      /^zero-rl: libtorch could not be written to \/dev\/null\/cache.*set ZERO_RL_CACHE.*\.\n$/,
    );
    const debug = await zeroRl(['libtorch', 'install', '--archive', 'http://127.0.0.1:9/x.zip'], {
      ...env,
      ZERO_RL_LOG: 'debug',
    });
    expect(debug.stderr).toMatch(/\n\s+at /);
  });
});
