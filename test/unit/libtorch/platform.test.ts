import { checkPlatform, platformRefusal, versionAtLeast } from '../../../src/libtorch/platform';

const working = { platform: 'linux', arch: 'x64', glibc: '2.28', node: '20.19.0' };

test('versions are compared part by part as numbers', () => {
  expect(versionAtLeast('2.36', '2.28')).toBe(true);
  expect(versionAtLeast('2.9', '2.28')).toBe(false);
  expect(versionAtLeast('20.19.0', '20.19')).toBe(true);
  expect(versionAtLeast('3', '2.28')).toBe(true);
  expect(versionAtLeast('2', '2.28')).toBe(false);
});

test('the lowest supported platform passes', () => {
  expect(platformRefusal(working)).toBeUndefined();
});

test.each([
  [{ platform: 'darwin', arch: 'arm64' }, 'this is darwin-arm64'],
  [{ platform: 'win32' }, 'this is win32-x64'],
  [{ arch: 'arm64' }, 'this is linux-arm64'],
  [{ glibc: undefined }, 'this system has no glibc'],
  [{ glibc: '2.27' }, 'this system has glibc 2.27'],
  [{ node: '20.18.3' }, 'this is Node 20.18.3'],
])('%j is refused with a sentence that says what works', (difference, reason) => {
  expect(() => checkPlatform({ ...working, ...difference })).toThrow(
    expect.objectContaining({
      code: 'ERR_ZERO_RL_PLATFORM',
      message: expect.stringMatching(new RegExp(`^zero-rl runs on Linux on x64 with glibc 2.28 .* but ${reason}\\.$`)),
    }),
  );
});
