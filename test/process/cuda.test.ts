/** Reasons for which CUDA cannot be used, and what the loader maps for it; a driver and libraries of no content stand in. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { cudaLibraryPath } from '../../binding/index.js';
import { nvidiaPresent } from '../../src/libtorch/nvidia';
import { pin } from '../../src/libtorch/pin';
import { repository, runChild } from '../support/child';
import { runCli } from '../support/run-cli';
import { wheelFiles, writeFiles } from '../support/torch-folder';

/** Compiles shared libraries that hold nothing. */
function emptyLibraries(folder: string, ...names: string[]): string {
  for (const name of names) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    const args = ['-shared', '-fPIC', '-x', 'c', '/dev/null', `-Wl,-soname,${path.basename(name)}`, '-o', name];
    const { status, stderr } = spawnSync('cc', args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  }
  return folder;
}

const driver = { LD_LIBRARY_PATH: emptyLibraries(writeFiles({}), 'libcuda.so.1'), CUDA_VISIBLE_DEVICES: undefined };

/** Code and message of `Policy.load` on the device cuda. */
async function refusal(env: Record<string, string | undefined>): Promise<{ code: string; message: string }> {
  const program = `require('zero-rl').Policy.load('models/arithmetic-1m', { device: 'cuda' }).catch(({ code, message }) => console.log(JSON.stringify({ code, message })))`;
  const { stdout, stderr } = await runChild(['-e', program], { env });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as { code: string; message: string };
}

test('hidden devices', async () => {
  expect(await refusal({ ...driver, CUDA_VISIBLE_DEVICES: '-1' })).toEqual({
    code: 'ERR_ZERO_RL_CUDA_UNAVAILABLE',
    message: 'CUDA cannot be used because CUDA_VISIBLE_DEVICES=-1 hides every device; unset it.',
  });
});

const withoutDriver = nvidiaPresent() ? test.skip : test;

withoutDriver('no driver, also as one sentence of the command line', async () => {
  const reason = /^CUDA cannot be used because there is no NVIDIA driver \(libcuda\.so\.1: .*\); install one, .*\.$/;
  expect(await refusal({ CUDA_VISIBLE_DEVICES: undefined })).toEqual({
    code: 'ERR_ZERO_RL_CUDA_UNAVAILABLE',
    message: expect.stringMatching(reason),
  });
  const folder = writeFiles({ 'in.jsonl': '{"id":1,"prompt":"Q:"}\n' });
  const files = ['--input', path.join(folder, 'in.jsonl'), '--output', path.join(folder, 'out.jsonl')];
  const ended = await runCli(['sample', '--model', 'models/arithmetic-1m', '--device', 'cuda', ...files]);
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^zero-rl: CUDA cannot be used because there is no NVIDIA driver [^\n]*\n$/);
});

test('a libtorch without a CUDA part', async () => {
  const directory = writeFiles(wheelFiles(pin.torch));
  expect((await refusal({ ...driver, ZERO_RL_LIBTORCH: directory })).message).toBe(
    `CUDA cannot be used because libtorch in ${directory} has no CUDA part; run \`npx zero-rl libtorch install --cuda\`.`,
  );
});

test('no kernels beside the addon, or a library that cannot be loaded', async () => {
  const directory = writeFiles({ ...wheelFiles(pin.torch), 'lib/libtorch_cuda.so': 'not a library' });
  expect((await refusal({ ...driver, ZERO_RL_LIBTORCH: directory })).message).toMatch(
    cudaLibraryPath() === undefined
      ? /because libzero_rl_cuda\.so, which holds the kernels, is missing beside the addon; /
      : /because a library could not be loaded \(.*libc10\.so.*\); run `npx zero-rl libtorch install --cuda --force`/,
  );
});

test('the driver, libtorch, its CUDA part and the kernels are mapped, in this order', async () => {
  const root = emptyLibraries(
    writeFiles({ 'package.json': '{ "name": "zero-rl" }' }),
    'prebuilds/linux-x64/zero-rl.napi.node',
    'prebuilds/linux-x64/libzero_rl_cuda.so',
    ...['c10', 'torch_cpu', 'torch_cuda'].map((name) => `torch/lib/lib${name}.so`),
    ...['cu13/lib/libcudart.so.13', 'cu13/lib/libcublas.so.13', 'cu13/lib/libcublasLt.so.13'].map(
      (name) => `nvidia/${name}`,
    ),
  );
  cpSync(path.join(repository, 'binding/index.js'), path.join(root, 'binding/index.js'));
  symlinkSync(path.join(repository, 'node_modules'), path.join(root, 'node_modules'));
  const program = `
    require('./binding/index.js').mapCuda('torch');
    console.log(process.report.getReport().sharedObjects.map((file) => file.split('/').pop()).join('\\n'));
  `;
  const { stdout, stderr } = await runChild(['-e', program], { cwd: root, env: driver });
  expect(stderr).toBe('');
  const ours = /^lib(cuda|c10|torch_|cu|zero_rl)/;
  expect(stdout.split('\n').filter((name) => ours.test(name))).toEqual([
    'libcuda.so.1',
    'libc10.so',
    'libtorch_cpu.so',
    'libcudart.so.13',
    'libcublasLt.so.13',
    'libcublas.so.13',
    'libtorch_cuda.so',
    'libzero_rl_cuda.so',
  ]);
  expect(readdirSync(path.join(root, 'prebuilds/linux-x64'))).toHaveLength(2);
});

withoutDriver('doctor says that there is no device', async () => {
  const { stdout, code } = await runCli(['doctor', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    cuda: {
      present: false,
      driver: null,
      devices: [],
      usable: 0,
      refusal: expect.stringContaining('no NVIDIA driver'),
    },
    advice: [],
  });
});
