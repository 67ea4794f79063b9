/**
 * Where the tensors of a model folder lie: the headers of model.safetensors, or of the shards that
 * model.safetensors.index.json names. Tensor data is never read here; the engine maps the files itself and trusts these
 * offsets, so everything about them is checked: the format's own rules (contiguous cover of the file, no overlap) and
 * sizes that fit their shapes. Format: https://github.com/huggingface/safetensors#format
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { isJsonObject } from '../json-object';
import {
  checkpointError,
  decodeUtf8,
  errorCode,
  fileSize,
  quote,
  MAX_JSON_BYTES,
  readJsonObject,
} from './checkpoint-file';
import { log } from '../observe/log';
import { findDuplicateKey } from './duplicate-key';
import type { ParameterShape } from './decoder-description';

/** Element types that the engine reads, with their sizes in bytes. */
export const DTYPE_BYTES = { F32: 4, BF16: 2, F16: 2 } as const;
export type TensorDtype = keyof typeof DTYPE_BYTES;

/** All that files may hold; tensors that no parameter is filled from, such as masks, are of any. */
const STORED_BYTES = {
  ...DTYPE_BYTES,
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  U32: 4,
  I32: 4,
  F64: 8,
  U64: 8,
  I64: 8,
} as const;
export type StoredDtype = keyof typeof STORED_BYTES;

export const SINGLE_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';

/** A tensor of a safetensors file. */
export interface StoredTensor {
  name: string;
  /** Path of the safetensors file. */
  file: string;
  dtype: StoredDtype;
  shape: number[];
  /** From the start of the file. */
  byteOffset: number;
  byteLength: number;
}

/** One that the engine reads. */
export interface TensorSource extends StoredTensor {
  dtype: TensorDtype;
}

/**
 * Tensors of a folder, in the order of their files. Like transformers, a single model.safetensors wins over an index.
 * @throws ZeroRlError ERR_ZERO_RL_CHECKPOINT naming the file and what is wrong with it
 */
export async function readTensorSources(directory: string): Promise<StoredTensor[]> {
  const single = join(directory, SINGLE_FILE);
  if ((await fileSize(single)) !== null) return readSafetensorsHeader(single);
  const index = join(directory, INDEX_FILE);
  if ((await fileSize(index)) !== null) return readSharded(directory, index);
  for (const other of ['pytorch_model.bin', 'pytorch_model.bin.index.json', 'adapter_model.safetensors']) {
    if ((await fileSize(join(directory, other))) !== null) {
      throw checkpointError(
        `${directory} holds ${other}, which is not read; save the whole model as ${SINGLE_FILE} first.`,
      );
    }
  }
  throw checkpointError(
    `${directory} holds neither ${SINGLE_FILE} nor ${INDEX_FILE}; download or save the weights there.`,
  );
}

/** Checks one safetensors file against the format and lists its tensors in the order of their offsets. */
export async function readSafetensorsHeader(file: string): Promise<StoredTensor[]> {
  const size = await fileSize(file);
  if (size === null) throw checkpointError(`The safetensors file ${file} is missing; download or save it again.`);
  const { header, dataStart } = await readHeader(file, size);
  const tensors = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => parseEntry(file, name, entry, dataStart));
  const metadata = header.__metadata__ ?? {};
  if (!isJsonObject(metadata) || Object.values(metadata).some((value) => typeof value !== 'string')) {
    throw damaged(file, 'its __metadata__ is not an object of strings');
  }
  tensors.sort((a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength);
  let end = dataStart;
  for (const tensor of tensors) {
    if (tensor.byteOffset + tensor.byteLength > size) {
      throw damaged(
        file,
        `${quote(tensor.name)} ends at byte ${tensor.byteOffset + tensor.byteLength} but the file has ${size}`,
      );
    }
    if (tensor.byteOffset !== end) {
      const what =
        tensor.byteOffset < end
          ? 'overlaps the tensor before it'
          : `leaves a gap of ${tensor.byteOffset - end} bytes before it`;
      throw damaged(file, `${quote(tensor.name)} ${what}`);
    }
    end += tensor.byteLength;
  }
  if (end !== size) throw damaged(file, `${size - end} bytes at its end belong to no tensor`);
  return tensors;
}

