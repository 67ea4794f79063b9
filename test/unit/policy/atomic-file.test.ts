/** Files on file systems and under loaders that cannot do all that a disk and Node can. */
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { syncFolder, syncPath, writeFileAtomically } from '../../../src/policy/atomic-file';

const folder = fs.mkdtempSync(join(tmpdir(), 'zero-rl-atomic-'));
const file = join(folder, 'file.txt');
afterEach(() => jest.restoreAllMocks());
afterAll(() => fs.rmSync(folder, { recursive: true }));

function refuseToFlush(code: string): void {
  const refuse = (_: number, done: (error: Error) => void): void =>
    done(Object.assign(new Error(`${code}: fsync`), { code, syscall: 'fsync' }));
  jest.spyOn(fs, 'fsync').mockImplementation(refuse);
}

test.each(['EINVAL', 'ENOTSUP'])(
  'a file system that answers fsync with %s is written to all the same',
  async (code) => {
    refuseToFlush(code);
    await writeFileAtomically(file, code);
    await syncFolder(file);
    await syncPath(folder);
    expect(fs.readFileSync(file, 'utf8')).toBe(code);
  },
);

test('a disk that fails to flush is an error, and the file is as it was', async () => {
  await writeFileAtomically(file, 'old');
  refuseToFlush('EIO');
  await expect(writeFileAtomically(file, 'new')).rejects.toMatchObject({ code: 'ERR_ZERO_RL_OUTPUT' });
  await expect(syncFolder(file)).rejects.toMatchObject({ code: 'ERR_ZERO_RL_OUTPUT' });
  expect(fs.readdirSync(folder)).toEqual(['file.txt']);
  expect(fs.readFileSync(file, 'utf8')).toBe('old');
});

test('file handles without sync and datasync, as those of a patched loader, do', async () => {
  const { open } = promises;
  const flushed = jest.spyOn(fs, 'fsync');
  jest.spyOn(promises, 'open').mockImplementation(async (...given) => {
    const handle = await open(...given);
    return Object.assign(handle, { sync: undefined, datasync: undefined });
  });
  await writeFileAtomically(file, 'whole');
  await syncFolder(file);
  expect(fs.readFileSync(file, 'utf8')).toBe('whole');
  expect(flushed).toHaveBeenCalledTimes(2);
});
