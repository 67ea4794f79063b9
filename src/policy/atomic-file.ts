/**
 * Files that appear whole or not at all: written beside their place under a temporary name, flushed to the disk, then
 * renamed. A failed write removes the temporary file and leaves an older file of that name as it was.
 */
import { existsSync, fsync, readdirSync, rmSync } from 'node:fs';
import { copyFile, mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { ZeroRlError } from '../errors';
import { errorCode } from './checkpoint-file';

/** Longest single write; Linux writes at most 2 GiB at once. */
const MAX_WRITE = 2 ** 30;

/** Appends bytes to the temporary file; failures become ERR_ZERO_RL_OUTPUT. */
export type AppendBytes = (bytes: Uint8Array) => Promise<void>;

/** The temporary name of a file; the process id keeps two writers apart. */
export function temporaryName(file: string): string {
  return `${file}.tmp-${process.pid}`;
}

/** Removes from `directory`, if there, the temporary files of writers that were killed. Nobody may be writing into it. */
export function removeTemporary(directory: string): void {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    if (/\.tmp-\d+$/.test(name)) rmSync(join(directory, name), { recursive: true, force: true });
  }
}

/** Writes `<file>.tmp-<pid>` through `produce` and flushes it; the caller renames. Errors of `produce` itself pass through. */
export async function writeTemporary(file: string, produce: (append: AppendBytes) => Promise<void>): Promise<void> {
  const temporary = temporaryName(file);
  let handle: FileHandle | undefined;
  try {
    handle = await output(file, () => open(temporary, 'w'));
    const opened = handle;
    await produce((bytes) => output(file, () => append(opened, bytes)));
    await output(file, () => flushHandle(opened));
    await output(file, () => opened.close());
    handle = undefined;
  } catch (error) {
    await handle?.close().catch(() => undefined);
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Puts the temporary file in place. */
export async function commitTemporary(file: string): Promise<void> {
  await output(file, () => rename(temporaryName(file), file));
}

/** Writes a whole small file atomically. */
export async function writeFileAtomically(file: string, content: string | Uint8Array): Promise<void> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  await writeTemporary(file, (append) => append(bytes));
  await commitTemporary(file);
}

/** Copies a file atomically. */
export async function copyFileAtomically(from: string, to: string): Promise<void> {
  try {
    await output(to, () => copyFile(from, temporaryName(to)));
    await output(to, () => flush(temporaryName(to)));
    await commitTemporary(to);
  } catch (error) {
    await rm(temporaryName(to), { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Makes a folder and its parents. */
export async function makeFolder(directory: string): Promise<void> {
  await output(directory, () => mkdir(directory, { recursive: true }));
}

/** File systems that cannot flush say so by these, most often for folders; what cannot be flushed is no reason to lose a save. */
const CANNOT_FLUSH = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** By the descriptor: the file handles of Yarn Plug'n'Play have no `sync`. */
async function flushHandle({ fd }: FileHandle): Promise<void> {
  try {
    await promisify(fsync)(fd);
  } catch (error) {
    if (!CANNOT_FLUSH.has(errorCode(error))) throw error;
  }
}

/** Flushes what is in a file or the names in a folder. */
async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await flushHandle(handle);
  } finally {
    await handle.close();
  }
}

/** Flushes a file or folder to the disk where it is there. @throws ZeroRlError `ERR_ZERO_RL_OUTPUT` */
export async function syncPath(path: string): Promise<void> {
  if (existsSync(path)) await output(path, () => flush(path));
}

/** Flushes the names in the folder of `file`, so that renames survive a crash. */
export async function syncFolder(file: string): Promise<void> {
  await output(file, () => flush(dirname(file)));
}

/** Runs one file operation; a failure is ERR_ZERO_RL_OUTPUT with a hint and the system's error as cause. */
export async function output<T>(file: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    const code = errorCode(error);
    throw new ZeroRlError(
      'ERR_ZERO_RL_OUTPUT',
      `Cannot write ${file} (${code}); ${HINTS[code] ?? 'choose another output folder'}.`,
      {
        cause: error,
      },
    );
  }
}

const HINTS: Partial<Record<string, string>> = {
  ENOSPC: 'no space is left on the device, free some or choose another output folder',
  EDQUOT: 'the disk quota is used up, free some space or choose another output folder',
  EACCES: 'make the folder writable or choose another one',
  EPERM: 'make the folder writable or choose another one',
  EROFS: 'the file system is read-only, choose another output folder',
  ENOTDIR: 'a file is in the place of a folder, choose another output folder',
  EEXIST: 'a file is in the place of a folder, choose another output folder',
};

async function append(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    const length = Math.min(bytes.byteLength - written, MAX_WRITE);
    written += (await handle.write(bytes, written, length)).bytesWritten;
  }
}
