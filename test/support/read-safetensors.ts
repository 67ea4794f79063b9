/** Reads saved weights back, independently of the reader under test. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ReadTensor {
  dtype: string;
  shape: number[];
  /** The values as float32, whatever the file's dtype. */
  values: Float32Array;
}

function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

function bfloat16(bits: number): number {
  return new Float32Array(new Uint32Array([bits << 16]).buffer)[0];
}

/** Every tensor of a file by name. */
export function readSafetensorsFile(path: string): Map<string, ReadTensor> {
  const bytes = readFileSync(path);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = new Map<string, ReadTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: offsets } = entry;
    // A copy, because a typed array needs an aligned start.
    const data = Uint8Array.from(bytes.subarray(8 + headerLength + offsets[0], 8 + headerLength + offsets[1])).buffer;
    const values =
      dtype === 'F32'
        ? new Float32Array(data)
        : Float32Array.from(new Uint16Array(data), dtype === 'BF16' ? bfloat16 : float16);
    tensors.set(name, { dtype, shape, values });
  }
  return tensors;
}

/** Every tensor of a Hugging Face folder by name, from one file or from shards. */
export function readSafetensors(folder: string): Map<string, ReadTensor> {
  const indexPath = join(folder, 'model.safetensors.index.json');
  if (!existsSync(indexPath)) return readSafetensorsFile(join(folder, 'model.safetensors'));
  const index = JSON.parse(readFileSync(indexPath, 'utf8')) as { weight_map: Record<string, string> };
  const files = new Set(Object.values(index.weight_map));
  return new Map([...files].flatMap((file) => [...readSafetensorsFile(join(folder, file))]));
}
