/** Modules are loaded where a test runner's context has no import() too. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadModule } from '../../src/load-module';

const failing = (code: string) => () => Promise.reject(Object.assign(new Error('no import'), { code }));

test.each(['ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING_FLAG', 'ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING', 'ERR_INVALID_URL'])(
  'a package and a file where import() fails with %s',
  async (code) => {
    expect(await loadModule<object>('hyparquet', failing(code))).toHaveProperty('parquetReadObjects');
    const folder = mkdtempSync(join(tmpdir(), 'zero-rl-test-'));
    try {
      const file = join(folder, 'code.mjs');
      writeFileSync(file, 'export const answer = await Promise.resolve(42);\n');
      expect(await loadModule<object>(pathToFileURL(file).href, failing(code))).toHaveProperty('answer', 42);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test('another failure is the module’s own', async () => {
  await expect(loadModule('hyparquet', failing('ERR_MODULE_NOT_FOUND'))).rejects.toThrow('no import');
});

test('the library has no import() of its own but in loadModule', () => {
  const root = join(__dirname, '../../src');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    // The command line runs in no test runner's context, the page in browsers.
    (name) => /\.tsx?$/.test(name) && !/^(cli|observe\/dashboard\/page)\//.test(name),
  );
  const found = files.flatMap((name) =>
    readFileSync(join(root, name), 'utf8')
      .split('\n')
      .filter(
        (line) =>
          /\bimport\(/.test(line) && !/^\s*(\*|\/)|\(\)(: Promise<unknown>)? => import\(|'\(specifier\) =>/.test(line),
      )
      .map((line) => `${name}: ${line.trim()}`),
  );
  expect(files.length).toBeGreaterThan(150);
  expect(found).toEqual([]);
});
