/** Takes the needed files out of wheels and of PyTorch's archive; both are zip files. */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { ZeroRlError } from '../errors';
import type { Flavor } from './cache';

const CPU_LIBRARIES = /^lib(c10|torch_cpu|gomp[^/]*|cudart|cupti)\.so(\.[\d.]+)?$/;

/**
 * Whether a file of a wheel (torch/, nvidia/) or of the archive (libtorch/) is needed: the libraries of the flavor, the
 * version, the licences and, where asked for, the headers. Nothing of Python.
 */
export function isNeeded(file: string, flavor: Flavor, headers: boolean): boolean {
  if (/^(torch\/version\.py|libtorch\/build-version)$/.test(file)) return true;
  if (/^[^/]+\.dist-info\/(licenses\/.*)?LICENSE[^/]*$/i.test(file)) return true;
  if (/^(lib)?torch\/include\//.test(file)) return headers;
  const library = /^((lib)?torch|nvidia\/[^/]+)\/lib\/([^/]+\.so(\.[\d.]+)?)$/.exec(file)?.[3];
  if (library === undefined || library.startsWith('libtorch_python')) return false;
  return flavor === 'cuda' || CPU_LIBRARIES.test(library);
}

export interface Unpacked {
  /** Bytes by path. */
  files: Record<string, number>;
}

/**
 * Unpacks the needed files of one zip file below `target` and compares them with the checksums in it.
 * @param onBytes called with the bytes written since the last call
 */
export async function unpack(
  archive: string,
  target: string,
  options: { flavor: Flavor; headers: boolean; onBytes?: (bytes: number) => void },
): Promise<Unpacked> {
  const files: Record<string, number> = {};
  const folders = new Set<string>();
  await withZip(archive, async (zip) => {
    for await (const entry of zip.eachEntry()) {
      const file = entry.fileName;
      if (file.endsWith('/') || !isNeeded(file, options.flavor, options.headers)) continue;
      const destination = path.join(target, file);
      const folder = path.dirname(destination);
      if (!folders.has(folder)) await mkdir(folder, { recursive: true });
      folders.add(folder);
      const source = await readEntry(zip, entry);
      let checksum = 0;
      source.on('data', (chunk: Buffer) => {
        checksum = crc32(chunk, checksum);
        options.onBytes?.(chunk.length);
      });
      const damaged = (cause?: unknown): ZeroRlError =>
        new ZeroRlError(
          'ERR_ZERO_RL_LIBTORCH_NOT_FOUND',
          `${path.basename(archive)} is damaged: the checksum of ${file} is wrong; install again.`,
          { cause },
        );
      await pipeline(source, createWriteStream(destination)).catch((error: unknown) => {
        throw error instanceof Error && 'syscall' in error ? error : damaged(error);
      });
      if (checksum !== entry.crc32) throw damaged();
      files[file] = entry.uncompressedSize;
    }
  });
  return { files };
}

function readEntry(zip: ZipFile, entry: Entry): Promise<Readable> {
  return zip.openReadStreamPromise(entry);
}

async function withZip<T>(archive: string, use: (zip: ZipFile) => Promise<T>): Promise<T> {
  const zip = await openPromise(archive, { lazyEntries: true, autoClose: false });
  try {
    return await use(zip);
  } finally {
    zip.close();
  }
}
