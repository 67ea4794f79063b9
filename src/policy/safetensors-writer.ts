/**
 * Writes safetensors as a stream: the header from names and shapes, then each tensor's bytes as they come, so that a
 * model never lies in memory twice. All files are complete and flushed before the first one takes its final name.
 */
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { ZeroRlError } from '../errors';
import { commitTemporary, makeFolder, output, syncFolder, temporaryName, writeTemporary } from './atomic-file';
import type { ParameterShape } from './decoder-description';
import { DTYPE_BYTES, INDEX_FILE, SINGLE_FILE, type TensorDtype } from './safetensors';

export interface TensorTarget extends ParameterShape {
  dtype: TensorDtype;
}

/** The little-endian bytes of a tensor, whole or in chunks. */
export type TensorData = (name: string) => Promise<Uint8Array> | AsyncIterable<Uint8Array>;

export interface SafetensorsOptions {
  /** A folder above this is split into shards with an index, each at most this large (or one tensor). Default 5 GB. */
  maxShardBytes?: number;
}

const DEFAULT_SHARD_BYTES = 5_000_000_000;
const SHARD_NAME = /^model-\d{5}-of-\d{5}\.safetensors$/;

/**
 * Writes model.safetensors (or shards and model.safetensors.index.json) into a folder, made if need be, and removes the
 * weight files that were there under other names.
 * @returns the paths written
 * @throws ZeroRlError ERR_ZERO_RL_OUTPUT when the folder cannot be written; the temporary files are gone and older
 *   weights intact. Errors of `data` pass through unchanged.
 */
export async function writeModelTensors(
  directory: string,
  tensors: readonly TensorTarget[],
  data: TensorData,
  options: SafetensorsOptions = {},
): Promise<string[]> {
  await makeFolder(directory);
  const shards = splitShards(tensors, options.maxShardBytes ?? DEFAULT_SHARD_BYTES);
  const count = String(shards.length).padStart(5, '0');
  const files = shards.map((_, i) =>
    join(
      directory,
      shards.length === 1 ? SINGLE_FILE : `model-${String(i + 1).padStart(5, '0')}-of-${count}.safetensors`,
    ),
  );
  const index = join(directory, INDEX_FILE);
  const all = shards.length === 1 ? files : [...files, index];
  const written: string[] = [];
  try {
    for (const [i, shard] of shards.entries()) {
      await writeTemporary(files[i], (append) => writeTensors(append, shard, data));
      written.push(files[i]);
    }
    if (shards.length > 1) {
      await writeTemporary(index, (append) => append(Buffer.from(indexJson(shards, files))));
      written.push(index);
    }
  } catch (error) {
    for (const file of written) await rm(temporaryName(file), { force: true });
    throw error;
  }
  for (const file of all) await commitTemporary(file);
  await removeOthers(directory, all);
  await syncFolder(all[0]);
  return all;
}

/** Writes one safetensors file atomically. Errors as for {@link writeModelTensors}. */
export async function writeSafetensors(
  file: string,
  tensors: readonly TensorTarget[],
  data: TensorData,
): Promise<void> {
  await writeTemporary(file, (append) => writeTensors(append, tensors, data));
  await commitTemporary(file);
  await syncFolder(file);
}

async function writeTensors(
  append: (bytes: Uint8Array) => Promise<void>,
  tensors: readonly TensorTarget[],
  data: TensorData,
): Promise<void> {
  await append(encodeHeader(tensors));
  for (const tensor of tensors) {
    const expected = byteLength(tensor);
    let received = 0;
    const source = data(tensor.name);
    for await (const chunk of Symbol.asyncIterator in source ? source : [await source]) {
      received += chunk.byteLength;
      if (received > expected) break;
      await append(chunk);
    }
    if (received !== expected) {
      throw new ZeroRlError(
        'ERR_ZERO_RL_OUTPUT',
        `Cannot write ${tensor.name}: its shape takes ${expected} bytes but ${received > expected ? 'more' : received} came; report this.`,
      );
    }
  }
}

function encodeHeader(tensors: readonly TensorTarget[]): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const { name, dtype, shape, ...rest } of tensors.map((tensor) => ({ ...tensor, bytes: byteLength(tensor) }))) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + rest.bytes] };
    offset += rest.bytes;
  }
  const json = Buffer.from(JSON.stringify(header));
  // Spaces bring the data to a multiple of 8 bytes.
  const bytes = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  bytes.writeBigUInt64LE(BigInt(bytes.length - 8));
  json.copy(bytes, 8);
  return bytes;
}

function splitShards(tensors: readonly TensorTarget[], maxBytes: number): TensorTarget[][] {
  const shards: TensorTarget[][] = [[]];
  let size = 0;
  for (const tensor of tensors) {
    const bytes = byteLength(tensor);
    if (size > 0 && size + bytes > maxBytes) {
      shards.push([]);
      size = 0;
    }
    shards[shards.length - 1].push(tensor);
    size += bytes;
  }
  return shards;
}

function indexJson(shards: readonly TensorTarget[][], files: readonly string[]): string {
  const map = shards.flatMap((shard, i) => shard.map(({ name }) => [name, basename(files[i])] as const));
  const total = shards.flat().reduce((sum, tensor) => sum + byteLength(tensor), 0);
  return `${JSON.stringify({ metadata: { total_size: total }, weight_map: Object.fromEntries(map) }, null, 2)}\n`;
}

function byteLength({ dtype, shape }: TensorTarget): number {
  return shape.reduce((product, size) => product * size, DTYPE_BYTES[dtype]);
}

/** Weight files of an earlier save would be loaded instead of, or beside, the new ones. */
async function removeOthers(directory: string, kept: readonly string[]): Promise<void> {
  await output(directory, async () => {
    for (const name of await readdir(directory)) {
      const weights = name === SINGLE_FILE || name === INDEX_FILE || SHARD_NAME.test(name);
      if (weights && !kept.includes(join(directory, name))) await rm(join(directory, name));
    }
  });
}
