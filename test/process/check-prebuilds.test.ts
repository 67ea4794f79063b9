/** What `scripts/check-prebuilds.mjs` finds in binaries that must not be shipped. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { pin } from '../../src/libtorch/pin';
import { repository, runChild, type Ended } from '../support/child';
import { writeFiles } from '../support/torch-folder';

const SOURCES = {
  'newer.c': 'int newer(void) { return 1; }\n',
  'newer.map': 'GLIBC_9.9 { global: newer; };\n',
  'addon.c': 'int newer(void);\nint addon(void) { return newer(); }\n',
  'plain.c': 'int plain(void) { return 1; }\n',
};

function compile(folder: string, ...args: string[]): void {
  const { status, stderr } = spawnSync('cc', ['-shared', '-fPIC', ...args], { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

const check = (folder: string): Promise<Ended> =>
  runChild([path.join(repository, 'scripts/check-prebuilds.mjs'), path.join(folder, 'prebuilds')]);

test('a stripped addon that needs the system only is fine', async () => {
  const folder = writeFiles({ ...SOURCES, 'prebuilds/x/note': '' });
  compile(folder, '-s', '-o', 'prebuilds/x/plain.node', 'plain.c');
  expect(await check(folder)).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/^x\/plain\.node: /),
  });
});

test('a newer system, other libraries, search paths and symbol tables are named', async () => {
  const folder = writeFiles({ ...SOURCES, 'prebuilds/x/note': '' });
  compile(folder, '-Wl,--version-script=newer.map', '-Wl,-soname,libnewer.so', '-o', 'libnewer.so', 'newer.c');
  compile(folder, '-Wl,-rpath,/builder', '-o', 'prebuilds/x/addon.node', 'addon.c', 'libnewer.so');
  const { code, stderr } = await check(folder);
  expect(code).toBe(1);
  expect(stderr).toContain(`x/addon.node needs newer of GLIBC 9.9, and the floor is ${pin.glibc}; `);
  expect(stderr).toContain('x/addon.node needs the library libnewer.so.');
  expect(stderr).toContain('x/addon.node has the search path /builder.');
  expect(stderr).toContain('x/addon.node is not stripped.');
});

test('no addon at all is a fault', async () => {
  const { code, stderr } = await check(writeFiles({}));
  expect(code).toBe(1);
  expect(stderr).toMatch(/holds no addon; run `npm run prebuilds`\.\n$/);
});