/** @throws ZeroRlError ERR_ZERO_RL_CHECKPOINT for a dtype that the engine does not read */
export function readable(tensor: StoredTensor): TensorSource {
  const { file, name, dtype } = tensor;
  if (Object.hasOwn(DTYPE_BYTES, dtype)) return { ...tensor, dtype: dtype as TensorDtype };
  throw unreadable(file, name, dtype);
}

function unreadable(file: string, name: string, dtype: string): Error {
  return checkpointError(
    `${file}: ${quote(name)} has dtype ${quote(dtype)}, which is not read; convert the model to float32, bfloat16 or float16.`,
  );
}

/**
 * Heads of critics and classifiers beside a language model, and buffers of masks and rotary embeddings. `value_head.weight`
 * is none of them: a folder with that is a critic of ours, whose trunk is no policy.
 */
const SURPLUS =
  /^(v_head|value_head\.(?!weight$)|reward_head|score|classifier)\b|(^|\.)(masked_bias|causal_mask|attention_mask|(self_)?attn\.bias|rotary_emb\.\w+)$/;
/** Of these there is nothing to say. */
const KNOWN_SURPLUS = /rotary_emb\.inv_freq$|^lm_head\.weight$/;

/**
 * The tensors that fill `parameters`, in that order. Heads of critics and classifiers, masks and rotary buffers, and
 * `lm_head.weight` where it is tied, may be present and are left out; `warn` is told once of those that carry something.
 * @throws ZeroRlError ERR_ZERO_RL_CHECKPOINT naming the first missing, unexpected or wrongly shaped tensors
 */
export function matchParameters(
  parameters: readonly ParameterShape[],
  tensors: readonly StoredTensor[],
  directory: string,
  warn: (message: string) => void = (message) => log.warn(message),
): TensorSource[] {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const expected = new Set(parameters.map(({ name }) => name));
  const list = (names: readonly string[]): string =>
    names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
  const fail = (problem: string, names: string[]) => {
    const shown = list(names);
    throw checkpointError(
      `The weights in ${directory} ${problem}: ${shown}; check that config.json and weights belong together.`,
    );
  };
  const missing = parameters.filter(({ name }) => !byName.has(name)).map(({ name }) => name);
  if (missing.length > 0) fail('lack tensors', missing);
  const surplus = [...byName.keys()].filter((name) => !expected.has(name) && !KNOWN_SURPLUS.test(name));
  const unexpected = surplus.filter((name) => !SURPLUS.test(name));
  if (unexpected.length > 0) fail('hold unexpected tensors', unexpected.map(quote));
  if (surplus.length > 0) warn(`The weights in ${directory} hold tensors that are left out: ${list(surplus)}`);
  const matched = parameters.map(({ name }) => readable(byName.get(name)!));
  const misshapen = parameters.flatMap(({ name, shape }, i) => {
    const found = matched[i].shape;
    return found.length === shape.length && found.every((size, axis) => size === shape[axis])
      ? []
      : [`${name} has shape [${found.join(', ')}] where [${shape.join(', ')}] is expected`];
  });
  if (misshapen.length > 0) fail('do not fit', misshapen);
  return matched;
}

