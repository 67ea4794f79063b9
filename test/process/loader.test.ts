/** What the loader accepts and refuses, each in a process of its own. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { pin } from '../../src/libtorch/pin';
import { resolveLibtorch } from '../../src/libtorch/resolve';
import { childProgram, runChild, type ChildOptions } from '../support/child';
import { wheelFiles, writeFiles } from '../support/torch-folder';

/** What refused.cjs says. */
async function tryToLoad(args: string[] = [], options: ChildOptions = {}): Promise<unknown> {
  const { stdout, stderr, code } = await runChild([...args, childProgram('refused.cjs')], options);
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  return JSON.parse(stdout);
}

test('the package is imported without libtorch, by require and by import', async () => {
  const mapped = `console.log(process.report.getReport().sharedObjects.filter((file) => /torch|zero_rl/.test(file)).length)`;
  const env = { ZERO_RL_LIBTORCH: '/nonexistent' };
  const required = await runChild(
    ['-e', `const { Policy } = require('zero-rl'); console.log(typeof Policy.load); ${mapped}`],
    { env },
  );
  expect(required).toMatchObject({ code: 0, stdout: 'function\n0\n', stderr: '' });
  const program = `import { Policy, ZeroRlError } from 'zero-rl'; console.log(typeof Policy.load, typeof ZeroRlError); ${mapped}`;
  const imported = await runChild(['--input-type=module', '-e', program], { env });
  expect(imported).toMatchObject({ code: 0, stdout: 'function function\n0\n', stderr: '' });
});

test('the chosen libtorch loads', async () => {
  expect(await tryToLoad()).toEqual({ loaded: true });
});

test('a folder that ZERO_RL_LIBTORCH names wrongly is refused', async () => {
  const error = await tryToLoad([], { env: { ZERO_RL_LIBTORCH: '/nonexistent' } });
  expect(error).toMatchObject({ name: 'ZeroRlError', code: 'ERR_ZERO_RL_LIBTORCH_NOT_FOUND' });
});

test('a libtorch of another version is refused by what its folder says', async () => {
  const error = await tryToLoad([], { env: { ZERO_RL_LIBTORCH: writeFiles(wheelFiles('2.10.0')) } });
  expect(error).toMatchObject({
    code: 'ERR_ZERO_RL_LIBTORCH_VERSION',
    message: expect.stringContaining(`it is version 2.10.0 and ${pin.torch} is needed`),
  });
});

test('a libtorch of another version is refused by the addon, whatever its folder says', async () => {
  // Preloaded, so that the addon finds this function before the one of libtorch: 3.7.
  const folder = writeFiles({
    'version.c': 'unsigned long aoti_torch_abi_version(void) { return 3ul << 56 | 7ul << 48; }\n',
  });
  const library = path.join(folder, 'version.so');
  const compiled = spawnSync('cc', ['-shared', '-fPIC', '-o', library, path.join(folder, 'version.c')], {
    encoding: 'utf8',
  });
  expect(compiled.stderr).toBe('');
  const error = await tryToLoad([], { env: { LD_PRELOAD: library } });
  expect(error).toMatchObject({
    name: 'ZeroRlError',
    code: 'ERR_ZERO_RL_LIBTORCH_VERSION',
    message: expect.stringMatching(
      /built for libtorch 2\.11 but libtorch 3\.7 is loaded; run `npx zero-rl libtorch install`/,
    ),
  });
});

test('a library that cannot be loaded is refused with what the linker says', async () => {
  const directory = writeFiles(wheelFiles(pin.torch));
  expect(await tryToLoad([], { env: { ZERO_RL_LIBTORCH: directory } })).toMatchObject({
    code: 'ERR_ZERO_RL_LIBTORCH_NOT_FOUND',
    message: expect.stringMatching(/could not be loaded \(.*libc10\.so.*\); run `npx zero-rl libtorch install`/),
  });
});

test('a Node that may not load addons is told so', async () => {
  expect(await tryToLoad(['--no-addons'])).toMatchObject({
    code: 'ERR_ZERO_RL_NATIVE',
    message: expect.stringContaining('run it without --no-addons'),
  });
});

test('the addon needs no search path: libtorch comes from the folder that was resolved', async () => {
  const program = `
    require('${childProgram('policy.cjs')}').createPolicy().then(() =>
      console.log(process.report.getReport().sharedObjects.filter((file) => /libtorch_cpu|libc10|libgomp/.test(file)).join('\\n')))`;
  const { stdout } = await runChild(['-e', program], { env: { LD_LIBRARY_PATH: undefined } });
  const folder = path.join(resolveLibtorch().directory, 'lib');
  const mapped = stdout.trim().split('\n');
  expect(mapped).toHaveLength(3);
  for (const file of mapped) expect(file.startsWith(folder)).toBe(true);
});

test('libtorch is mapped beside the event loop before a policy needs it', async () => {
  const program = `
    const mapped = () => process.report.getReport().sharedObjects.some((file) => file.endsWith('libtorch_cpu.so'));
    const { dlopen } = process;
    const seen = [];
    process.dlopen = (module, file, ...flags) => {
      if (file.endsWith('libtorch_cpu.so')) seen.push(mapped());
      return dlopen.call(process, module, file, ...flags);
    };
    const before = mapped();
    require('${childProgram('policy.cjs')}').createPolicy().then(() => console.log(JSON.stringify({ before, seen })))`;
  const { stdout, stderr } = await runChild(['-e', program]);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({ before: false, seen: [true] });
});
