/** Model folders made by tests: raw safetensors bytes, small configurations and temporary folders. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { JsonObject } from '../../../src/json-object';

/** A fresh folder per test, removed after it. */
export function useTemporaryFolder(): () => string {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'zero-rl-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return () => folder;
}

/** The bytes of a safetensors file with this header (an object, or its text) and so many data bytes. */
export function safetensorsBytes(header: unknown, dataBytes: number, claimedLength?: number | bigint): Buffer {
  const text = Buffer.isBuffer(header)
    ? header
    : Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(claimedLength ?? text.length));
  return Buffer.concat([length, text, Buffer.alloc(dataBytes)]);
}

/** A header entry. */
export const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown): JsonObject => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

/** Header and size of a file with these float32 tensors one after the other. */
export function writeFloatTensors(file: string, tensors: readonly { name: string; shape: number[] }[]): void {
  let offset = 0;
  const header: JsonObject = {};
  for (const { name, shape } of tensors) {
    const end = offset + shape.reduce((product, size) => product * size, 4);
    header[name] = entry('F32', shape, offset, end);
    offset = end;
  }
  writeFileSync(file, safetensorsBytes(header, offset));
}

/** A tiny Llama in the spelling of transformers 4. */
export const TINY_LLAMA: JsonObject = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: 40,
  hidden_size: 32,
  intermediate_size: 24,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 500000,
  tie_word_embeddings: true,
  hidden_act: 'silu',
};

/** Expects one ERR_ZERO_RL_CHECKPOINT (or another code) with the pattern in its message. */
export async function expectFailure(
  run: () => unknown,
  pattern: RegExp,
  code = 'ERR_ZERO_RL_CHECKPOINT',
): Promise<void> {
  let error: unknown;
  try {
    await run();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code, message: expect.stringMatching(pattern) as string });
}
