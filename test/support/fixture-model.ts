/**
 * Hugging Face folders for tests, made from a config.json content alone: the weights are computed from tensor name,
 * seed and element index, bit for bit as in test/golden/fixture.py (the formula is stated there). Uses no native code.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parameterShapes as shapesOf } from '../../src/policy/decoder-description';
import { parseModelConfig } from '../../src/policy/model-config';

export type Storage = 'F32' | 'BF16' | 'F16';

/** What tests read of a config.json. */
export interface DecoderConfig {
  vocab_size: number;
  [key: string]: unknown;
}

export interface FixtureModel {
  config: DecoderConfig;
  seed: number;
  /** Dtype in the file, default F32. */
  storage?: Storage;
  /** Number of safetensors files, default 1; more come with an index. */
  shards?: number;
}

export interface StoredTensor {
  dtype: string;
  shape: readonly number[];
  data: Uint8Array;
}

export function fnv1a32(bytes: Uint8Array): number {
  let value = 0x811c9dc5;
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

function mix(value: number): number {
  value ^= value >>> 16;
  value = Math.imul(value, 0x85ebca6b);
  value ^= value >>> 13;
  value = Math.imul(value, 0xc2b2ae35);
  return value ^ (value >>> 16);
}

/** `count` values of the tensor `name` in row-major order. */
export function fixtureValues(name: string, count: number, seed: number): Float32Array {
  const key = fnv1a32(Buffer.from(name)) ^ seed;
  const isNorm = name.endsWith('norm.weight');
  const scale = !isNorm && /embed_tokens|lm_head/.test(name) ? 0.5 : 0.25;
  return Float32Array.from({ length: count }, (_, index) => {
    const value = (mix(mix((index + 0x9e3779b9) | 0) ^ key) >>> 12) / 2 ** 19 - 1;
    return (isNorm ? 1 : 0) + value * scale;
  });
}

/** Hugging Face names and shapes of the decoder's parameters; tied weights once. */
export function parameterShapes(config: DecoderConfig): Record<string, number[]> {
  return Object.fromEntries(shapesOf(parseModelConfig(config)).map(({ name, shape }) => [name, shape]));
}

/** Rounds to nearest, ties to even, as PyTorch does. */
function toBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (value) => (value + 0x7fff + ((value >>> 16) & 1)) >>> 16);
}

/** Rounds to nearest, ties to even; for |x| < 65504. */
function toFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (value, index) => {
    const sign = (value >>> 16) & 0x8000;
    const magnitude = Math.abs(values[index]);
    if (magnitude >= 2 ** -14) {
      const rounded = (value & 0x7fffffff) + 0xfff + ((value >>> 13) & 1);
      return sign | ((rounded >>> 13) - (112 << 10));
    }
    const steps = magnitude * 2 ** 24;
    const floor = Math.floor(steps);
    const up = steps - floor > 0.5 || (steps - floor === 0.5 && floor % 2 === 1);
    return sign | (floor + (up ? 1 : 0));
  });
}

export function encode(values: Float32Array, storage: Storage): Uint8Array {
  const stored = storage === 'F32' ? values : storage === 'BF16' ? toBfloat16(values) : toFloat16(values);
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}

/** Bytes of a safetensors file. */
export function safetensorsBytes(tensors: Record<string, StoredTensor>): Buffer {
  let offset = 0;
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [offset, (offset += data.byteLength)] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const padding = Buffer.alloc((8 - (text.length % 8)) % 8, ' ');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length + padding.length));
  return Buffer.concat([length, text, padding, ...Object.values(tensors).map(({ data }) => data)]);
}

export function fixtureTensors({ config, seed, storage = 'F32' }: FixtureModel): Record<string, StoredTensor> {
  return Object.fromEntries(
    Object.entries(parameterShapes(config)).map(([name, shape]) => {
      const count = shape.reduce((product, size) => product * size, 1);
      return [name, { dtype: storage, shape, data: encode(fixtureValues(name, count, seed), storage) }];
    }),
  );
}

/** A new folder under the system's temporary directory. The caller removes it. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'zero-rl-test-'));
}

/** Writes config.json and the weights to `folder`, which exists already; returns it. */
export function writeFixtureModel(model: FixtureModel, folder = temporaryFolder()): string {
  writeFileSync(join(folder, 'config.json'), JSON.stringify(model.config, null, 2));
  const tensors = Object.entries(fixtureTensors(model));
  const shards = model.shards ?? 1;
  if (shards === 1) {
    writeFileSync(join(folder, 'model.safetensors'), safetensorsBytes(Object.fromEntries(tensors)));
    return folder;
  }
  const weightMap: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const part = tensors.filter((_, index) => index % shards === shard);
    const file = `model-${String(shard + 1).padStart(5, '0')}-of-${String(shards).padStart(5, '0')}.safetensors`;
    for (const [name] of part) weightMap[name] = file;
    writeFileSync(join(folder, file), safetensorsBytes(Object.fromEntries(part)));
  }
  const total = tensors.reduce((sum, [, { data }]) => sum + data.byteLength, 0);
  const index = { metadata: { total_size: total }, weight_map: weightMap };
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
  return folder;
}