async function readSharded(directory: string, index: string): Promise<StoredTensor[]> {
  const map = (await readJsonObject(index))?.weight_map;
  if (!isJsonObject(map)) throw damaged(index, 'it has no weight_map');
  const shards = new Set<string>();
  for (const [name, shard] of Object.entries(map)) {
    if (typeof shard !== 'string' || !/^[^/\\\0]+\.safetensors$/.test(shard)) {
      throw damaged(
        index,
        `${quote(name)} is said to be in ${quote(shard)}, which is not the name of a safetensors file of this folder`,
      );
    }
    shards.add(shard);
  }
  const result: StoredTensor[] = [];
  const found = new Set<string>();
  for (const shard of shards) {
    for (const tensor of await readSafetensorsHeader(join(directory, shard))) {
      if (!Object.hasOwn(map, tensor.name) || map[tensor.name] !== shard) continue;
      found.add(tensor.name);
      result.push(tensor);
    }
  }
  const lost = Object.keys(map).find((name) => !found.has(name));
  if (lost !== undefined) throw damaged(index, `${quote(lost)} is not in ${String(map[lost])}`);
  return result;
}

async function readHeader(file: string, size: number): Promise<{ header: Record<string, unknown>; dataStart: number }> {
  if (size < 8) throw damaged(file, `it has ${size} bytes, fewer than the 8 of the header's length`);
  let bytes: Buffer;
  try {
    const handle = await open(file, 'r');
    try {
      const prefix = (await handle.read(Buffer.alloc(8), 0, 8, 0)).buffer;
      const length = prefix.readBigUInt64LE();
      if (length > BigInt(MAX_JSON_BYTES))
        throw damaged(file, `it claims a header of ${length} bytes, more than the format allows`);
      if (length > BigInt(size - 8)) throw damaged(file, `it claims a header of ${length} bytes but has ${size}`);
      bytes = Buffer.alloc(Number(length));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, 8);
      if (bytesRead !== bytes.length) throw damaged(file, 'it became shorter while it was read');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errorCode(error) === 'ERR_ZERO_RL_CHECKPOINT') throw error;
    throw checkpointError(`Cannot read ${file} (${errorCode(error)}); check its permissions.`, error);
  }
  return { header: parseHeader(file, bytes), dataStart: 8 + bytes.length };
}

function parseHeader(file: string, bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  let text: string;
  try {
    text = decodeUtf8(bytes);
    header = JSON.parse(text);
  } catch (error) {
    throw damaged(file, 'its header is not JSON in UTF-8', error);
  }
  if (!isJsonObject(header) || bytes[0] !== 0x7b) throw damaged(file, 'its header is not a JSON object');
  const duplicate = findDuplicateKey(text);
  if (duplicate !== null) throw damaged(file, `its header has the key ${quote(duplicate)} twice`);
  return header;
}

function parseEntry(file: string, name: string, entry: unknown, dataStart: number): StoredTensor {
  const wrong = (what: string) => damaged(file, `${quote(name)} has ${what}`);
  if (!isJsonObject(entry)) throw damaged(file, `the entry of ${quote(name)} is not an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string') throw wrong('no dtype');
  if (!Object.hasOwn(STORED_BYTES, dtype)) throw unreadable(file, name, dtype);
  if (!isSizes(shape)) throw wrong('a shape that is not a list of sizes');
  if (!isSizes(offsets) || offsets.length !== 2) throw wrong('data_offsets that are not two byte positions');
  const [begin, end] = offsets;
  if (end < begin) throw wrong(`data_offsets that end (${end}) before they begin (${begin})`);
  if (!Number.isSafeInteger(dataStart + end)) throw wrong('data_offsets beyond any file');
  const size = STORED_BYTES[dtype as StoredDtype];
  const expected = shape.reduce((product, dimension) => product * BigInt(dimension), BigInt(size));
  if (expected !== BigInt(end - begin)) {
    throw wrong(`${end - begin} bytes where its shape [${shape.join(', ')}] in ${dtype} takes ${expected}`);
  }
  return { name, file, dtype: dtype as StoredDtype, shape, byteOffset: dataStart + begin, byteLength: end - begin };
}

/** A list of at most 64 non-negative safe integers. */
function isSizes(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.length <= 64 &&
    value.every((item) => Number.isSafeInteger(item) && (item as number) >= 0 && !Object.is(item, -0))
  );
}

function damaged(file: string, problem: string, cause?: unknown): Error {
  return checkpointError(`${file} is damaged: ${problem}; download or save it again.`, cause);
}
