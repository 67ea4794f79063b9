import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { cacheDirectory, installationDirectory } from '../../../src/libtorch/cache';
import { candidates, inspect, readTorchVersion } from '../../../src/libtorch/candidates';
import { pin } from '../../../src/libtorch/pin';
import { chooseCandidate, resolveLibtorch } from '../../../src/libtorch/resolve';
import { wheelFiles, writeFiles } from '../../support/torch-folder';

/** An environment without Python and with an empty cache. */
function emptyEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/nonexistent', ZERO_RL_CACHE: writeFiles({}) };
}

/** Puts an installation into the cache of the environment and returns its torch folder. */
function fillCache(environment: NodeJS.ProcessEnv, version: string): string {
  const installation = installationDirectory('cpu', environment);
  mkdirSync(installation, { recursive: true });
  writeFiles({ 'manifest.json': JSON.stringify({ root: 'torch', headers: true, files: {} }) }, installation);
  return writeFiles(wheelFiles(version), path.join(installation, 'torch'));
}

/** A Python environment whose interpreter says that torch lies in `directory`. */
function fakePython(directory: string): string {
  const prefix = writeFiles({ 'bin/python': `#!/bin/sh\necho '${directory}'\n` });
  chmodSync(path.join(prefix, 'bin/python'), 0o755);
  return prefix;
}

describe('the version of a torch folder', () => {
  test.each([
    ['the version.py of a wheel', { 'version.py': "__version__ = '2.11.0+cu130'\ncuda = '13.0'\n" }, '2.11.0+cu130'],
    ['the build-version of an archive', { 'build-version': '2.11.0+cpu\n' }, '2.11.0+cpu'],
    [
      'the headers',
      { 'include/torch/headeronly/version.h': '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION \\\n  "2.11.0"\n' },
      '2.11.0',
    ],
    ['nothing', {}, undefined],
  ])('is read from %s', (_, files: Record<string, string>, version) => {
    expect(readTorchVersion(writeFiles(files))).toBe(version);
  });
});

describe('a torch folder', () => {
  test.each([pin.torch, `${pin.torch}+cpu`, `${pin.torch}+cu130`])('of version %s is usable', (version) => {
    expect(inspect('system', writeFiles(wheelFiles(version)))).toMatchObject({ refusal: undefined, headers: true });
  });

  test.each(['2.10.0', '2.12.0+cpu', `${pin.torch}1`, `${pin.torch}.dev20260101`])(
    'of version %s is refused',
    (version) => {
      expect(inspect('system', writeFiles(wheelFiles(version))).refusal).toBe(
        `it is version ${version} and ${pin.torch} is needed`,
      );
    },
  );

  test('without the library or without a version is refused', () => {
    expect(inspect('system', writeFiles({})).refusal).toBe('it has no lib/libtorch_cpu.so');
    expect(inspect('system', writeFiles({ 'lib/libtorch_cpu.so': '' })).refusal).toBe('its version cannot be told');
  });
});

describe('resolution', () => {
  test('prefers ZERO_RL_LIBTORCH, then the cache, then Python', () => {
    const environment = emptyEnvironment();
    const inPython = writeFiles(wheelFiles(pin.torch));
    environment.VIRTUAL_ENV = fakePython(inPython);
    expect(resolveLibtorch(environment)).toMatchObject({ source: 'python', directory: inPython });

    const inCache = fillCache(environment, pin.torch);
    expect(resolveLibtorch(environment)).toMatchObject({ source: 'cache', directory: inCache });

    environment.ZERO_RL_LIBTORCH = writeFiles(wheelFiles(pin.torch));
    expect(resolveLibtorch(environment)).toMatchObject({
      source: 'ZERO_RL_LIBTORCH',
      directory: environment.ZERO_RL_LIBTORCH,
    });
  });

  test('skips a torch of another version', () => {
    const environment = emptyEnvironment();
    fillCache(environment, '2.10.0');
    const inPython = writeFiles(wheelFiles(`${pin.torch}+cu130`));
    environment.CONDA_PREFIX = fakePython(inPython);
    expect(resolveLibtorch(environment).directory).toBe(inPython);
    expect([...candidates(environment)].map(({ source }) => source).slice(0, 2)).toEqual(['cache', 'python']);
  });

  test('prefers one with a CUDA part where a device is present', () => {
    const environment = emptyEnvironment();
    const plain = fillCache(environment, pin.torch);
    const withCuda = writeFiles({ ...wheelFiles(pin.torch), 'lib/libtorch_cuda.so': 'not a library' });
    const choose = (preferCuda: boolean) =>
      chooseCandidate(candidates(environment), environment, preferCuda)?.directory;
    expect(choose(true)).toBe(plain);
    environment.VIRTUAL_ENV = fakePython(withCuda);
    expect(choose(true)).toBe(withCuda);
    expect(choose(false)).toBe(plain);
  });

  test('a bad ZERO_RL_LIBTORCH is an error, also with a good cache', () => {
    const environment = emptyEnvironment();
    fillCache(environment, pin.torch);
    environment.ZERO_RL_LIBTORCH = '/nonexistent/torch';
    expect(() => resolveLibtorch(environment)).toThrow(
      expect.objectContaining({
        code: 'ERR_ZERO_RL_LIBTORCH_NOT_FOUND',
        message: expect.stringMatching(
          /^ZERO_RL_LIBTORCH names \/nonexistent\/torch, but it has no lib\/libtorch_cpu\.so; .*libtorch install`\.$/,
        ),
      }),
    );
    environment.ZERO_RL_LIBTORCH = writeFiles(wheelFiles('2.10.0'));
    expect(() => resolveLibtorch(environment)).toThrow(
      expect.objectContaining({ code: 'ERR_ZERO_RL_LIBTORCH_VERSION', message: expect.stringContaining('2.10.0') }),
    );
  });

  test('says what was tried and the command that helps', () => {
    const environment = emptyEnvironment();
    expect(() => resolveLibtorch(environment)).toThrow(
      expect.objectContaining({
        code: 'ERR_ZERO_RL_LIBTORCH_NOT_FOUND',
        message: expect.stringMatching(
          new RegExp(`having tried .*${cacheDirectory(environment)}.*\`npx zero-rl libtorch install\``),
        ),
      }),
    );
    const inCache = fillCache(environment, '2.10.0');
    expect(() => resolveLibtorch(environment)).toThrow(
      expect.objectContaining({
        code: 'ERR_ZERO_RL_LIBTORCH_VERSION',
        message: expect.stringContaining(`${inCache} (cache: it is version 2.10.0 and ${pin.torch} is needed)`),
      }),
    );
  });
});

test('the cache is $ZERO_RL_CACHE, else below $XDG_CACHE_HOME, else below the home folder', () => {
  expect(cacheDirectory({ ZERO_RL_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
  expect(cacheDirectory({ XDG_CACHE_HOME: '/b' })).toBe('/b/zero-rl');
  expect(cacheDirectory({})).toMatch(/\/\.cache\/zero-rl$/);
});
